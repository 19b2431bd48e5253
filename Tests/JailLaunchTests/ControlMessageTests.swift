import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `Control messages` {
    static let kinds = ControlMessage.Kind.allCases
    /// No kind has these numbers.
    static let others = [UInt8(0)] + (UInt8(kinds.count + 1)...255)

    @Test func `the kinds are numbered from 1, and no other number is one`() {
        #expect(Self.kinds.map(\.rawValue) == Array(1...UInt8(Self.kinds.count)))
        #expect(Self.others.allSatisfy { ControlMessage.Kind(rawValue: $0) == nil })
    }

    @Test(arguments: kinds)
    func `each kind comes back as it was sent`(kind: ControlMessage.Kind) {
        for value: Int32 in [0, 1, -1, .min, .max, 0x0102_0304] {
            let message = ControlMessage(kind, detail: 0xAB, index: 0xCDEF, value: value)
            #expect(message.bytes.count == ControlMessage.size)
            #expect(ControlMessage(message.bytes) == message)
        }
    }

    @Test func `bytes of another length are no message`() {
        let bytes = ControlMessage(.ready).bytes
        for count in 0..<8 { #expect(ControlMessage(Array(bytes.prefix(count))) == nil) }
        #expect(ControlMessage(bytes + [0]) == nil)
        #expect(ControlMessage([]) == nil)
    }

    @Test func `an unknown kind is no message, whatever follows`() {
        var generator = Seeded(1)
        for kind in Self.others {
            #expect(ControlMessage([kind] + (0..<7).map { _ in UInt8.random(in: 0...255, using: &generator) }) == nil)
        }
    }

    @Test func `a failure comes back with stage, step, call and error`() {
        for stage in Stage.allCases {
            for call in KernelCall.allCases {
                let failure = Failure(stage: stage, step: 513, error: SystemError(call, .stale))
                #expect(ControlMessage(ControlMessage(failure: failure).bytes)?.failure == failure)
            }
        }
    }

    @Test func `hostile failures are no failures, and no trap`() {
        var generator = Seeded(2)
        for _ in 0..<20_000 {
            var bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes[0] = ControlMessage.Kind.failed.rawValue
            guard let failure = ControlMessage(bytes)?.failure else { continue }
            #expect(Stage(rawValue: bytes[1]) == failure.stage)
        }
        #expect(ControlMessage(.failed, detail: 255).failure == nil)
        #expect(ControlMessage(.failed, value: Int32(0x7FFF) << 16).failure == nil)
        #expect(ControlMessage(.ready, detail: 3).failure == nil)
    }
}
