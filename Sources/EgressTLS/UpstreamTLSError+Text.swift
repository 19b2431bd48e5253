internal import FoundationEssentials
internal import JailPolicy

extension UpstreamTLSError {
    private static let namesShown = 5

    package var description: String {
        let host = self.host.certificateText
        return switch reason {
        case .expired(let date): "the certificate of \(host) expired on \(Self.day(date))"
        case .notYetValid(let date): "the certificate of \(host) is not valid before \(Self.day(date))"
        case .wrongName(let names): "the certificate is not for \(host), but for \(Self.list(names))"
        case .selfSigned: "the certificate of \(host) is self-signed"
        case .unknownIssuer(let issuer):
            "the certificate of \(host) was issued by '\(issuer)', which the trust store does not know, "
                + "unless the origin left out a certificate in between"
        case .untrusted(let what): "the certificate of \(host) is not trusted: \(what)"
        case .handshake(let what): "no TLS with \(host): \(what)"
        }
    }

    private static func day(_ date: Date) -> String {
        date.formatted(.iso8601.year().month().day())
    }

    private static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "no name at all" }
        let shown = names.prefix(namesShown).joined(separator: ", ")
        return names.count > namesShown ? "\(shown) and \(names.count - namesShown) more" : shown
    }
}

extension Host {
    var certificateText: String {
        switch self {
        case .name(let name): name.text
        case .address(let address): PeerName.address(address.certificateOctets)
        }
    }
}
