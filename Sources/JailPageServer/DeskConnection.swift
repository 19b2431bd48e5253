internal import JailCore
internal import JailPage
internal import NIOPosix
package import PageControl

/// The desk, at the other end of a socket: asked by one thread, one call after another.
package final class DeskConnection: PageDesk {
    private let channel: PageChannel
    private let thread = NIOThreadPool(numberOfThreads: 1)

    package init(_ channel: PageChannel) {
        self.channel = channel
        thread.start()
    }

    package func answer(_ call: PageCall) async -> PageAnswer? {
        let channel = channel
        return try? await thread.runIfActive { () -> PageAnswer? in
            do {
                try channel.send(call.bytes)
                let bytes = try channel.receive(limit: PageAnswer.sizeLimit)
                if let answer = bytes.flatMap({ PageAnswer($0) }) { return answer }
            } catch {}
            // Without it there is nothing that could be shown, and whoever has started both is told by its end.
            System.exitNow(ExitStatus.launchFailed)
        }
    }
}
