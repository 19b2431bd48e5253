package import JailCore

/// The host's files as far as a decision needs them. Looking is all that it does.
package protocol HostView {
    /// A path of which only the last component may be a symlink.
    func look(_ path: String) -> HostEntry
    /// Why no profile can show a canonical path; nil: nothing speaks against it.
    func refusal(of path: String, writable: Bool) -> String?
    /// What a program's file asks to be run by.
    func interpreter(of path: String) -> Interpreter
    /// Where the host has a program of that name, before symlinks; nil: nowhere.
    func find(program: String) -> String?
    /// Groups that the jail's programs keep beside their own, where they could not be taken away.
    var keptGroups: [UInt32] { get }
}

package enum HostEntry: Equatable, Sendable {
    case missing
    /// Nobody may look.
    case refused
    case symlink(String)
    case file(HostFile)
}

package struct HostFile: Equatable, Sendable {
    package var identity: FileIdentity
    package var kind: FileStatus.Kind
    /// Permission bits alone.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// It has an access control list, which may allow more than the bits say.
    package var hasList = false

    package init(identity: FileIdentity, kind: FileStatus.Kind, mode: UInt32, uid: UInt32, gid: UInt32) {
        self.identity = identity
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}

package enum Interpreter: Equatable, Sendable {
    /// The program runs by itself: a static one.
    case none
    /// The dynamic loader of an ELF file.
    case loader(String)
    /// The first line of a script.
    case script(String)
    /// No format that execve(2) knows.
    case unknown
}
