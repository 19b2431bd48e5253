internal import Crypto
internal import FoundationEssentials
package import JailCore

/// Which key it is, and nothing by which it could be found: a part of a keyed hash.
package struct StoreKeyID: Hashable, Sendable, CustomStringConvertible {
    static let size = 8
    let bytes: [UInt8]

    /// 16 hexadecimal digits.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// The key that all secrets of a store are sealed with, see RFC 8439. The library wipes its copy.
package struct StoreKey: Sendable {
    package static let size = 32

    /// Where it was found.
    package enum Origin: Equatable, Sendable, CustomStringConvertible {
        /// A credential of the service manager's, see systemd.exec(5).
        case credential(String)
        case keyring
        case file(String)

        package var kind: String {
            switch self {
            case .credential: "credential"
            case .keyring: "keyring"
            case .file: "file"
            }
        }

        package var description: String {
            switch self {
            case .credential(let path): "the credential '\(path.printable)'"
            case .keyring: "'\(StoreKeyFinder.keyringName)' of the user's keyring"
            case .file(let path): "the file '\(path.printable)'"
            }
        }
    }

    let key: SymmetricKey
    package let id: StoreKeyID
    package let origin: Origin

    /// - Parameter bytes: ``size`` of them.
    package init(_ bytes: borrowing SecretBytes, from origin: Origin) throws(SystemError) {
        guard bytes.count == Self.size else { throw SystemError(.check, .invalid) }
        key = unsafe bytes.withBytes { unsafe SymmetricKey(data: $0) }
        let hash = HMAC<SHA256>.authenticationCode(for: Array("clawjail secrets: id of the key".utf8), using: key)
        id = StoreKeyID(bytes: Array(hash.prefix(StoreKeyID.size)))
        self.origin = origin
    }
}
