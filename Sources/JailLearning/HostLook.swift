/// What the host says about that which was asked for. A profile that names what is not there does not start.
package struct HostLook: Sendable {
    package enum Kind: Equatable, Sendable {
        case file, directory, socket
        /// A device, a FIFO.
        case other
        case missing
    }

    /// What lies at an absolute path, links followed.
    package var kind: @Sendable (_ path: String) -> Kind
    /// Whether a program of this bare name is on the search path.
    package var hasProgram: @Sendable (_ name: String) -> Bool
    /// Why no profile can show a path, whatever it says; nil: nothing speaks against it.
    package var boundary: @Sendable (_ path: String, _ writable: Bool) -> String?
    /// Home directories, which are never shown as a whole.
    package var homes: [String]

    package init(
        kind: @escaping @Sendable (String) -> Kind, hasProgram: @escaping @Sendable (String) -> Bool,
        boundary: @escaping @Sendable (String, Bool) -> String? = { _, _ in nil }, homes: [String] = []
    ) {
        self.kind = kind
        self.hasProgram = hasProgram
        self.boundary = boundary
        self.homes = homes
    }
}
