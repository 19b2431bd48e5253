internal import JailCore

/// A program of clawjail's own, as it was looked for on the host: beside clawjail itself.
package struct OwnProgramFacts: Equatable, Sendable {
    /// Where it must be.
    package var path: String
    /// nil: it is not there.
    package var file: SourceFacts?

    package init(path: String, file: SourceFacts?) {
        self.path = path
        self.file = file
    }

    /// - Parameters:
    ///   - name: for people.
    ///   - need: what the profile needs it for.
    /// - Throws: it is not there, or somebody else may have written it.
    func checked(_ name: String, need: String, caller: CallerFacts) throws(JailError) -> FileIdentity {
        guard let file else {
            throw JailError(
                .host, path: path, reason: "\(name) is not there, and the profile \(need)",
                hint: "install it beside clawjail ('make install' does)")
        }
        let isOwn = file.owner == 0 || file.owner == caller.uid
        guard !file.isDirectory, isOwn, file.permissions & 0o022 == 0 else {
            throw JailError(
                .host, path: path,
                reason: "it must be a file of root's or of the caller's that nobody else can write",
                hint: "install it again, or chmod go-w it")
        }
        return file.identity
    }
}
