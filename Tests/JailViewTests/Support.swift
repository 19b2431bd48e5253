import JailCgroups

@testable import JailView

extension JailSample {
    /// One of a gateway's jails as a supervisor and the kernel would tell of it.
    static func made(_ name: String, second: Int64 = 0, _ change: (inout JailSample) -> Void = { _ in }) -> JailSample {
        var sample = JailSample(
            name: name, profile: "research", started: 1_000_000, supervisor: 100, time: 1 + second * 1_000_000_000)
        var usage = GroupUsage()
        usage.processorTime = 500_000
        usage.memory = 64 << 20
        usage.memoryPeak = 80 << 20
        usage.memoryLimit = 512 << 20
        usage.processes = 13
        usage.processLimit = 257
        usage.milliCPUs = 2000
        usage.throttledTime = 0
        sample.usage = usage
        var figures = JailFigures()
        figures.tells = .everything
        sample.figures = figures
        change(&sample)
        return sample
    }
}
