/// A request for metrics, as it comes over a connection: GET or HEAD of `/metrics`, and nothing else.
package enum MetricsRequest {
    /// Of a request's head, in bytes.
    package static let sizeLimit = 4096

    /// The whole answer to what has come so far; nil: there is more to come.
    ///
    /// - Parameters:
    ///   - overNetwork: it came over the network's loopback, where a browser can be made to ask for somebody else: the host that it
    ///     names must be this one.
    ///   - text: makes the metrics.
    package static func answer(_ bytes: [UInt8], overNetwork: Bool, _ text: () -> String) -> [UInt8]? {
        guard let head = head(bytes) else {
            return bytes.count >= sizeLimit
                ? reply("431 Request Header Fields Too Large", "the request is too long\n") : nil
        }
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            return reply("400 Bad Request", "that is no HTTP\n")
        }
        let hosts = lines.dropFirst().compactMap { host($0) }
        if overNetwork, hosts.count > 1 || !hosts.allSatisfy(isThisOne) || (hosts.isEmpty && words[2] == "HTTP/1.1") {
            return reply("403 Forbidden", "ask 127.0.0.1\n")
        }
        guard words[0] == "GET" || words[0] == "HEAD" else {
            return reply("405 Method Not Allowed", "only GET and HEAD\n", more: "Allow: GET, HEAD\r\n")
        }
        let path = words[1].prefix { $0 != "?" }
        guard path == "/metrics" else {
            return reply("404 Not Found", "there is only /metrics\n", isHead: words[0] == "HEAD")
        }
        return reply("200 OK", text(), type: Metrics.contentType, isHead: words[0] == "HEAD")
    }

    /// nil until the empty line has come.
    private static func head(_ bytes: [UInt8]) -> String? {
        let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard bytes.count >= end.count else { return nil }
        for index in 0...(min(bytes.count, sizeLimit) - end.count) where bytes[index..<index + 4].elementsEqual(end) {
            return String(decoding: bytes[..<index], as: UTF8.self)
        }
        return nil
    }

    /// The value of a line `Host: …`.
    private static func host(_ line: Substring) -> Substring? {
        guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "host" else { return nil }
        return line[line.index(after: colon)...].trimmed
    }

    private static func isThisOne(_ host: Substring) -> Bool {
        let name = host.prefix { $0 != ":" }
        return name == "localhost"
            || name.hasPrefix("127.") && name.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    }

    private static func reply(
        _ status: String, _ body: String, type: String = "text/plain; charset=utf-8", more: String = "",
        isHead: Bool = false
    ) -> [UInt8] {
        let head =
            "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
            + "X-Content-Type-Options: nosniff\r\n\(more)Connection: close\r\n\r\n"
        return Array(head.utf8) + (isHead ? [] : Array(body.utf8))
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
