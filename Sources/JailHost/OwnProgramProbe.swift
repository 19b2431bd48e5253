internal import JailCore
internal import JailPlan

/// Looks for another program of clawjail's: beside this very one.
enum OwnProgramProbe {
    static func examine(_ name: String) throws(JailError) -> OwnProgramFacts {
        do throws(SystemError) {
            let path = Paths.join(try System.readLink("/proc/self/exe").parentPath, name)
            var facts = OwnProgramFacts(path: path, file: nil)
            do throws(SystemError) {
                let status = try System.status(path)
                if status.kind == .regular {
                    facts.file = SourceFacts(
                        identity: status.identity, isDirectory: false, owner: status.uid,
                        permissions: status.permissions)
                }
            } catch {
                guard error.errno == .notFound else { throw error }
            }
            return facts
        } catch {
            throw JailError(.host, error, path: name)
        }
    }
}
