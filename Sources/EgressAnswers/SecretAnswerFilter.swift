package import SecretTraces

/// Covers the secrets that a request carried in its answer: against an accidental echo. An origin that wants to give one
/// away can write it in a way that nobody recognises.
package final class SecretAnswerFilter: AnswerFilter {
    private let traces: SecretTraces
    private let memory: DecoderMemory
    private let takesAll: Bool
    /// The body is compressed, and nobody looks into it.
    private var passesBody = false
    private var redactor: SecretRedactor
    private var decoder: BoundedDecoder?
    private var found: Set<String> = []
    private var told: Set<String> = []

    /// - Parameters:
    ///   - traces: all values that went with the request.
    ///   - takesAll: what went out has no value in it: parts of answers are welcome, and compressed ones go on as they are.
    package init(_ traces: SecretTraces, _ memory: DecoderMemory, takesAll: Bool = false) {
        self.traces = traces
        self.memory = memory
        self.takesAll = takesAll
        redactor = SecretRedactor(traces)
    }

    package func begin(_ head: AnswerHead) throws(AnswerRefusal) -> AnswerHead {
        // Nobody asked for a part, and half a secret is not recognised.
        guard takesAll || head.status != 206 && head.status != 226 else {
            throw AnswerRefusal("a part of an answer, which nobody asked for")
        }
        guard takesAll || !head.values("content-type").contains(where: Self.isByteRanges) else {
            throw AnswerRefusal("parts of an answer, which nobody asked for")
        }
        guard head.values("transfer-encoding").allSatisfy({ $0.trimmed.lowercased() == "chunked" }) else {
            throw AnswerRefusal("a transfer coding that is not undone here")
        }
        var head = head
        if takesAll {
            passesBody = head.values("content-encoding").contains { $0.trimmed.lowercased() != "identity" }
        } else if let coding = try Self.coding(head.values("content-encoding")) {
            if head.hasBody { decoder = try BoundedDecoder(coding, memory) }
            Self.decode(&head)
        }
        head.reason = cover(head.reason)
        head.fields = cover(head.fields)
        return head
    }

    package func take(_ bytes: [UInt8], _ pass: ([UInt8]) -> Void) throws(AnswerRefusal) {
        guard !passesBody else { return pass(bytes) }
        guard let decoder else { return cover(bytes, pass) }
        try decoder.decode(bytes) { part in cover(part, pass) }
    }

    package func end(
        _ trailers: [AnswerHead.Field], _ pass: ([UInt8]) -> Void
    ) throws(AnswerRefusal) -> [AnswerHead.Field] {
        try decoder?.finish()
        let rest = redactor.finish()
        if !rest.isEmpty { pass(rest) }
        var trailers = trailers
        if decoder != nil { trailers.removeAll { Self.ofCoded.contains($0.name.lowercased()) } }
        return cover(trailers)
    }

    package func takeFound() -> [String] {
        if redactor.hasFound { found.formUnion(redactor.found) }
        guard found.count > told.count else { return [] }
        defer { told = found }
        return found.subtracting(told).sorted()
    }

    // MARK: Codings

    /// nil: none.
    private static func coding(_ values: [String]) throws(AnswerRefusal) -> ContentCoding? {
        let names = values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map {
            String($0).trimmed.lowercased()
        }
        guard !names.isEmpty, names != ["identity"], names != [""] else { return nil }
        guard names.count == 1 else { throw AnswerRefusal("a body that is compressed more than once") }
        guard let coding = ContentCoding(name: names[0]) else {
            throw AnswerRefusal("a body that is compressed in a way that is not undone here")
        }
        return coding
    }

    /// Fields about bytes that nobody is going to see. A digest of the body as it is stays: where something is covered
    /// it is wrong, and whoever looks at it sees that.
    private static let ofCoded: Set<String> = [
        "content-length", "content-encoding", "content-md5", "content-digest", "repr-digest", "digest", "accept-ranges",
    ]

    private static func decode(_ head: inout AnswerHead) {
        head.remove(ofCoded)
        for index in head.fields.indices where head.fields[index].name.lowercased() == "etag" {
            // It names other bytes with the same meaning (RFC 9110, 8.8.1).
            let value = head.fields[index].value
            if !value.hasPrefix("W/") { head.fields[index].value = "W/" + value }
        }
    }

    private static func isByteRanges(_ type: String) -> Bool {
        type.prefix { $0 != ";" }.lowercased().trimmed == "multipart/byteranges"
    }

    // MARK: Covering

    private func cover(_ bytes: [UInt8], _ pass: ([UInt8]) -> Void) {
        let ready = redactor.feed(bytes)
        if !ready.isEmpty { pass(ready) }
    }

    private func cover(_ text: String) -> String { SecretRedactor.cover(text, traces, found: &found) ?? text }

    /// A star is allowed in names as well as in values.
    private func cover(_ fields: [AnswerHead.Field]) -> [AnswerHead.Field] {
        fields.map { (cover($0.name), cover($0.value)) }
    }
}

extension String {
    /// Without blanks at its ends.
    fileprivate var trimmed: String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }), let last = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}
