internal import Glibc
import JailCore
import JailLaunch
import JailPolicy

/// A running jail that stands still as long as this process wants it to, and not a moment longer: whatever becomes of the
/// process, a child of its own lets the jail go on.
struct JailHold {
    private enum Keeper {
        /// Somebody else has paused it, and will let it go on.
        case another
        /// The child, and what it waits for the end of.
        case child(Int32, SharedDescriptor)
    }

    private let name: String
    private let keeper: Keeper

    /// - Returns: nil, and why: it cannot be paused, and goes on.
    /// - Throws: if it does not run, or does not answer.
    static func take(_ name: String) throws(JailError) -> (hold: JailHold?, refusal: String?) {
        if try isPaused(name) { return (JailHold(name: name, keeper: .another), nil) }
        let ends = try attempt(.data) { () throws(SystemError) in try System.pipe().release() }
        let pid = try attempt(.data) { () throws(SystemError) in try System.fork() }
        if pid == 0 {
            System.close(ends.writeEnd)
            release(name, once: OwnedDescriptor(ends.readEnd))
        }
        System.close(ends.readEnd)
        let hold = JailHold(
            name: name, keeper: .child(pid, SharedDescriptor(OwnedDescriptor(ends.writeEnd))))
        do throws(JailError) {
            guard try JailConnection.ask(.pause, try JailConnection.open(name)) != nil else {
                throw JailConnection.notThere(name)
            }
            return (hold, nil)
        } catch {
            hold.abandon()
            // That it cannot be had is an answer as well; whoever has ended meanwhile is none.
            if error.status == ExitStatus.notThere { throw error }
            return (nil, error.description)
        }
    }

    /// Whether it stands still.
    static func isPaused(_ name: String) throws(JailError) -> Bool {
        guard case .state(let text)? = try JailConnection.ask(.state, try JailConnection.open(name)),
            case .boolean(let isPaused)? = (try? JSON5Reader.read(Array(text.utf8), file: ""))?["paused"]?.content
        else { throw JailConnection.notThere(name) }
        return isPaused
    }

    /// Whether it has stood still all the time, as far as can be seen now.
    var holds: Bool { (try? Self.isPaused(name)) == true }

    /// Lets it go on.
    func end() throws(JailError) {
        guard case .child(let pid, let pipe) = keeper else { return }
        _ = pipe.take()
        let ended = try attempt(.data) { () throws(SystemError) in try System.wait(forChild: pid) }
        guard ended == .exited(0) else {
            throw JailError(
                .data, reason: "jail '\(name)' could not be told to go on", hint: "clawjail resume \(name)")
        }
    }

    private func abandon() {
        guard case .child(let pid, _) = keeper else { return }
        try? System.kill(pid, SIGKILL)
        _ = try? System.wait(forChild: pid)
    }

    /// The child: no signal to the command that it belongs to, from a terminal or a service manager, ends it before its work.
    private static func release(_ name: String, once pipe: consuming OwnedDescriptor) -> Never {
        do throws(SystemError) {
            try System.newSession()
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { try System.ignore(signal) }
            while !(try System.read(pipe.borrowed, most: 1)).isEmpty {}
        } catch {}
        do throws(JailError) {
            _ = try JailConnection.ask(.resume, try JailConnection.open(name))
            Output.leave(0)
        } catch {
            // It has ended: nobody stands still any more.
            let isGone = [ExitStatus.notThere, ExitStatus.notRunning].contains(error.status)
            if !isGone { Output.say(error.description) }
            Output.leave(isGone ? 0 : error.status)
        }
    }
}
