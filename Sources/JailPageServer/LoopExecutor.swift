internal import NIOCore

/// Runs tasks on an event loop. The pool of threads that would run them otherwise looks at `/proc` now and then, and takes it for a
/// fault of its own if it must not: this process must not.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
