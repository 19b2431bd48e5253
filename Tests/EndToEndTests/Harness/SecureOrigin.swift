import Foundation
import Glibc

/// `https://origin.example` on a port of the host's 127.0.0.1: it wants a credential that it knows, and says what it was sent.
/// A name server knows it by a hosts file of the test's.
final class SecureOrigin: @unchecked Sendable {
    let directory: String
    let port: UInt16
    private let process = Process()
    private let input = Pipe()

    static let shared = Result { try SecureOrigin() }

    /// In the place of /etc/hosts.
    var hosts: String { directory + "/hosts" }
    var trust: String { directory + "/ca.pem" }

    private init() throws {
        directory = try Scratch.directory("origin")
        try Scratch.write("127.0.0.1 localhost origin.example other.example\n", to: directory + "/hosts")
        try Scratch.write(Self.program, to: directory + "/origin.py")
        let made = try shell(Self.certificates, directory)
        guard made.status == 0 else { throw HarnessError("openssl: \(made.errors)") }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", directory + "/origin.py", directory]
        process.standardInput = input
        try process.run()
        let file = directory + "/port"
        guard eventually(10, { FileManager.default.fileExists(atPath: file) }),
            let port = UInt16(try String(contentsOfFile: file, encoding: .utf8))
        else { throw HarnessError("the origin does not listen") }
        self.port = port
    }

    private static let certificates = """
        set -e; cd "$1"; new="openssl ecparam -name prime256v1 -genkey -noout"
        $new -out ca.key; $new -out leaf.key
        openssl req -x509 -new -key ca.key -out ca.pem -days 2 -subj '/CN=test CA' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -new -key leaf.key -subj /CN=origin.example -out leaf.csr
        { echo subjectAltName=DNS:origin.example,DNS:other.example; echo extendedKeyUsage=serverAuth
        echo basicConstraints=critical,CA:FALSE; echo keyUsage=critical,digitalSignature; } >leaf.ext
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.pem
        chmod 644 ca.pem
        """

    /// `/NAME/…` wants one of the words of the file NAME; it ends with its standard input. To POST it is a token endpoint: the
    /// file has an access token, the refresh token that it is given for, and the next refresh token.
    private static let program = """
        import http.server, json, os, ssl, sys, threading, urllib.parse
        place = sys.argv[1]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                said = self.headers.get("Authorization", "")
                try: wanted = open(place + "/" + self.path.split("/")[1]).read().split()
                except OSError: wanted = []
                body = f"said {said}".encode()
                self.send_response(200 if said.removeprefix("Bearer ") in wanted else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                token, refresh, following = open(place + "/" + self.path.split("/")[1]).read().split()
                isGood = form["refresh_token"] == [refresh] and form["grant_type"] == ["refresh_token"]
                answer = {"access_token": token, "token_type": "Bearer", "refresh_token": following}
                body = json.dumps(answer if isGood else {"error": "invalid_grant"}).encode()
                self.send_response(200 if isGood else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place + "/leaf.pem", place + "/leaf.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(place + "/port.new", "w") as file: file.write(str(server.server_port))
        os.rename(place + "/port.new", place + "/port")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        """

    /// What `/NAME/` wants.
    func expect(_ values: [String], of name: String) throws {
        try Scratch.write(values.joined(separator: "\n"), to: "\(directory)/\(name)", mode: 0o600)
    }
}
