internal import Glibc
import JailCore

/// Programs of the host's that a command asks for something. Never on the way to a jail.
enum HostProgram {
    private static let places = ["/usr/bin", "/bin", "/usr/local/bin"]

    /// What a program prints, which ends with 0.
    ///
    /// - Parameter limit: bytes.
    static func output(_ words: [String], limit: Int) throws(JailError) -> String {
        guard let path = places.map({ "\($0)/\(words[0])" }).first(where: { System.mayAccess($0, X_OK) }) else {
            throw JailError(.host, reason: "\(words[0]) is not installed")
        }
        let ends = try attempt(.host) { () throws(SystemError) in try System.pipe().release() }
        let pid = try attempt(.host) { () throws(SystemError) in try System.fork() }
        if pid == 0 {
            try? System.duplicate(Descriptor(ends.writeEnd), to: 1, closeOnExec: false)
            let environment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]
            do throws(SystemError) { try System.execute(path, arguments: words, environment: environment) } catch {
                Output.leave(ExitStatus.notExecutable)
            }
        }
        System.close(ends.writeEnd)
        let reading = OwnedDescriptor(ends.readEnd)
        let bytes = try attempt(.host, path) { () throws(SystemError) in
            try System.readAll(reading.borrowed, limit: limit)
        }
        let how = try attempt(.host, path) { () throws(SystemError) in try System.wait(forChild: pid) }
        guard how.status == 0 else { throw JailError(.host, path: path, reason: "it ended with status \(how.status)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
