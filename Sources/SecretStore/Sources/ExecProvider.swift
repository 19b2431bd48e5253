package import JailCore
internal import JailPolicy

/// A program of the host's that gives secrets out, as OpenClaw's `exec` providers have it: what is written for the one works
/// for the other.
package struct ExecProvider: Equatable, Sendable {
    /// What it is called in requests and messages.
    package var name: String
    /// An absolute path. The program is the caller's or root's, no symlink, and nobody else may write it.
    package var command: String
    package var arguments: [String] = []
    /// Variables of clawjail's environment that it gets; of the others it gets none.
    package var passEnvironment: [String] = []
    package var environment: [String: String] = [:]
    /// Milliseconds until it must have ended.
    package var timeout: UInt64 = 5000
    /// Milliseconds for which it may say nothing; nil: as long as it may run.
    package var noOutputTimeout: UInt64?
    /// Bytes of its answer.
    package var mostOutput = 1 << 20
    /// Its answer is JSON, always. Otherwise it may be the value itself, where one is asked for.
    package var isJSONOnly = true

    package init(name: String, command: String) {
        self.name = name
        self.command = command
    }

    static let protocolVersion: Int64 = 1
    private static let mostTimeout: UInt64 = 120_000
    static let mostIDs = 1000

    /// Whether it can be asked at all.
    package func check(_ ids: [String]) throws(JailError) {
        guard (1...Self.mostTimeout).contains(timeout), (1...Self.mostTimeout).contains(noOutputTimeout ?? timeout)
        else { throw refusal("its time must be from 1 to \(Self.mostTimeout) ms") }
        guard (1...JSONLimits.mostBytes).contains(mostOutput) else {
            throw refusal("its answer may have from 1 to \(JSONLimits.mostBytes) bytes")
        }
        guard ids.count <= Self.mostIDs else { throw refusal("more than \(Self.mostIDs) secrets are asked for") }
        for id in ids where !Self.isID(id) {
            throw refusal("'\(String(id.prefix(80)).printable)' is no id of a secret")
        }
        let words = [command] + arguments + environment.flatMap { [$0.key, $0.value] } + passEnvironment
        guard words.allSatisfy({ !$0.utf8.contains(0) }), !environment.keys.contains(where: { $0.contains("=") })
        else { throw refusal("a word of its command or environment holds a NUL byte, or a name an '='") }
    }

    func refusal(_ reason: String, hint: String? = nil) -> JailError {
        JailError(.secrets, reason: "provider '\(name.printable)': \(reason)", hint: hint)
    }

    /// As OpenClaw has them: `op/vault/item`, without `.` and `..` between slashes.
    private static func isID(_ id: String) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) }
        guard let first = id.utf8.first, isPlain(first), id.utf8.count <= 256 else { return false }
        return id.utf8.allSatisfy { isPlain($0) || "._:/-".utf8.contains($0) }
            && id.utf8.split(separator: 0x2F).allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    // MARK: The protocol

    func request(_ ids: [String]) -> [UInt8] {
        let request: JSON = [
            "protocolVersion": .integer(Self.protocolVersion), "provider": .string(name), "ids": .strings(ids),
        ]
        return request.bytes()
    }

    /// What it has answered, of every id.
    func values(of ids: [String], in answer: borrowing SecretBytes) throws(JailError) -> [String: ResolvedSecret] {
        guard let value = JSONLimits.read(answer), let version = value["protocolVersion"] else {
            if !isJSONOnly, ids.count == 1 { return [ids[0]: try plain(answer)] }
            throw refusal("its answer is not of the protocol: it must be a JSON object with 'protocolVersion'")
        }
        guard version.integer == Self.protocolVersion else {
            throw refusal("it speaks another version of the protocol than \(Self.protocolVersion)")
        }
        var values: [String: ResolvedSecret] = [:]
        for id in ids where values[id] == nil {
            guard let text = value["values"]?[id]?.text else { throw refusal(failure(value, id)) }
            values[id] = try resolved(text, id)
        }
        return values
    }

    private func plain(_ answer: borrowing SecretBytes) throws(JailError) -> ResolvedSecret {
        let copy = try attempt(.secrets) { () throws(SystemError) in try answer.part(0..<answer.count) }
        do throws(JailError) { return ResolvedSecret(try SecretValue.taken(copy, multiline: false)) } catch {
            throw refusal(error.reason)
        }
    }

    private func resolved(_ text: String, _ id: String) throws(JailError) -> ResolvedSecret {
        let bytes = Array(text.utf8)
        guard LengthClass(count: bytes.count) != nil else { throw refusal("the value of '\(id)' is empty or too long") }
        guard !bytes.contains(0) else { throw refusal("the value of '\(id)' holds a NUL byte") }
        return ResolvedSecret(
            try attempt(.secrets) { () throws(SystemError) in try SecretBytes(copying: bytes) })
    }

    /// What it has said of an id that it has no value for. It is a text for people, and may be anything.
    private func failure(_ answer: JSON5Value, _ id: String) -> String {
        guard let error = answer["errors"]?[id] else { return "it has not answered for '\(id)'" }
        let said = error["message"]?.text.map { ": " + String($0.prefix(200)).printable } ?? ""
        return "it has no value for '\(id)'" + said
    }
}
