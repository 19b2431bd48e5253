internal import Crypto
internal import EgressControl
package import JailCore
internal import JailPolicy
package import SecretTraces

/// A canary that a person has planted on the host, such as in a workspace.
package struct RegisteredCanary: Equatable, Sendable {
    package var known: KnownCanary
    package var kind: Canary.Kind
    /// Where it was put.
    package var path: String
}

/// What canaries on the host are recognised by: files in clawjail's state directory, which no jail can reach. Jails that have
/// canaries look for these as well.
package enum CanaryRegister {
    /// More would make everything slow that is looked through for them.
    package static let most = 64

    private static let sizeLimit = 64 << 10
    private static func directory(_ state: String) -> String { "\(state)/canaries" }

    /// New ones, which nobody knows yet.
    package static func make(_ kinds: [Canary.Kind]) -> [Canary] {
        var random = SystemRandomNumberGenerator()
        // Any 32 bytes are a seed (RFC 8032, 5.1.5); a canary whose key fits nothing would still be one.
        let maker = CanaryMaker { seed in
            (try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)).map { Array($0.publicKey.rawRepresentation) }
                ?? seed
        }
        return kinds.map { maker.make($0, using: &random) }
    }

    package static func add(_ canary: Canary, at path: String, in state: String) throws(JailError) {
        guard try all(in: state).count < most else {
            throw JailError(
                .secrets, reason: "there are \(most) canaries on this host already",
                hint: "clawjail secret canary list, and remove those that are gone")
        }
        let text: JSON = [
            "version": 1, "kind": .string(canary.kind.rawValue), "path": .string(path),
            "known": .string([canary.known].text),
        ]
        let file = "\(directory(state))/\(canary.id).json"
        try attempt(.secrets, file) { () throws(SystemError) in
            try PrivateDirectory.make(directory(state))
            // Whole, or not at all: a file that says too little would keep jails from starting.
            let place = try System.open(directory(state), [.readOnly, .directory, .noFollow])
            let written = try System.open(
                "\(canary.id).new", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: place.borrowed)
            try System.writeAll(written.borrowed, text.text() + "\n")
            try System.synchronize(written.borrowed)
            try System.rename("\(canary.id).new", to: "\(canary.id).json", at: place.borrowed)
        }
    }

    /// - Throws: where one of them cannot be read: it would not be looked for.
    package static func all(in state: String) throws(JailError) -> [RegisteredCanary] {
        let path = directory(state)
        let names: [String]
        do throws(SystemError) {
            let place = try System.open(path, [.readOnly, .directory, .noFollow])
            names = try System.names(in: place.borrowed).map(\.name).filter { $0.hasSuffix(".json") }.sorted()
        } catch {
            if error.errno == .notFound { return [] }
            throw JailError(.secrets, error, path: path)
        }
        return try names.map { (name) throws(JailError) in
            let file = "\(path)/\(name)"
            let bytes = try attempt(.secrets, file) { () throws(SystemError) in
                try System.readFile(file, limit: sizeLimit, resolve: .noSymlinks)
            }
            guard let canary = read(bytes), "\(canary.known.id).json" == name else {
                throw JailError(
                    .secrets, path: file, reason: "it is no canary that clawjail has written", hint: "remove it")
            }
            return canary
        }
    }

    private static func read(_ bytes: [UInt8]) -> RegisteredCanary? {
        guard let value = try? JSON5Reader.read(bytes, file: ""), value["version"]?.integer == 1,
            let kind = value["kind"]?.text.flatMap(Canary.Kind.init(rawValue:)), let path = value["path"]?.text,
            let known = value["known"]?.text.flatMap({ [KnownCanary](text: Array($0.utf8)) }), known.count == 1
        else { return nil }
        return RegisteredCanary(known: known[0], kind: kind, path: path)
    }

    /// It is not looked for any more, by jails that start from now on.
    ///
    /// - Returns: where it was put; nil: there is none of this id.
    package static func remove(_ id: String, in state: String) throws(JailError) -> String? {
        guard let canary = try all(in: state).first(where: { $0.known.id == id }) else { return nil }
        let file = "\(directory(state))/\(canary.known.id).json"
        try attempt(.secrets, file) { () throws(SystemError) in try System.unlink(file) }
        return canary.path
    }
}
