import JailCore
import TestSupport
import Testing

/// Programs as they are in jails, each asked to fetch `https://name:port/` of a server on loopback, trusting one file.
enum Client: String, CaseIterable, CustomTestStringConvertible {
    case openssl, curl, node, nodeFetch, python, pythonStrict, java, git, wget

    var testDescription: String { rawValue }

    /// The program that must be there.
    var program: String {
        switch self {
        case .nodeFetch: "node"
        case .python, .pythonStrict: "python3"
        default: rawValue
        }
    }

    struct Target {
        var name: String
        var isAddress = false
        var port: Int
        var bundle: String
        var javaStore: String
        var directory: TemporaryDirectory
        var url: String { "https://\(name):\(port)/" }
    }

    /// - Returns: whether the client trusted the server.
    func fetch(_ target: Target) throws -> (trusted: Bool, output: String) {
        let path = try #require(Program.path(of: program))
        let (arguments, environment) = try command(target)
        var everything = ["PATH": "/usr/bin:/bin", "HOME": target.directory.path]
        everything.merge(environment) { $1 }
        let result = try Program.run(path, arguments, environment: everything)
        switch self {
        case .openssl: return (result.output.contains("Verify return code: 0 (ok)"), result.output)
        // To git the page is a repository without references.
        case .git: return (result.status == 0, result.output)
        default: return (result.status == 0 && result.output.contains(ShortPage.text), result.output)
        }
    }

    private func command(_ target: Target) throws -> (arguments: [String], environment: [String: String]) {
        let resolve = "\(target.name):\(target.port):127.0.0.1"
        let directory = target.directory
        switch self {
        case .openssl:
            let name =
                target.isAddress
                ? ["-verify_ip", target.name] : ["-servername", target.name, "-verify_hostname", target.name]
            return (
                [
                    "s_client", "-connect", "127.0.0.1:\(target.port)", "-CAfile", target.bundle, "-x509_strict",
                    "-purpose", "sslserver", "-verify_return_error",
                ] + name, [:]
            )
        case .curl: return (["-sS", "--resolve", resolve, target.url], ["CURL_CA_BUNDLE": target.bundle])
        case .node, .nodeFetch:
            let script = try directory.file("client.mjs", self == .node ? Script.node : Script.nodeFetch)
            return ([script, target.name, "\(target.port)"], ["NODE_EXTRA_CA_CERTS": target.bundle])
        case .python, .pythonStrict:
            let script = try directory.file("client.py", Script.python)
            let strict = self == .pythonStrict ? "strict" : "default"
            return ([script, target.name, "\(target.port)", strict], ["SSL_CERT_FILE": target.bundle])
        case .java:
            let script = try directory.file("Client.java", Script.java)
            let hosts = try directory.file("hosts", "127.0.0.1 \(target.name)\n")
            return (
                [
                    "-Djavax.net.ssl.trustStore=\(target.javaStore)", "-Djavax.net.ssl.trustStorePassword=changeit",
                    "-Djdk.net.hosts.file=\(hosts)", script, target.url,
                ], [:]
            )
        case .git:
            return (
                ["-c", "http.curloptResolve=\(resolve)", "ls-remote", target.url], ["GIT_SSL_CAINFO": target.bundle]
            )
        case .wget: return (["-q", "-O-", "--ca-certificate=\(target.bundle)", target.url], [:])
        }
    }

    private enum Script {
        static let node = """
            import https from 'node:https'
            import net from 'node:net'
            const [name, port] = process.argv.slice(2)
            const lookup = (host, options, done) =>
              options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
            https.get(`https://${name}:${port}/`, { lookup }, (answer) => answer.pipe(process.stdout))
              .on('error', (error) => { console.error(error.message); process.exitCode = 1 })
            """
        /// `fetch` takes no lookup function: the module's is exchanged.
        static let nodeFetch = """
            import dns from 'node:dns'
            const [name, port] = process.argv.slice(2)
            dns.lookup = (host, options, done) =>
              options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
            try { console.log(await (await fetch(`https://${name}:${port}/`)).text()) }
            catch (error) { console.error(error.cause?.message ?? error.message); process.exitCode = 1 }
            """
        static let python = """
            import socket, ssl, sys
            name, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
            context = ssl.create_default_context()
            if mode == 'strict':
                context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_TRUSTED_FIRST
            plain = socket.create_connection(('127.0.0.1', port))
            with context.wrap_socket(plain, server_hostname=name) as secure:
                secure.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
                while part := secure.recv(4096):
                    print(part.decode())
            """
        static let java = """
            import java.net.*;
            public class Client {
                public static void main(String[] arguments) throws Exception {
                    try (var page = URI.create(arguments[0]).toURL().openStream()) { page.transferTo(System.out); }
                }
            }
            """
    }
}
