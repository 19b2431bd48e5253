package import JailPolicy

/// What a TLS client says first (RFC 8446, 4.1.2), as far as a decision needs it.
package struct ClientHello: Equatable, Sendable {
    /// The one name of the server_name extension (RFC 6066, 3); nil: the client sent none.
    package var serverName: HostName?
    /// The protocols of the ALPN extension (RFC 7301), in the client's order. Those that are not printable ASCII (reserved
    /// values that clients send to keep servers honest, RFC 8701) are left out.
    package var alpn: [String]
    /// An encrypted_client_hello extension is there (RFC 9849), be it real or GREASE: nobody but the origin can tell.
    /// When it is real, `serverName` is not the name that the client means.
    package var offersECH: Bool
    /// Of the supported_versions extension (RFC 8446, 4.2.1), or else the one of the message itself.
    package var supportedVersions: [UInt16]
    /// From the first byte of the connection to the end of the record that completes the message. What follows is the
    /// client's early data, if anything.
    package var byteCount: Int
}

/// What is wrong with the first bytes of a connection that should be TLS.
package enum ClientHelloRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case notTLS
    case tooLong
    case tooManyRecords
    /// The message, a record or an extension contradicts its own lengths; what does.
    case malformed(String)
    /// RFC 8446, 4.2.
    case duplicateExtension(UInt16)
    case severalServerNames
    case notAHostName

    package var description: String {
        switch self {
        case .notTLS: "the connection does not start with a TLS ClientHello"
        case .tooLong: "the ClientHello is longer than \(ClientHelloParser.messageLimit) bytes"
        case .tooManyRecords: "the ClientHello comes in more than \(ClientHelloParser.recordLimit) records"
        case .malformed(let what): "the ClientHello is malformed: \(what)"
        case .duplicateExtension(let type): "the ClientHello has extension \(type) twice"
        case .severalServerNames: "the ClientHello names more than one server"
        case .notAHostName: "the server name of the ClientHello is not a host name"
        }
    }
}
