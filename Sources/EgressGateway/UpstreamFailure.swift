internal import EgressDNS
internal import EgressTLS
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// What went wrong outside, in words.
enum UpstreamFailure {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as HTTPParserError: "the origin's answer is not HTTP: \(error)"
        case let error as IOError: IOErrorText.text(error)
        case let error as NIOConnectionError: connection(error)
        case is ChannelError: channel(error)
        case let error as UpstreamTLSError: error.description
        case let error as NIOSSLError: "TLS with the origin failed: \(error)"
        default: "the connection to the origin failed: \(error)"
        }
    }

    private static func connection(_ error: NIOConnectionError) -> String {
        guard let last = error.connectionErrors.last else { return "the origin could not be reached" }
        return text(last.error)
    }

    private static func channel(_ error: any Error) -> String {
        if case ChannelError.connectTimeout = error { return "the origin does not answer" }
        return "the connection to the origin was closed"
    }

    static func isTimeout(_ error: any Error) -> Bool {
        if case ChannelError.connectTimeout = error { return true }
        if let error = error as? NIOConnectionError, let last = error.connectionErrors.last {
            return isTimeout(last.error)
        }
        return false
    }
}

private enum IOErrorText {
    static func text(_ error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "the origin refused the connection"
        case ECONNRESET: "the origin reset the connection"
        case ENETUNREACH, EHOSTUNREACH: "the origin cannot be reached from this host"
        case ETIMEDOUT: "the origin does not answer"
        default: "the connection to the origin failed: errno \(error.errnoCode)"
        }
    }
}
