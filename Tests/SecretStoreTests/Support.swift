import JailCore
import SecretStore
import TestSupport
import Testing

/// A store in a directory that vanishes.
struct Place {
    let directory: TemporaryDirectory
    var finder = StoreKeyFinder(credentials: nil, wantsKeyring: false)

    init() throws { directory = try TemporaryDirectory() }

    var path: String { "\(directory.path)/secrets" }

    /// One that may be changed.
    func store() throws(JailError) -> SecretStore {
        let store = try SecretStore(path, finder)
        try store.takeLock()
        return store
    }

    func reader() throws(JailError) -> SecretStore { try SecretStore(path, finder) }

    func bytes(_ name: String) throws -> [UInt8] { try System.readFile("\(path)/\(name)") }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try System.open("\(path)/\(name)", [.writeOnly, .create, .truncate], mode: 0o600)
        try System.writeAll(file.borrowed, bytes)
    }
}

let change = SecretStore.Change(who: "tester", time: 1_800_000_000)

func secret(_ text: String) throws -> SecretBytes { try SecretBytes(copying: Array(text.utf8)) }

func text(_ secret: borrowing SecretBytes) -> String {
    unsafe secret.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
}

func text(_ secret: KeptSecret?) -> String? { secret.map { text($0.bytes) } }
