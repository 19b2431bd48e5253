import Foundation
import Glibc

/// An HTTP server on a port of the host's 127.0.0.1, which answers everything with its name.
final class Origin {
    let port: UInt16
    private let listener: Int32

    init(_ name: String) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        port = try Listeners.bindLoopback(listener)
        let answer = Array(
            "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\nConnection: close\r\n\r\n\(name)".utf8)
        // On a duplicate: closing a descriptor does not wake who waits at it, shutting the socket down does.
        let taking = fcntl(listener, F_DUPFD_CLOEXEC, 0)
        Thread.detachNewThread {
            while true {
                let client = accept(taking, nil, nil)
                guard client >= 0 else { break }
                var request = [UInt8](repeating: 0, count: 4096)
                _ = unsafe read(client, &request, request.count)
                _ = unsafe write(client, answer, answer.count)
                close(client)
            }
            close(taking)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
