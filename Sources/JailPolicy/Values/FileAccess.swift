/// What a program wants of a file.
package enum FileAccess: String, CaseIterable, Sendable {
    /// Open for reading, list, look up.
    case read
    /// Change what is there, or make and remove entries.
    case write
    case execute
    /// Connect to a UNIX socket.
    case connect
}
