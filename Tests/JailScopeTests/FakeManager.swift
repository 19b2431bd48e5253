import Foundation
import JailCore
import TestSupport

@testable import JailScope

/// Listens where a service manager would, for one caller, and says what a test has it say.
final class FakeManager: Sendable {
    enum Line: Sendable {
        case say([UInt8])
        /// Reads the caller's request first.
        case listen
        /// Milliseconds.
        case pause(Int32)
        /// Says nothing until the caller has gone.
        case wait
    }

    private let directory: TemporaryDirectory
    let socket: String

    init(_ script: [Line]) throws {
        directory = try TemporaryDirectory()
        socket = "\(directory.path)/private"
        let listener = try System.makeUnixSocket(.stream)
        try System.bind(listener.borrowed, path: socket)
        try System.listen(listener.borrowed)
        let shared = KeptDescriptor(listener)
        Thread.detachNewThread { try? Self.serve(shared, script) }
    }

    private static func serve(_ listener: KeptDescriptor, _ script: [Line]) throws {
        guard let caller = try System.accept(listener.borrowed) else { return }
        try System.setNonBlocking(caller.borrowed, false)
        for line in script {
            switch line {
            case .say(let bytes): try System.send(caller.borrowed, bytes)
            case .listen: _ = try System.read(caller.borrowed, most: 1 << 16)
            case .pause(let milliseconds): usleep(UInt32(milliseconds) * 1000)
            case .wait: while try !System.read(caller.borrowed, most: 4096).isEmpty {}
            }
        }
    }

    static let ok = Line.say(Array("OK 0123456789abcdef0123456789abcdef\r\n".utf8))

    /// There is a job.
    static let accepted: [UInt8] = {
        var message = DBusMessage(.reply, serial: 2)
        message.replySerial = 1
        message.signature = "o"
        var body = DBusWriter()
        body.string("/org/freedesktop/systemd1/job/1")
        message.body = body.bytes
        return message.bytes
    }()

    static func refused(_ name: String, _ text: String) -> [UInt8] {
        var message = DBusMessage(.error, serial: 2)
        message.replySerial = 1
        message.errorName = name
        message.signature = "s"
        var body = DBusWriter()
        body.string(text)
        message.body = body.bytes
        return message.bytes
    }

    static func removed(_ unit: String, _ result: String) -> [UInt8] {
        var message = DBusMessage(.signal, serial: 3)
        message.path = ScopeRequest.path
        message.interface = ScopeRequest.interface
        message.member = "JobRemoved"
        message.signature = "uoss"
        var body = DBusWriter()
        body.number(1)
        body.string("/org/freedesktop/systemd1/job/1")
        body.string(unit)
        body.string(result)
        message.body = body.bytes
        return message.bytes
    }
}
