/// Host names that a jail may reach: `example.org`, `*.example.org` (every name below it), or `*`.
package enum HostPattern {
    package static func check(_ text: String) throws(ValueError) {
        if text == "*" { return }
        let name = text.utf8.starts(with: "*.".utf8) ? Substring(text.utf8.dropFirst(2)) : text[...]
        guard name.utf8.count <= 253, Name.areLabels(name) else {
            throw ValueError(
                expected: "a host name in lower case such as \"example.org\", \"*.example.org\" or \"*\"", found: text)
        }
        // The WHATWG's rule: a name whose last label is a number is an address, and no client looks it up.
        let last = name.utf8.split(separator: UInt8(ascii: ".")).last
        guard let last, !last.allSatisfy(\.isDigit), !last.starts(with: "0x".utf8) else {
            throw ValueError(expected: "a host name, and no address", found: text)
        }
    }
}

/// Methods of HTTP that a rule may allow. CONNECT and TRACE are no requests to a server's resources.
package enum HTTPMethod {
    package static let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    package static func check(_ text: String) throws(ValueError) {
        guard known.contains(text) else {
            throw ValueError(expected: "one of \(known.joined(separator: ", "))", found: text)
        }
    }
}

extension NetworkRule {
    package static let defaultMethods = ["GET", "HEAD"]
    package static let defaultPorts: [UInt16] = [443, 80]

    /// For people: `GET, HEAD of * on ports 443, 80`.
    package var shown: String {
        let ports = ports.map { String($0) }.joined(separator: ", ")
        return "\(methods.joined(separator: ", ")) of \(hosts.joined(separator: ", ")) on ports \(ports)"
    }
}
