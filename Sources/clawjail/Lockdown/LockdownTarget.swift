import JailCore
import JailLaunch
import JailPlan
import JailPolicy

/// One jail that is being locked down.
struct LockdownTarget {
    /// How it stands. Everything but `asked` is final.
    enum Condition: Equatable {
        case asked
        case frozen
        /// It was still being made, ended by itself, or could not be held and was killed.
        case ended
        /// Its supervisor did not answer, and was killed: everything goes with it.
        case killed
        case failed(String)
    }

    let address: JailAddress
    var state: [UInt8]
    var connection: SharedDescriptor?
    var condition = Condition.asked
    /// Nanoseconds from the command's start until it stood still.
    var took: Int64?

    var subject: LockdownMarker.Subject {
        address.gateway.map { .session(address.name, of: $0) } ?? .jail(address.name)
    }
    var runDirectory: String { "\(address.base)/\(address.name)" }
    var value: JSON5Value? { try? JSON5Reader.read(state, file: address.shown) }
    var initPID: Int32? { value?["init"]?.integer.flatMap { Int32(exactly: $0) } }

    /// Of archives; no name of a jail has a point.
    var fileName: String { address.gateway.map { "\($0).\(address.name)" } ?? address.name }

    /// Whether its supervisor still holds its name.
    var isHeld: Bool { if case .running = address.presence { true } else { false } }

    // MARK: Asking

    /// Connects, and asks; false: its supervisor cannot be reached yet.
    mutating func ask(_ order: LockdownOrder) -> Bool {
        do throws(SystemError) {
            let connection = try RunDirectory.connect(to: runDirectory)
            try System.send(connection.borrowed, ControlRequest.lockdown(order).bytes)
            self.connection = connection
            return true
        } catch {
            if !isHeld { condition = .ended }
            return false
        }
    }

    /// Takes the answer.
    mutating func hear(since start: Int64) {
        guard let connection else { return }
        let bytes = withExtendedLifetime(connection) {
            (try? System.receive(connection.borrowed, most: ControlReply.sizeLimit).bytes) ?? []
        }
        self.connection = nil
        switch ControlReply(bytes) {
        case .done:
            condition = .frozen
            took = System.monotonicNanoseconds() - start
        case .refused(_, let text): condition = .failed(text.printable)
        // It hung up: everything in it is gone, or about to be.
        default: condition = .ended
        }
    }

    /// A supervisor that does not answer is killed: the kernel ends everything in its jail with it.
    mutating func killSilentSupervisor() {
        do throws(SystemError) {
            guard let connection else { throw SystemError(.check, .notFound) }
            let supervisor = try System.peer(of: connection.borrowed).pid
            guard supervisor > 1 else { throw SystemError(.check, .noProcess) }
            let process = try System.openProcess(supervisor)
            // One that has ended since has closed the connection: then the number is perhaps another's.
            guard try System.pollNow(connection.borrowed) & System.PollEvents.hangUp == 0 else {
                condition = .ended
                return
            }
            try System.send(signal: 9, to: process.borrowed)
            condition = .killed
        } catch {
            condition = .failed(
                "its supervisor does not answer, and cannot be killed: \(error.call.name): \(error.errno)")
        }
        connection = nil
    }
}
