import EgressGateway
import JailPolicy
import NIOCore
import NIOHTTP1

/// Reads one request as the gateway's parser does, and checks it.
struct Checker {
    var entry = RequestEntry.connection(Destination(host: .name("example.org"), port: 443), .https)
    var isHTTP2 = false
    var mostTarget = 4096
    var mostHeaders = 8192

    func check(
        _ target: String = "/", method: NIOHTTP1.HTTPMethod = .GET, version: HTTPVersion = .http1_1,
        _ headers: [(String, String)] = [("Host", "example.org")]
    ) -> Result<CheckedRequest, RequestRefusal> {
        let check = RequestCheck(entry, isHTTP2: isHTTP2, mostTarget: mostTarget, mostHeaders: mostHeaders)
        let head = HTTPRequestHead(version: version, method: method, uri: target, headers: HTTPHeaders(headers))
        return Result { () throws(RequestRefusal) in try check.check(head) }
    }
}

extension HostName: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) {
        guard let name = HostName(wire: value.utf8) else { fatalError("\(value) is no host name") }
        self = name
    }
}

extension Result {
    var isSuccess: Bool { if case .success = self { true } else { false } }
    var value: Success? { if case .success(let value) = self { value } else { nil } }
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
