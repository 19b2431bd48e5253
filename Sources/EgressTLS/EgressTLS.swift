package import JailPolicy
package import NIOCore
package import NIOSSL
package struct ClientHello: Sendable { package var serverName: HostName?; package var alpn: [String]; package var offersECH: Bool }
package enum ClientHelloParser { package static let firstByte: UInt8 = 0x16
 package enum Outcome { case needMore, hello(ClientHello), refused(String) }
 package static func parse(_ b: ByteBuffer) -> Outcome { .needMore } }
package struct UpstreamTLSError: Error, CustomStringConvertible { package var description: String }
package final class CertificateAuthority { package static func create(jail: String) throws -> CertificateAuthority { CertificateAuthority() }
 init() {}
 package init(state: [UInt8]) throws {}
 package var certificatePEM: String { get throws { "" } }
 package var stateBytes: [UInt8] { get throws { [] } } }
package final class ServerContexts { package init(authority: CertificateAuthority) {}
 package func context(for: Host, protocols: [String]) throws -> NIOSSLContext { try NIOSSLContext(configuration: .makeClientConfiguration()) } }
package final class UpstreamTLS { package init(trust: [UInt8]) throws {}
 package func handlers(for: Host, protocols: [String]) throws -> [any ChannelHandler] { [] } }
package enum JavaTrustStore { package static func bytes(trust: [UInt8], authority: CertificateAuthority) throws -> [UInt8] { [] } }
