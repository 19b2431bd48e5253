internal import JailPolicy

extension ClientHello {
    private enum ExtensionType {
        static let serverName: UInt16 = 0
        static let alpn: UInt16 = 16
        static let supportedVersions: UInt16 = 43
        static let encryptedClientHello: UInt16 = 0xFE0D
        /// The drafts before it.
        static let encryptedServerName: UInt16 = 0xFFCE
    }

    private static let extensionLimit = 128

    /// From the message without its four bytes of header.
    init(body: ArraySlice<UInt8>, byteCount: Int) throws(ClientHelloRefusal) {
        var reader = VectorReader(body)
        let version = try reader.number16("legacy_version")
        guard version >> 8 == 0x03 else { throw .malformed("version \(version)") }
        _ = try reader.bytes(32, "random")
        guard try reader.vector8("legacy_session_id").count <= 32 else { throw .malformed("legacy_session_id") }
        let suites = try reader.vector16("cipher_suites").count
        guard suites >= 2, suites % 2 == 0 else { throw .malformed("cipher_suites") }
        guard try !reader.vector8("legacy_compression_methods").isEmpty else {
            throw .malformed("legacy_compression_methods")
        }
        self.init(alpn: [], offersECH: false, supportedVersions: [version], byteCount: byteCount)
        // Without extensions the message ends here (RFC 5246, 7.4.1.2).
        guard !reader.isAtEnd else { return }
        var extensions = VectorReader(try reader.vector16("extensions"))
        try reader.end("extensions")
        try readExtensions(&extensions)
    }

    private mutating func readExtensions(_ reader: inout VectorReader) throws(ClientHelloRefusal) {
        var seen: Set<UInt16> = []
        while !reader.isAtEnd {
            let type = try reader.number16("extension type")
            let content = try reader.vector16("extension \(type)")
            guard seen.insert(type).inserted else { throw .duplicateExtension(type) }
            guard seen.count <= Self.extensionLimit else { throw .malformed("too many extensions") }
            switch type {
            case ExtensionType.serverName: serverName = try Self.serverName(content)
            case ExtensionType.alpn: alpn = try Self.protocols(content)
            case ExtensionType.supportedVersions: supportedVersions = try Self.versions(content)
            case ExtensionType.encryptedClientHello, ExtensionType.encryptedServerName: offersECH = true
            default: break
            }
        }
    }

    /// RFC 6066, 3. An empty list, which only a server may send, is no name that could be judged.
    private static func serverName(_ content: ArraySlice<UInt8>) throws(ClientHelloRefusal) -> HostName {
        var outer = VectorReader(content)
        var list = VectorReader(try outer.vector16("server_name"))
        try outer.end("server_name")
        guard try list.number8("name_type") == 0 else { throw .malformed("name_type") }
        let bytes = try list.vector16("host_name")
        guard list.isAtEnd else { throw .severalServerNames }
        guard let name = HostName(wire: bytes) else { throw .notAHostName }
        return name
    }

    /// RFC 7301, 3.1.
    private static func protocols(_ content: ArraySlice<UInt8>) throws(ClientHelloRefusal) -> [String] {
        var outer = VectorReader(content)
        var list = VectorReader(try outer.vector16("ALPN"))
        try outer.end("ALPN")
        var names: [String] = []
        var count = 0
        repeat {
            let name = try list.vector8("ALPN protocol")
            count += 1
            guard !name.isEmpty, count <= extensionLimit else { throw .malformed("ALPN protocol") }
            if name.allSatisfy({ (0x21...0x7E).contains($0) }) { names.append(String(decoding: name, as: UTF8.self)) }
        } while !list.isAtEnd
        return names
    }

    private static func versions(_ content: ArraySlice<UInt8>) throws(ClientHelloRefusal) -> [UInt16] {
        var outer = VectorReader(content)
        var list = VectorReader(try outer.vector8("supported_versions"))
        try outer.end("supported_versions")
        var versions: [UInt16] = []
        repeat { versions.append(try list.number16("supported_versions")) } while !list.isAtEnd
        return versions
    }
}
