/// What an executed command may have as a standard stream itself, and not through a pipe. The client asks it to know what
/// it has to pass on, the supervisor because it believes no client.
package enum ExecStream {
    /// A pipe, a regular file or /dev/null: nothing through which a name, another file or a connection could be reached.
    package static func mayBeGiven(_ stream: Descriptor) throws(SystemError) -> Bool {
        if try System.isPathOnly(stream) { return false }
        let status = try System.status(of: stream)
        switch status.kind {
        case .fifo: return true
        // A file in memory could be executed through its descriptor, whatever the jail's mounts allow.
        case .regular: return try !System.isMemoryFile(stream)
        case .characterDevice: return status.isNullDevice
        default: return false
        }
    }
}
