import Foundation
import Testing

/// Sessions with secrets of their own, beside a gateway that has others, before one origin that asks for them.
@Suite(.needs("node", "curl", "openssl")) struct SessionSecretTests {
    private static let values = [
        "alpha": "ghp_Zq8vT3nW5yB1kD7mP9rS2uX4aaH4kL0sVe2q", "beta": "bR7tYw2Q-9pLk3Jh6Gf5Ds4Aa1Zx0Cv8Bn",
        "gamma": "sk-ant-Rt6yUi8oPz1xMn5bVc3XlKj2HgFdSaQw7E",
    ]

    /// An origin over TLS that says whose value it was shown, and writes all headers down.
    private struct NamingOrigin {
        let port: UInt16
        let directory: String
        let running: Running

        var trust: String { "\(directory)/cert.pem" }
        var log: String { get throws { try String(contentsOfFile: "\(directory)/log", encoding: .utf8) } }

        init() throws {
            port = try Listeners.freePort()
            directory = try Scratch.directory("origin")
            let made = try shell(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                    + "-addext subjectAltName=DNS:localhost -keyout \"$1/key.pem\" -out \"$1/cert.pem\" 2>&1 "
                    + "&& chmod 644 \"$1/cert.pem\" && touch \"$1/log\"", directory)
            guard made.status == 0 else { throw HarnessError(made.text) }
            let script = """
                const fs = require('fs'), [dir, port, values] = process.argv.slice(1);
                const known = JSON.parse(values);
                require('https').createServer({ key: fs.readFileSync(dir + '/key.pem'), cert: fs.readFileSync(dir + '/cert.pem') },
                  (request, response) => {
                    fs.appendFileSync(dir + '/log', JSON.stringify([request.url, request.rawHeaders]) + '\\n');
                    const shown = [request.headers.authorization?.replace('Bearer ', ''), request.headers['x-beta']];
                    const name = Object.keys(known).find(name => shown.includes(known[name]));
                    response.end((name ?? 'nobody') + '\\n');
                  }).listen(Number(port), '127.0.0.1', () => console.log('up'));
                """
            let json = String(
                decoding: try JSONSerialization.data(withJSONObject: SessionSecretTests.values), as: UTF8.self)
            running = try Running(
                ["node", "-e", script, directory, "\(port)", json], environment: Host.environment)
            let running = running
            guard eventually(10, { running.text.contains("up\n") }) else { throw HarnessError(running.errorText) }
        }
    }

    private static func network(_ origin: NamingOrigin) -> String {
        """
        network: { allow: [{ hosts: ['localhost'], ports: [\(origin.port)], methods: ['GET'] }],
          allowPrivate: ['127.0.0.1/32'], upstream: { trust: '\(origin.trust)' } }
        """
    }

    private static func binding(_ name: String, _ place: String, _ origin: NamingOrigin) -> String {
        """
        { name: '\(name)', env: '\(name.uppercased())_TOKEN', hosts: ['localhost'], ports: [\(origin.port)],
          inject: \(place) }
        """
    }

    /// A gateway with a profile for its sessions, and all three secrets in the store.
    private static func jail(_ caller: Caller, _ origin: NamingOrigin) throws -> Jail {
        let profile = """
            { extends: 'offline', process: { programs: ['/usr/bin/'], shell: true, secretProvider: true },
              filesystem: { data: { size: '100M' } }, \(network(origin)),
              secrets: [\(binding("gamma", "'bearer'", origin))],
              sessions: { profile: 'skills', workspaces: ['/data/boxes'], secrets: ['alpha', 'beta'] } }
            """
        var jail = try Jail(caller, profile.json)
        let skills = """
            { extends: 'session', process: { secretProvider: true }, \(network(origin)),
              secrets: [\(binding("alpha", "'bearer'", origin)), \(binding("beta", "{ header: 'X-Beta' }", origin))] }
            """
        try jail.keepSecretsApart(profiles: ["skills": skills.json])
        for (name, value) in values { try jail.secret("set", name, input: value) }
        return jail
    }

    @Test(arguments: Caller.all)
    func `each session has its own secrets, and nobody has use for another's placeholder`(caller: Caller) throws {
        let origin = try NamingOrigin()
        defer { origin.running.signal(SIGKILL) }
        let jail = try Self.jail(caller, origin)
        let finished = try jail.script(
            """
            mkdir -p /data/boxes/a /data/boxes/b /data/boxes/n
            make() { clawjail session create "$@" >/dev/null 2>>/data/errors; echo "$?"; }
            make --id a --secret alpha --workspace /data/boxes/a:/workspace
            make --id b --secret beta --workspace /data/boxes/b:/workspace
            make --id n --workspace /data/boxes/n:/workspace
            make --id x --secret gamma
            make --id x --secret alpha --secret stripe
            make --id a --secret beta --workspace /data/boxes/a:/workspace
            run() { id=$1; shift; clawjail session exec "$id" -- sh -c "$1"; }
            run a 'echo "$ALPHA_TOKEN" > /workspace/token; echo "a ${BETA_TOKEN-no} ${GAMMA_TOKEN-no}"'
            run b 'echo "b ${ALPHA_TOKEN-no} ${GAMMA_TOKEN-no}"'
            run n 'echo "n ${ALPHA_TOKEN-no} ${BETA_TOKEN-no}"'
            ask='curl -s -m 10 --noproxy "" https://localhost:\(origin.port)'
            run a "$ask/a -H \\"Authorization: Bearer \\$ALPHA_TOKEN\\""
            run b "$ask/b -H \\"X-Beta: \\$BETA_TOKEN\\""
            curl -s -m 10 --noproxy '' https://localhost:\(origin.port)/g -H "Authorization: Bearer $GAMMA_TOKEN"
            theirs=$(cat /data/boxes/a/token)
            run b "$ask/b-as-a -H 'Authorization: Bearer $theirs'"
            run n "$ask/n-as-a -H 'Authorization: Bearer $theirs'"
            curl -s -m 10 --noproxy '' https://localhost:\(origin.port)/g-as-a -H "Authorization: Bearer $theirs"
            ids='{"protocolVersion":1,"provider":"clawjail","ids":["gamma","alpha"]}'
            provider=/run/clawjail/bin/clawjail-secrets
            [ "$(stat -c %u $provider)" = "$(id -u)" ] && [ ! -w $provider ] && echo "its own"
            [ "$(echo "$ids" | $provider)" = '{"protocolVersion":1,"values":{"gamma":"'"$GAMMA_TOKEN"'"},"errors":{"alpha":{"message":"the jail'"'"'s profile binds no secret of this name"}}}' ]; echo "provider $?"
            run a "echo '$ids' | $provider" | grep -cF "\\"alpha\\":\\"$theirs\\""
            """, seconds: 120)
        #expect(
            finished.lines == [
                "0", "0", "0", "123", "123", "122", "a no no", "b no no", "n no no", "alpha", "beta", "gamma", "nobody",
                "nobody", "nobody", "its own", "provider 0", "1",
            ], "\(finished.text)\(finished.errors)")
        // Each value has gone out once, in the request of whom it is for; the placeholder as what it is: a text.
        for (name, path) in [("alpha", "/a"), ("beta", "/b"), ("gamma", "/g")] {
            let requests = try origin.log.split(separator: "\n").filter { $0.contains(Self.values[name] ?? "") }
            #expect(requests.count == 1 && requests.first?.hasPrefix("[\"\(path)\",") == true, "\(requests)")
        }
        #expect(try origin.log.split(separator: "\n").count == 6)
    }
}
