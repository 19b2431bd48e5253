import Testing

@testable import JailCore

@Suite("Stops of traced threads")
struct TraceStopTests {
    static let stops: [(Int32, System.TraceStop)] = [
        (0x0000, .ended(.exited(0))), (0x0700, .ended(.exited(7))), (0x0009, .ended(.signalled(9))),
        // With a core.
        (0x008B, .ended(.signalled(11))), (0x857F, .call), (0x0F7F, .signal(15)), (0x057F, .signal(5)),
        (0x1_057F, .started(isThread: false)), (0x2_057F, .started(isThread: false)),
        (0x3_057F, .started(isThread: true)), (0x4_057F, .executed), (0x80_057F, .begun), (0x80_137F, .stopped),
        (0x80_147F, .stopped),
    ]

    @Test("are read from what wait(2) says", arguments: stops)
    func status(_ status: Int32, _ stop: System.TraceStop) {
        #expect(System.TraceStop(status: status) == stop)
    }
}
