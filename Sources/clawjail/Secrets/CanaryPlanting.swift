import JailCore
import JailLaunch
import SecretTraces

/// Puts a canary into a directory of the host's.
struct CanaryPlanting {
    let directory: String
    /// Below that.
    let path: String

    /// - Parameter path: nil: where such a thing usually is.
    init(_ kind: Canary.Kind, in directory: String, at path: String?) throws(JailError) {
        let path = path ?? kind.path
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }) else {
            throw JailError(.usage, reason: "--path is a path below the directory, such as \(kind.path)")
        }
        self.directory = directory
        self.path = path
    }

    /// The path of a directory as everybody understands it.
    static func wholePath(_ directory: String) throws(JailError) -> String {
        try attempt(.secrets, directory) { () throws(SystemError) in
            let place = try System.open(directory, [.pathOnly, .directory])
            return try System.readLink("/proc/self/fd/\(place.borrowed.number)")
        }
    }

    var shown: String { "\(directory)/\(path)" }

    /// Known before it is there: what is found of it is told from its first moment on. Nothing that is there is written over,
    /// and no symlink followed below the directory, where a jail may be changing names.
    func plant(_ canary: Canary, state: String) throws(JailError) {
        try CanaryRegister.add(canary, at: shown, in: state)
        do throws(JailError) { try write(canary.text) } catch {
            _ = try CanaryRegister.remove(canary.id, in: state)
            throw error
        }
    }

    private func write(_ text: String) throws(JailError) {
        try attempt(.secrets, shown) { () throws(SystemError) in
            var place = SharedDescriptor(try System.open(directory, [.pathOnly, .directory]))
            let parts = path.split(separator: "/").map(String.init)
            for part in parts.dropLast() {
                do throws(SystemError) { try System.makeDirectory(part, mode: 0o755, at: place.borrowed) } catch {
                    guard error.errno == .exists else { throw error }
                }
                place = SharedDescriptor(
                    try System.open(part, [.pathOnly, .directory, .noFollow], at: place.borrowed))
            }
            // To be found by whoever looks.
            let file = try System.open(
                parts[parts.count - 1], [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: place.borrowed)
            try System.writeAll(file.borrowed, text)
        }
    }
}
