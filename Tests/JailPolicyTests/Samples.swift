/// Profile texts that several tests use.
enum Samples {
    /// Every key once.
    static let full = """
        {
          description: "all of it",
          process: {
            programs: ["node", "x?"],
            environment: { B: "1", A: "" },
            passEnvironment: ["LANG"],
            user: "ann",
            inside: { user: "bob", uid: 1, gid: 65533, home: "/home/bob" },
            workingDirectory: "/",
            hostName: "box",
            shell: true,
            systemCalls: ["bpf"],
            apparmor: "clawjail-p.1",
            selfTest: true,
            secretProvider: true,
            stopGrace: "500ms",
          },
          filesystem: {
            root: { directory: "~/tree" },
            read: ["/opt/x", "~/y:/y", { source: "/run/a:b", target: "/b", specialFiles: true }],
            write: ["/w"],
            tmp: "1M", sharedMemory: "2M", home: "3M",
            data: { size: "1G", target: "/state", source: "/srv/state", mustEnforceSize: true },
            workspace: { source: "~/w", mode: "review", size: "2G" },
            executeWritable: true,
          },
          network: {
            publish: ["8080:80", { port: "81", token: "gateway" }],
            listen: [80, 0x1BB],
            allow: [
              { hosts: ["*", "b.example"] },
              {
                hosts: ["a.example"], schemes: ["https"], methods: ["GET", "POST"], ports: [8443],
                paths: ["/a/*", "/b/**"], requestSize: "1M", websocket: true,
              },
              { preset: "github-read" },
              { hosts: ["pinned.example"], inspect: false },
              { hosts: ["smtp.example", "192.0.2.7"], ports: [587], protocol: "tcp" },
            ],
            deny: [{ hosts: ["*.evil.example"] }, { hosts: ["*"], ports: [80], methods: ["POST"], paths: ["/x"] }],
            allowPrivate: ["192.0.2.0/24", "fd12::/64"],
            budgets: {
              requestsPerMinute: 1, connectionsPerMinute: 2, connections: 3, uploadPerHour: "4M", headerSize: "5K",
              urlSize: "6K", idle: "7s", total: "8m", response: "9s",
            },
            upstream: { resolvers: ["192.0.2.1", "[2001:db8::1]:5353"], trust: "/etc/ssl/own.pem" },
            onGatewayExit: "block",
          },
          secrets: [
            {
              name: "api", env: "API_KEY", hosts: ["a.example"], ports: [8443], methods: ["POST"], paths: ["/b/**"],
              inject: { header: "X-Api-Key" }, source: "store",
            },
            { name: "hub.b", hosts: ["a.example"], ports: [8443], inject: "bearer", source: { file: "~/hub" } },
            { name: "web", hosts: ["b.example"], inject: { basic: "bob" }, source: { credential: "web.key" } },
            { name: "map", hosts: ["b.example"], inject: { query: "key" }, source: { env: "MAPS_KEY" } },
            {
              name: "bot", env: "BOT", hosts: ["b.example"], inject: { path: "/bot{}/" },
              source: {
                exec: {
                  command: "/usr/bin/vault", args: ["read", ""], passEnv: ["VAULT_ADDR"], env: { LANG: "C" },
                  timeoutMs: 2000, noOutputTimeoutMs: 1000, maxOutputBytes: 4096, jsonOnly: false, provider: "vault",
                  id: "kv/bot",
                },
              },
            },
            { name: "chat", hosts: ["b.example"], inject: { header: "X-Auth", prefix: "Bot " } },
            { name: "aws", env: "AWS", hosts: ["c.example"], inject: { sigv4: { service: "s3", region: "eu-1" } } },
            {
              name: "drive", hosts: ["b.example"], inject: { header: "X-Token" },
              exchange: {
                oauth: {
                  host: "login.example", port: 8443, path: "/oauth/token", clientId: "jail 1", scope: "read write",
                  clientSecret: "app",
                },
              },
            },
          ],
          canaries: [{ kind: "aws" }, { kind: "env", path: "/srv/.env" }, { kind: "github", env: "HUB" }],
          commands: [
            {
              name: "logs", program: "/usr/bin/journalctl", sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
              arguments: ["show", { oneOf: ["-r", "all"], least: 0 }, { below: "/srv/x", least: 2, most: 3 }],
              flags: [
                "--quiet", { names: ["-n", "--lines"], value: { from: 1, upTo: 500 }, form: "either", required: true },
                { names: ["-u"], value: { pattern: "[a-z]+" }, repeated: true },
              ],
              deny: ["-f", "--file"], order: "fixed", combined: true, workingDirectory: "/srv",
              environment: { PAGER: "" }, timeout: "5s", outputSize: "1M", where: { host: "logs" }, ask: true,
            },
            { program: "/usr/bin/git", arguments: ["status"], where: { profile: "session" } },
            { program: "/usr/bin/npm", arguments: ["test"] },
          ],
          sessions: { profile: "session", workspaces: ["/data/a", "/data/b:ro"], most: 3, secrets: ["github"] },
          health: {
            http: { port: 18789, path: "/healthz" }, startPeriod: "1m", interval: "2s", timeout: "500ms", retries: 5,
          },
          restart: { on: "unhealthy", delay: "2s", longest: "5m", most: 3, within: "1h" },
          alerts: {
            defaults: true,
            rules: [
              { name: "busy", watch: "connections", above: 30, within: "1m", severity: "critical", actions: ["pause"] },
              { name: "big", watch: "memory", above: "350M", actions: ["journal", "desktop"], every: "1h" },
              { name: "dear", watch: "spend", above: "5 USD", within: "1d", actions: ["webhook", "command", "stop"] },
              { name: "onion", watch: "hosts", matching: ["*.onion"], severity: "info" },
              { name: "admin", watch: "paths", matching: ["/admin/**"] },
              { name: "keys", watch: "files", matching: ["*/.ssh/*"] },
              { name: "new", watch: "newHost", learn: "7d" },
              { name: "bird", watch: "canary", actions: ["lockdown"] },
            ],
            webhook: "https://hooks.example.org/in/4f2a?b=c",
            command: ["/usr/bin/page", "--urgent"],
          },
          spend: {
            perDay: "5 USD", tokensPerDay: 2000000, requestsPerDay: 500, onLimit: "pause", unknownModels: "dearest",
            providers: [{ hosts: ["llm.example"], path: "/api/v1" }],
            prices: [
              {
                model: "m", input: "3 USD", output: "15 USD", cacheRead: "0.3 USD", cacheWrite: "3.75 USD",
                cacheWriteLong: "6 USD", context: 200000, maxOutput: 64000,
                long: {
                  above: 100000, input: "6 USD", output: "22.5 USD", cacheRead: "0.6 USD", cacheWrite: "7.5 USD",
                  cacheWriteLong: "12 USD",
                },
              },
            ],
            fields: ["logit_scale"],
          },
          approvals: { ask: ["network", "commands", "sessions"], timeout: "90s", fourEyes: ["network"],
            notify: {
              command: ["/usr/bin/page", "--quiet"], webhook: "https://hooks.example.org/in/4f2a", webhookSecret: "hook",
              desktop: true,
            },
          },
          limits: { memory: "512M", swap: "4K", processes: 10, cpus: 1.5, openFiles: 64, fileSize: "1T" },
          audit: {
            keep: "90d", checkpoint: "30s", sync: "record", onFull: "pause", fileSize: "4M", redact: ["acme_*", "Tango"],
            journal: false, anchors: [["/usr/bin/keep", "--head"]],
          },
          optional: ["landlock", "groups", "cgroup", "time", "apparmor"],
        }
        """

    /// A text, and what its refusal says after the file's name.
    static let refusals: [(String, String)] = [
        ("[]", "1:1: the profile must be an object, not a list"),
        ("{ proces: {} }", "1:3: unknown key 'proces' in the profile; did you mean 'process'?"),
        ("{\n process: { procss: 1 } }", "2:13: unknown key 'procss' in 'process'; did you mean 'process'?"),
        ("{ alerts: true }", "1:11: 'alerts' must be an object, or \"none\", not true"),
        ("{ alerts: { rules: [{ watch: 'memory', above: '1M' }] } }", "1:21: 'alerts.rules[0]' needs a 'name'"),
        ("{ alerts: { rules: [{ name: 'a' }] } }", "1:21: 'alerts.rules[0]' needs a 'watch'"),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials' }] } }",
            "1:21: 'alerts.rules[0]' needs 'above': it watches denials"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'hosts' }] } }",
            "1:21: 'alerts.rules[0]' needs 'matching': it watches hosts"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'memory', above: '1M', within: '1m' }] } }",
            "1:21: 'alerts.rules[0]' must not have 'within': it watches memory"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 1, learn: '1d' }] } }",
            "1:21: 'alerts.rules[0]' must not have 'learn': it watches denials"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'newHost', matching: ['x'] }] } }",
            "1:21: 'alerts.rules[0]' must not have 'matching': it watches newHost"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'memory', above: 1 }] } }",
            "1:58: 'alerts.rules[0].above' must be a size such as \"512M\", not a number"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'spend', above: '5' }] } }",
            "1:57: 'alerts.rules[0].above' must be an amount such as \"5 USD\" or \"0.25 USD\", up to 1000000 USD, with at most six decimals, not \"5\""
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 1, every: '9s' }] } }",
            "1:69: 'alerts.rules[0].every' must be from \"10s\" to \"7d\", not \"9s\""
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 1, within: '999ms' }] } }",
            "1:70: 'alerts.rules[0].within' must be from \"1s\" to \"7d\", not \"999ms\""
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'hosts', matching: ['a_b'] }] } }",
            "1:61: 'alerts.rules[0].matching[0]' must be a host name such as \"example.org\", \"*.example.org\" or \"*\", or an address, not \"a_b\""
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'files', matching: ['**'] }] } }",
            "1:61: 'alerts.rules[0].matching[0]' must be a text such as \"*/.ssh/*\", at most 256 bytes, not \"**\""
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 1, actions: ['webhook'] }] } }",
            "1:11: 'alerts' needs a 'webhook': the rule 'a' has that action"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 1, actions: ['command'] }] } }",
            "1:11: 'alerts' needs a 'command': the rule 'a' has that action"
        ),
        (
            "{ alerts: { webhook: 'http://example.org/' } }",
            "1:22: 'alerts.webhook' must begin with \"https://\": without encryption only this host itself is told; http:// is for 127.0.0.1, [::1] and localhost"
        ),
        (
            "{ alerts: { webhook: 'https://u:p@example.org/' } }",
            "1:22: 'alerts.webhook' must be a URL such as \"https://hooks.example.org/in/4f2a\", not \"https://…\""
        ),
        ("{ alerts: { command: [''] } }", "1:22: 'alerts.command' must begin with a program"),
        ("{ audit: { keep: '1h' } }", "1:18: 'audit.keep' must be from \"1d\" to \"3650d\", not \"1h\""),
        ("{ audit: { checkpoint: '2h' } }", "1:24: 'audit.checkpoint' must be from \"1s\" to \"1h\", not \"2h\""),
        (
            "{ audit: { onFull: 'drop' } }",
            "1:20: 'audit.onFull' must be one of \"stop\", \"pause\", not \"drop\"; did you mean \"stop\"?"
        ),
        (
            "{ audit: { fileSize: '1G', sync: 'no' } }",
            "1:34: 'audit.sync' must be one of \"record\", \"checkpoint\", \"never\", not \"no\""
        ),
        (
            "{ audit: { redact: ['a*'] } }",
            "1:21: 'audit.redact[0]' must be a text such as \"acme_*\", with 3 characters and more besides '*', not \"a*\""
        ),
        (
            "{ audit: { anchors: [['tool', 'x']] } }",
            "1:22: 'audit.anchors[0]' must begin with the absolute path of a program"
        ),
        ("{ canaries: [{}] }", "1:14: 'canaries[0]' needs a 'kind'"),
        (
            "{ canaries: [{ kind: 'aws', path: '/a', env: 'A' }] }",
            "1:14: 'canaries[0]' must have either 'path' or 'env'"
        ),
        (
            "{ canaries: [{ kind: 'ssh', env: 'A' }] }",
            "1:14: 'canaries[0]' must not have 'env': what is of the kind ssh is a file"
        ),
        (
            "{ canaries: [{ kind: 'ssh', path: '/etc/k' }] }",
            "1:35: 'canaries[0].path' must not be in /etc, which the jail has of its own"
        ),
        (
            "{ canaries: [{ kind: 'aws', path: '/a' }, { kind: 'ssh', path: '/a' }] }",
            "1:43: 'canaries[1]' is where another one is, at /a"
        ),
        (
            "{ canaries: [{ kind: 'aws', env: 'A' }, { kind: 'slack', env: 'A' }] }",
            "1:41: 'canaries[1]' sets A once more"
        ),
        (
            "{ process: { environment: { A: '' } }, canaries: [{ kind: 'aws', env: 'A' }] }",
            "1:51: 'canaries[0]' sets A, which process.environment sets as well"
        ),
        (
            "{ process: { passEnvironment: ['A'] }, canaries: [{ kind: 'aws', env: 'A' }] }",
            "1:51: 'canaries[0]' sets A, which process.passEnvironment passes on"
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'canary', above: 1 }] } }",
            "1:21: 'alerts.rules[0]' must not have 'above': it watches canary"
        ),
        ("{ secrets: [{}] }", "1:13: 'secrets[0]' needs 'name', 'hosts' and 'inject'"),
        (
            "{ secrets: [{ name: 'A' }] }",
            "1:21: 'secrets[0].name' must be a name of a-z, 0-9, '.', '_' and '-', at most 64, first a letter or digit, "
                + "not \"A\""
        ),
        ("{ secrets: [{ hosts: ['*.a.b'] }] }", "1:23: 'secrets[0].hosts[0]' must name a host in full"),
        ("{ secrets: [{ hosts: ['192.0.2.1'] }] }", "1:23: 'secrets[0].hosts[0]' must name a host in full"),
        (
            "{ secrets: [{ inject: 'cookie' }] }",
            "1:23: 'secrets[0].inject' must be \"bearer\" or an object, not a string"
        ),
        (
            "{ secrets: [{ inject: {} }] }",
            "1:23: 'secrets[0].inject' must have one of 'header', 'basic', 'query', 'path' and 'sigv4'"
        ),
        (
            "{ secrets: [{ inject: { header: 'A', query: 'b' } }] }",
            "1:23: 'secrets[0].inject' must have one of 'header', 'basic', 'query', 'path' and 'sigv4'"
        ),
        (
            "{ secrets: [{ inject: { query: 'A', prefix: 'b' } }] }",
            "1:23: 'secrets[0].inject' has a 'prefix', which only a header has"
        ),
        (
            "{ secrets: [{ inject: { prefix: 'b' } }] }",
            "1:23: 'secrets[0].inject' must have one of 'header', 'basic', 'query', 'path' and 'sigv4'"
        ),
        (
            "{ secrets: [{ inject: { header: 'A', prefix: ' b' } }] }",
            "1:46: 'secrets[0].inject.prefix' must be up to 64 printable ASCII characters such as \"Bot \", not \" b\""
        ),
        (
            "{ secrets: [{ inject: { header: 'Transfer_Encoding' } }] }",
            "1:33: 'secrets[0].inject.header' must not be \"Transfer_Encoding\", a field with a meaning for the way out "
                + "itself"
        ),
        (
            "{ secrets: [{ inject: { sigv4: { service: 's3' } } }] }",
            "1:32: 'secrets[0].inject.sigv4' needs 'service' and 'region'"
        ),
        (
            "{ secrets: [{ inject: { sigv4: { region: 'EU' } } }] }",
            "1:42: 'secrets[0].inject.sigv4.region' must be a name of a-z, 0-9 and '-', as signatures have it, not \"EU\""
        ),
        (
            "{ secrets: [{ inject: { header: 'a b' } }] }",
            "1:33: 'secrets[0].inject.header' must be the name of a header field such as \"X-Api-Key\", not \"a b\""
        ),
        (
            "{ secrets: [{ inject: { basic: 'a:b' } }] }",
            "1:32: 'secrets[0].inject.basic' must be a user's name of printable ASCII without ':', not \"a:b\""
        ),
        (
            "{ secrets: [{ inject: { query: 'a&b' } }] }",
            "1:32: 'secrets[0].inject.query' must be the name of a query parameter such as \"key\", not \"a&b\""
        ),
        (
            "{ secrets: [{ inject: { path: '/a{}b/' } }] }",
            "1:31: 'secrets[0].inject.path' must be a path with one '{}' at the end of a segment, such as \"/bot{}/\", "
                + "not \"/a{}b/\""
        ),
        (
            "{ secrets: [{ inject: { path: '/{}/{}' } }] }",
            "1:31: 'secrets[0].inject.path' must be a path with one '{}' at the end of a segment, such as \"/bot{}/\", "
                + "not \"/{}/{}\""
        ),
        ("{ secrets: [{ exchange: 'oauth' }] }", "1:25: 'secrets[0].exchange' must be an object, not a string"),
        ("{ secrets: [{ exchange: {} }] }", "1:25: 'secrets[0].exchange' needs 'oauth'"),
        (
            "{ secrets: [{ exchange: { oauth: { host: 'a.b', path: '/t' } } }] }",
            "1:34: 'secrets[0].exchange.oauth' needs 'host', 'path' and 'clientId'"
        ),
        (
            "{ secrets: [{ exchange: { oauth: { host: '*.b' } } }] }",
            "1:42: 'secrets[0].exchange.oauth.host' must name a host in full"
        ),
        (
            "{ secrets: [{ exchange: { oauth: { path: '/t?a' } } }] }",
            "1:42: 'secrets[0].exchange.oauth.path' must be a path without a query, such as \"/oauth/token\", not "
                + "\"/t?a\""
        ),
        (
            "{ secrets: [{ exchange: { oauth: { clientId: 'a\\n' } } }] }",
            "1:46: 'secrets[0].exchange.oauth.clientId' must be up to 512 printable ASCII characters, not \"a\\n\""
        ),
        (
            "{ secrets: [{ exchange: { oauth: { scope: 'a  b' } } }] }",
            "1:43: 'secrets[0].exchange.oauth.scope' must be words with one space between them, such as \"read write\", "
                + "not \"a  b\""
        ),
        (
            "{ secrets: [{ source: 'vault' }] }",
            "1:23: 'secrets[0].source' must be \"store\" or an object, not a string"
        ),
        (
            "{ secrets: [{ source: {} }] }",
            "1:23: 'secrets[0].source' must have one of 'env', 'file', 'credential' and 'exec'"
        ),
        (
            "{ secrets: [{ source: { env: 'A', file: '/b' } }] }",
            "1:23: 'secrets[0].source' must have one of 'env', 'file', 'credential' and 'exec'"
        ),
        (
            "{ secrets: [{ source: { file: 'b' } }] }",
            "1:31: 'secrets[0].source.file' must be an absolute path, not \"b\""
        ),
        (
            "{ secrets: [{ source: { credential: '../a' } }] }",
            "1:37: 'secrets[0].source.credential' must be the name of a credential such as \"github\", not \"../a\""
        ),
        ("{ secrets: [{ source: { exec: {} } }] }", "1:31: 'secrets[0].source.exec' needs 'command'"),
        (
            "{ secrets: [{ source: { exec: { command: 'vault' } } }] }",
            "1:42: 'secrets[0].source.exec.command' must be an absolute path, not \"vault\""
        ),
        (
            "{ secrets: [{ source: { exec: { command: '/v', id: 'a/../b' } } }] }",
            "1:52: 'secrets[0].source.exec.id' must be an id such as \"vault/github\", not \"a/../b\""
        ),
        (
            "{ secrets: [{ source: { exec: { command: '/v', timeoutMs: 0 } } }] }",
            "1:59: 'secrets[0].source.exec.timeoutMs' must be a whole number from 1 to 120000, not 0"
        ),
        (
            "{ secrets: [{ name: 'a', hosts: ['a.b'], inject: 'bearer' }] }",
            "1:13: 'secrets[0]' is bound to https://a.b, which no rule of network.allow lets be asked and inspected"
        ),
        ("{ commands: [{}] }", "1:14: 'commands[0]' needs 'program'"),
        (
            "{ commands: [{ program: 'npm' }] }",
            "1:25: 'commands[0].program' must be an absolute path, not \"npm\""
        ),
        (
            "{ commands: [{ program: '/proc/self/exe' }] }",
            "1:25: 'commands[0].program' must not be in /proc, where no programs are"
        ),
        (
            "{ commands: [{ program: '/bin/sh' }] }",
            "1:14: 'commands[0]' needs a 'name': what its program is called must not be \"sh\", which reads command lines of "
                + "the other commands"
        ),
        (
            "{ commands: [{ name: 'a/b' }] }",
            "1:22: 'commands[0].name' must be a program's name such as \"npm\", at most 64, not \"a/b\""
        ),
        (
            "{ commands: [{ sha256: 'ABC' }] }",
            "1:24: 'commands[0].sha256' must be a SHA-256 of 64 digits 0-9 and a-f, not \"ABC\""
        ),
        (
            "{ commands: [{ arguments: [1] }] }",
            "1:28: 'commands[0].arguments[0]' must be a word or an object, not a number"
        ),
        (
            "{ commands: [{ arguments: ['a\\nb'] }] }",
            "1:28: 'commands[0].arguments[0]' must be a word of at most 4096 bytes without control characters, not "
                + "\"a\\nb\""
        ),
        (
            "{ commands: [{ arguments: [{}] }] }",
            "1:28: 'commands[0].arguments[0]' must have one of 'oneOf', 'below', 'pattern', and 'from' with 'upTo'"
        ),
        (
            "{ commands: [{ arguments: [{ below: '/a', pattern: 'b' }] }] }",
            "1:28: 'commands[0].arguments[0]' must have one of 'oneOf', 'below', 'pattern', and 'from' with 'upTo'"
        ),
        (
            "{ commands: [{ arguments: [{ below: '/' }] }] }",
            "1:37: 'commands[0].arguments[0].below' must be a directory below '/', not every path there is"
        ),
        (
            "{ commands: [{ arguments: [{ pattern: 'a**' }] }] }",
            "1:39: 'commands[0].arguments[0].pattern' is no pattern at character 3: two repetitions of one thing"
        ),
        (
            "{ commands: [{ arguments: [{ pattern: '^a$' }] }] }",
            "1:39: 'commands[0].arguments[0].pattern' is no pattern at character 1: all of a word is matched, without '^' "
                + "and '$'; the character itself is '\\^'"
        ),
        (
            "{ commands: [{ arguments: [{ from: 2, upTo: 1 }] }] }",
            "1:28: 'commands[0].arguments[0]' must have 'from' at or below 'upTo'"
        ),
        (
            "{ commands: [{ arguments: [{ from: 2 }] }] }",
            "1:28: 'commands[0].arguments[0]' must have one of 'oneOf', 'below', 'pattern', and 'from' with 'upTo'"
        ),
        (
            "{ commands: [{ arguments: [{ pattern: 'a', least: 3, most: 2 }] }] }",
            "1:28: 'commands[0].arguments[0]' must have 'least' at or below 'most'"
        ),
        (
            "{ commands: [{ flags: ['n'] }] }",
            "1:24: 'commands[0].flags[0]' must be a flag such as \"-n\" or \"--lines\", not \"n\""
        ),
        ("{ commands: [{ flags: [{}] }] }", "1:24: 'commands[0].flags[0]' needs 'names'"),
        (
            "{ commands: [{ flags: [{ names: ['-n'], form: 'either' }] }] }",
            "1:24: 'commands[0].flags[0]' has a 'form' and no 'value'"
        ),
        (
            "{ commands: [{ program: '/a', flags: ['-n', { names: ['-m', '-n'] }] }] }",
            "1:14: 'commands[0]' names the flag -n twice"
        ),
        (
            "{ commands: [{ program: '/a', flags: ['--force'], deny: ['--force'] }] }",
            "1:14: 'commands[0]' denies \"--force\", and lists \"--force\""
        ),
        (
            "{ commands: [{ program: '/a', arguments: ['-xf'], deny: ['-f'] }] }",
            "1:14: 'commands[0]' denies \"-f\", and lists \"-xf\""
        ),
        (
            "{ commands: [{ program: '/a', flags: ['-name', '-n'], combined: true }] }",
            "1:14: 'commands[0]' has the flag -name, which may be read as several"
        ),
        (
            "{ commands: [{ program: '/a/x' }, { program: '/b/x' }] }",
            "1:35: 'commands[1]' calls /b/x 'x', as another calls /a/x"
        ),
        (
            "{ commands: [{ where: 'host' }] }",
            "1:23: 'commands[0].where' must be \"jail\" or an object, not a string"
        ),
        ("{ commands: [{ where: {} }] }", "1:23: 'commands[0].where' must have one of 'profile' and 'host'"),
        (
            "{ commands: [{ where: { host: 'root' } }] }",
            "1:31: 'commands[0].where.host' must not be root: nothing in a jail runs as the host's root"
        ),
        (
            "{ commands: [{ timeout: '2d' }] }",
            "1:25: 'commands[0].timeout' must be from \"100ms\" to \"1d\""
        ),
        (
            "{ filesystem: { write: ['/srv'] }, commands: [{ program: '/srv/x' }] }",
            "1:47: 'commands[0]' has a program in '/srv', where the jail may write what is run"
        ),
        ("{ spend: {} }", "1:10: 'spend' needs 'perDay', 'tokensPerDay' or 'requestsPerDay'"),
        (
            "{ spend: { perDay: '5' } }",
            "1:20: 'spend.perDay' must be an amount such as \"5 USD\" or \"0.25 USD\", up to 1000000 USD, with at most "
                + "six decimals, not \"5\""
        ),
        ("{ spend: { perDay: 5 } }", "1:20: 'spend.perDay' must be an amount such as \"5 USD\", not a number"),
        (
            "{ spend: { tokensPerDay: 1, providers: [{}] } }", "1:41: 'spend.providers[0]' needs 'hosts'"
        ),
        (
            "{ spend: { tokensPerDay: 1, providers: [{ hosts: ['*'] }] } }",
            "1:51: 'spend.providers[0].hosts[0]' must name hosts, not all of them"
        ),
        (
            "{ spend: { tokensPerDay: 1, providers: [{ hosts: ['a.b'], path: '/v1/' }] } }",
            "1:65: 'spend.providers[0].path' must be a path such as \"/v1\", without '/' at its end, not \"/v1/\""
        ),
        (
            "{ spend: { tokensPerDay: 1, prices: [{ model: 'm' }] } }",
            "1:38: 'spend.prices[0]' needs 'model', 'input', 'output', 'context' and 'maxOutput'"
        ),
        (
            "{ spend: { tokensPerDay: 1, onLimit: 'panic' } }",
            "1:38: 'spend.onLimit' must be one of \"deny\", \"pause\", \"stop\", not \"panic\""
        ),
        ("{ approvals: {} }", "1:14: 'approvals' needs 'ask'"),
        ("{ approvals: 'all' }", "1:14: 'approvals' must be an object, or \"none\", not a string"),
        (
            "{ approvals: { ask: ['command'] } }",
            "1:22: 'approvals.ask[0]' must be one of \"network\", \"commands\", \"sessions\", not \"command\""
        ),
        (
            "{ approvals: { fourEyes: ['network'] } }", "1:14: 'approvals' needs 'ask'"
        ),
        (
            "{ approvals: { ask: ['network'], timeout: '999ms' } }",
            "1:43: 'approvals.timeout' must be from \"1s\" to \"10m\", not \"999ms\""
        ),
        (
            "{ approvals: { ask: ['network'], timeout: '11m' } }",
            "1:43: 'approvals.timeout' must be from \"1s\" to \"10m\", not \"11m\""
        ),
        (
            "{ approvals: { ask: [], notify: { webhook: 'https://a.example/' } } }",
            "1:33: 'approvals.notify' needs both of 'webhook' and 'webhookSecret', or none of them"
        ),
        (
            "{ approvals: { ask: [], notify: { webhookSecret: 'hook' } } }",
            "1:33: 'approvals.notify' needs both of 'webhook' and 'webhookSecret', or none of them"
        ),
        (
            "{ approvals: { ask: [], notify: { command: [''] } } }",
            "1:44: 'approvals.notify.command' must begin with a program"
        ),
        ("{ health: {} }", "1:11: 'health' must have one of 'http', 'tcp' and 'exec'"),
        (
            "{ health: { tcp: { port: 1 }, exec: ['x'] } }",
            "1:11: 'health' must have one of 'http', 'tcp' and 'exec'"
        ),
        ("{ health: 'off' }", "1:11: 'health' must be an object, or \"none\", not a string"),
        ("{ health: { http: { path: '/' } } }", "1:19: 'health.http' needs a 'port'"),
        ("{ health: { tcp: {} } }", "1:18: 'health.tcp' needs a 'port'"),
        (
            "{ health: { http: { port: 1, path: '/a b' } } }",
            "1:36: 'health.http.path' must be a path such as \"/healthz\", without blanks and '#', not \"/a b\""
        ),
        (
            "{ health: { http: { port: 1, path: '/\\r\\nX: y' } } }",
            "1:36: 'health.http.path' must be a path such as \"/healthz\", without blanks and '#', not \"/\\u{d}\\nX: y\""
        ),
        (
            "{ health: { http: { port: 0 } } }",
            "1:27: 'health.http.port' must be a whole number from 1 to 65535, not 0"
        ),
        ("{ health: { exec: [] } }", "1:19: 'health.exec' must not be empty"),
        ("{ health: { exec: [''] } }", "1:19: 'health.exec' must begin with a program"),
        (
            "{ health: { tcp: { port: 1 }, interval: '99ms' } }",
            "1:41: 'health.interval' must be from \"100ms\" to \"1h\", not \"99ms\""
        ),
        (
            "{ health: { tcp: { port: 1 }, timeout: '6m' } }",
            "1:40: 'health.timeout' must be from \"100ms\" to \"5m\", not \"6m\""
        ),
        (
            "{ health: { tcp: { port: 1 }, retries: 0 } }",
            "1:40: 'health.retries' must be a whole number from 1 to 100, not 0"
        ),
        (
            "{ restart: { on: 'failures' } }",
            "1:18: 'restart.on' must be one of \"never\", \"failure\", \"unhealthy\", \"always\", not \"failures\"; "
                + "did you mean \"failure\"?"
        ),
        (
            "{ restart: { delay: '99ms' } }",
            "1:21: 'restart.delay' must be from \"100ms\" to \"1h\", not \"99ms\""
        ),
        (
            "{ restart: { within: '2d' } }",
            "1:22: 'restart.within' must be from \"1s\" to \"1d\", not \"2d\""
        ),
        ("{ restart: { most: 0 } }", "1:20: 'restart.most' must be a whole number from 1 to 1000, not 0"),
        (
            "{ restart: { on: 'always', delay: '2m' } }",
            "1:12: 'restart' has a 'longest' of \"1m\", less than its 'delay' of \"2m\""
        ),
        (
            "{ process: { passEnvironment: ['NOTIFY_SOCKET'] } }",
            "1:32: 'process.passEnvironment[0]' must not pass on \"NOTIFY_SOCKET\": it is between clawjail and the "
                + "service manager"
        ),
        ("{ sessions: {} }", "1:13: 'sessions' needs a 'profile'"),
        ("{ sessions: { workspaces: ['/data'] } }", "1:13: 'sessions' needs a 'profile'"),
        (
            "{ sessions: { profile: '../x' } }",
            "1:24: 'sessions.profile' must be a name of a-z, 0-9, '_' and '-', at most 64, first a letter or digit, "
                + "not \"../x\""
        ),
        (
            "{ sessions: { profile: 's', most: 0 } }",
            "1:35: 'sessions.most' must be a whole number from 1 to 256, not 0"
        ),
        (
            "{ sessions: { profile: 's', most: 257 } }",
            "1:35: 'sessions.most' must be a whole number from 1 to 256, not 257"
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['data'] } }",
            "1:42: 'sessions.workspaces[0]' must be an absolute path, not \"data\""
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data/../x'] } }",
            "1:42: 'sessions.workspaces[0]' must be a path without '.' and '..' components, not \"/data/../x\""
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/proc/1:ro'] } }",
            "1:42: 'sessions.workspaces[0]' must not be in /proc, which the jail has of its own"
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data:rw'] } }",
            "1:42: 'sessions.workspaces[0]' must be PATH or PATH:ro, not \"/data:rw\""
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data', '/data:ro'] } }",
            "1:51: 'sessions.workspaces[1]' is named twice, and once read-only"
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data/b:ro', '/data'] } }",
            "1:56: 'sessions.workspaces[1]' must not be in another one, or hold it, as with '/data/b:ro'"
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data', '/data/b:ro'] } }",
            "1:51: 'sessions.workspaces[1]' must not be in another one, or hold it, as with '/data'"
        ),
        ("{ memory: '1G' }", "1:3: unknown key 'memory' in the profile; did you mean 'limits.memory'?"),
        (
            "{ process: { zzzzzzzz: 1 } }",
            "1:14: unknown key 'zzzzzzzz' in 'process'; known keys: programs, environment, passEnvironment, user, inside, workingDirectory, hostName, shell, systemCalls, apparmor, selfTest, secretProvider, stopGrace"
        ),
        ("{ process: { inside: { Uid: 1 } } }", "1:24: unknown key 'Uid' in 'process.inside'; did you mean 'uid'?"),
        ("{ limits: { memory: 512 } }", "1:21: 'limits.memory' must be a size such as \"512M\", not a number"),
        (
            "{ limits: { memory: '512X' } }",
            "1:21: 'limits.memory' must be a size such as \"512M\" (units K, M, G, T), not \"512X\""
        ),
        ("{ limits: { memory: '1M' } }", "1:21: 'limits.memory' must be at least \"4M\", not \"1M\""),
        ("{ limits: { fileSize: '0' } }", "1:23: 'limits.fileSize' must be at least \"1\", not \"0\""),
        ("{ limits: { processes: 0 } }", "1:24: 'limits.processes' must be a whole number from 1 to 4194304, not 0"),
        (
            "{ limits: { processes: 1.0 } }",
            "1:24: 'limits.processes' must be a whole number from 1 to 4194304, not 1.0"
        ),
        ("{ limits: { processes: -1 } }", "1:24: 'limits.processes' must be a whole number from 1 to 4194304, not -1"),
        (
            "{ limits: { processes: 4194305 } }",
            "1:24: 'limits.processes' must be a whole number from 1 to 4194304, not 4194305"
        ),
        ("{ limits: { openFiles: 15 } }", "1:24: 'limits.openFiles' must be a whole number from 16 to 1048576, not 15"),
        (
            "{ limits: { cpus: 0.05 } }",
            "1:19: 'limits.cpus' must be a number of processors from 0.1 to 1024 with at most three decimals, not \"0.05\""
        ),
        (
            "{ limits: { cpus: 0x401 } }",
            "1:19: 'limits.cpus' must be a number of processors from 0.1 to 1024 with at most three decimals, not \"1025\""
        ),
        (
            "{ process: { programs: ['a', './b'] } }",
            "1:30: 'process.programs[1]' must be a program's name or its absolute path, not \"./b\""
        ),
        ("{ process: { programs: ['a', 1] } }", "1:30: 'process.programs[1]' must be a string, not a number"),
        (
            "{ process: { environment: { 'A B': '' } } }",
            "1:36: 'process.environment.A B' must be an environment name of letters, digits and '_', at most 255, not \"A B\""
        ),
        ("{ process: { environment: { A: 1 } } }", "1:32: 'process.environment.A' must be a string, not a number"),
        (
            "{ process: { passEnvironment: ['LD_PRELOAD'] } }",
            "1:32: 'process.passEnvironment[0]' must not pass on \"LD_PRELOAD\", with which the caller's environment would decide what code is loaded; set it in process.environment, where its value can be read"
        ),
        ("{ process: { user: 0 } }", "1:20: 'process.user' must be a user id from 1 to 4294967294, not \"0\""),
        (
            "{ process: { user: 'root' } }",
            "1:20: 'process.user' must not be root: nothing in a jail runs as the host's root"
        ),
        (
            "{ process: { inside: { uid: 0 } } }",
            "1:29: 'process.inside.uid' must be a whole number from 1 to 65533, not 0"
        ),
        (
            "{ process: { inside: { gid: 65534 } } }",
            "1:29: 'process.inside.gid' must be a whole number from 1 to 65533, not 65534"
        ),
        (
            "{ process: { inside: { home: '/' } } }",
            "1:30: 'process.inside.home' must be a place below '/', not '/' itself"
        ),
        (
            "{ process: { inside: { home: '/etc/x' } } }",
            "1:30: 'process.inside.home' must not be in /etc, which the jail has of its own"
        ),
        (
            "{ process: { inside: { user: 'root' } } }",
            "1:30: 'process.inside.user' must be a user name of a-z, 0-9, '_' and '-', at most 32, other than root and nobody, not \"root\""
        ),
        (
            "{ process: { workingDirectory: 'x' } }",
            "1:32: 'process.workingDirectory' must be an absolute path, not \"x\""
        ),
        (
            "{ process: { hostName: 'A' } }",
            "1:24: 'process.hostName' must be a host name of a-z, 0-9, '-' and '.', at most 63, not \"A\""
        ),
        (
            "{ process: { systemCalls: ['a b'] } }",
            "1:28: 'process.systemCalls[0]' must be the name of a system call such as \"io_uring_setup\", not \"a b\""
        ),
        (
            "{ process: { apparmor: 'a//&b' } }",
            "1:24: 'process.apparmor' must be the name of an AppArmor profile, of letters, digits, '.', '_' and '-', at "
                + "most 64, other than unconfined, not \"a//&b\""
        ),
        (
            "{ process: { apparmor: 'unconfined' } }",
            "1:24: 'process.apparmor' must be the name of an AppArmor profile, of letters, digits, '.', '_' and '-', at "
                + "most 64, other than unconfined, not \"unconfined\""
        ),
        ("{ process: { stopGrace: '61m' } }", "1:25: 'process.stopGrace' must be at most \"1h\""),
        (
            "{ filesystem: { root: 'hots' } }",
            "1:23: 'filesystem.root' must be \"minimal\", \"host\" or { directory: PATH }, not \"hots\""
        ),
        ("{ filesystem: { root: {} } }", "1:23: 'filesystem.root' needs a 'directory'"),
        (
            "{ filesystem: { root: { directory: '/' } } }",
            "1:36: 'filesystem.root.directory' must not be the whole host; name the directories that are needed"
        ),
        (
            "{ filesystem: { root: { dir: '/x' } } }",
            "1:25: unknown key 'dir' in 'filesystem.root'; did you mean 'directory'?"
        ),
        (
            "{ filesystem: { read: ['/a', '/etc/x'] } }",
            "1:30: 'filesystem.read[1]' must not be in /etc, which the jail has of its own; show it elsewhere, as SOURCE:TARGET"
        ),
        ("{ filesystem: { write: [{ target: '/x' }] } }", "1:25: 'filesystem.write[0]' needs a 'source'"),
        (
            "{ filesystem: { write: [{ source: '/x', ro: true }] } }",
            "1:41: unknown key 'ro' in 'filesystem.write[0]'; known keys: source, target, specialFiles"
        ),
        (
            "{ filesystem: { read: ['/a:/x', '/b:/x'] } }",
            "1:33: 'filesystem.read[1]' must have a place of its own: '/a' is at '/x'"
        ),
        (
            "{ filesystem: { read: ['/a:/x'], write: ['/b:/x'] } }",
            "1:42: 'filesystem.write[0]' must have a place of its own: '/a' is at '/x'"
        ),
        (
            "{ filesystem: { data: { size: '1G' }, read: ['/b:/data'] } }",
            "1:46: 'filesystem.read[0]' must have a place of its own: the jail's data is at '/data'"
        ),
        (
            "{ filesystem: { write: ['/b:/data'], data: { size: '1G' } } }",
            "1:44: 'filesystem.data' must have a place of its own: '/b' is at '/data'"
        ),
        ("{ filesystem: { data: {} } }", "1:23: 'filesystem.data' needs a 'size'"),
        (
            "{ filesystem: { data: { size: '1K' } } }",
            "1:31: 'filesystem.data.size' must be at least \"1M\", not \"1K\""
        ),
        (
            "{ filesystem: { data: { size: '1G', source: '/proc/1' } } }",
            "1:45: 'filesystem.data.source' must not be in /proc, which tells about and steers the host's kernel"
        ),
        (
            "{ filesystem: { data: { size: '1G', target: '/dev/x' } } }",
            "1:45: 'filesystem.data.target' must not be in /dev, which the jail has of its own"
        ),
        (
            "{ filesystem: { workspace: 'readonly' } }",
            "1:28: 'filesystem.workspace' must be one of \"none\", \"readOnly\", \"readWrite\", \"review\", not \"readonly\"; did you mean \"readOnly\"?"
        ),
        (
            "{ filesystem: { workspace: { source: '/w' } } }",
            "1:28: 'filesystem.workspace' needs a 'mode'"
        ),
        (
            "{ filesystem: { workspace: { source: '/w', mode: 'readOnly', size: '1G' } } }",
            "1:28: 'filesystem.workspace' has a 'size' only with mode \"review\""
        ),
        (
            "{ filesystem: { workspace: { source: '/proc/1', mode: 'review' } } }",
            "1:38: 'filesystem.workspace.source' must not be in /proc, which tells about and steers the host's kernel"
        ),
        (
            "{ filesystem: { workspace: { mode: 'none' } } }",
            "1:36: 'filesystem.workspace.mode' must say how the directory is shown, not \"none\""
        ),
        ("{ network: { publish: ['0'] } }", "1:24: 'network.publish[0]' must be a port from 1 to 65535, not \"0\""),
        (
            "{ network: { publish: ['80', '80:81'] } }",
            "1:30: 'network.publish[1]' publishes port 80 of the host twice, also as 127.0.0.1:80 → 80"
        ),
        (
            "{ network: { publish: ['80', '0.0.0.0:80:81'] } }",
            "1:30: 'network.publish[1]' publishes port 80 of the host twice, also as 127.0.0.1:80 → 80"
        ),
        (
            "{ network: { publish: ['0.0.0.0:80:81', '80'] } }",
            "1:41: 'network.publish[1]' publishes port 80 of the host twice, also as 0.0.0.0:80 → 81"
        ),
        ("{ network: { listen: [0] } }", "1:23: 'network.listen[0]' must be a whole number from 1 to 65535, not 0"),
        (
            "{ network: { listen: [65536] } }",
            "1:23: 'network.listen[0]' must be a whole number from 1 to 65535, not 65536"
        ),
        (
            "{ network: { allow: [{}] } }",
            "1:22: 'network.allow[0]' needs 'hosts'"
        ),
        (
            "{ network: { allow: [{ hosts: [] }] } }",
            "1:31: 'network.allow[0].hosts' must not be empty"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], methods: [] }] } }",
            "1:47: 'network.allow[0].methods' must not be empty"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], ports: [] }] } }",
            "1:45: 'network.allow[0].ports' must not be empty"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], methods: ['get'] }] } }",
            "1:48: 'network.allow[0].methods[0]' must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, not \"get\""
        ),
        (
            "{ network: { allow: [{ hosts: ['127.1'] }] } }",
            "1:32: 'network.allow[0].hosts[0]' must be an address in its one spelling, not \"127.1\"; did you mean \"127.0.0.1\"?"
        ),
        (
            "{ network: { allow: [{ hosts: ['a_b'] }] } }",
            "1:32: 'network.allow[0].hosts[0]' must be a host name such as \"example.org\", \"*.example.org\" or \"*\", or an address, not \"a_b\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], preset: 'npm' }] } }",
            "1:22: 'network.allow[0]' must have 'hosts' or 'preset', not both"
        ),
        (
            "{ network: { allow: [{ preset: 'npm', methods: ['GET'] }] } }",
            "1:22: 'network.allow[0]' must not have 'methods': a preset has hosts and all the rest"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], protocol: 'tcp' }] } }",
            "1:22: 'network.allow[0]' needs 'ports' with protocol \"tcp\""
        ),
        (
            "{ network: { allow: [{ hosts: ['*.a'], ports: [25], protocol: 'tcp' }] } }",
            "1:22: 'network.allow[0]' must name every host in full with protocol \"tcp\", not \"*.a\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], ports: [25], protocol: 'tcp', methods: ['GET'] }] } }",
            "1:22: 'network.allow[0]' must not have 'methods': nothing of it can be seen with protocol \"tcp\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], inspect: false, paths: ['/'] }] } }",
            "1:22: 'network.allow[0]' must not have 'paths': nothing of it can be seen without inspection"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], inspect: false, schemes: ['http'] }] } }",
            "1:22: 'network.allow[0]' must not name http with inspect: false, which is for TLS alone"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], inspect: false, ports: [80] }] } }",
            "1:22: 'network.allow[0]' can never match on port 80, which https never uses"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], schemes: ['https'], ports: [443, 80] }] } }",
            "1:22: 'network.allow[0]' can never match on port 80, which https never uses"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], schemes: ['https', 'http'], ports: [80] }] } }",
            "1:22: 'network.allow[0]' can never match with https, which has none of its ports"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], schemes: ['ws'] }] } }",
            "1:48: 'network.allow[0].schemes[0]' must be one of \"https\", \"http\", not \"ws\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], requestSize: '1M' }] } }",
            "1:22: 'network.allow[0]' must not have 'requestSize': none of its methods has a body"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], methods: ['POST'], websocket: true }] } }",
            "1:22: 'network.allow[0]' needs the method GET with websocket: true, since a WebSocket begins with one"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], paths: ['/a/../b'] }] } }",
            "1:46: 'network.allow[0].paths[0]' must be a path such as \"/v1/messages\", \"/v1/*/files\" or \"/v1/**\" in its canonical form, not \"/a/../b\"; its canonical form is \"/b\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], paths: ['a'] }] } }",
            "1:46: 'network.allow[0].paths[0]' must be a path such as \"/v1/messages\", \"/v1/*/files\" or \"/v1/**\" in its canonical form, not \"a\""
        ),
        (
            "{ network: { allow: [{ hosts: ['a'] }, { hosts: ['b', 'a'], inspect: false }] } }",
            "1:40: 'network.allow[1]' contradicts network.allow[0]: a would be inspected and not inspected on one port"
        ),
        (
            "{ network: { allow: [{ hosts: ['a'], ports: [25] }, { hosts: ['a'], ports: [25], protocol: 'tcp' }] } }",
            "1:53: 'network.allow[1]' contradicts network.allow[0]: a would be inspected and tcp on one port"
        ),
        (
            "{ network: { allow: [{ hosts: ['x'] }, { hosts: ['a.b'], methods: ['POST'] }], deny: [{ hosts: ['*.b'], methods: ['POST'] }] } }",
            "1:40: 'network.allow[1]' can never match: network.deny[0] denies all of it"
        ),
        (
            "{ network: { deny: [{ paths: ['/a'] }] } }",
            "1:21: 'network.deny[0]' needs 'hosts'"
        ),
        (
            "{ network: { allowPrivate: ['10.0.0.1/24'] } }",
            "1:29: 'network.allowPrivate[0]' must be a range of addresses such as \"10.1.2.0/24\" or \"fd12::/64\", not \"10.0.0.1/24\"; the range with this length is \"10.0.0.0/24\""
        ),
        (
            "{ network: { allowPrivate: ['10.0.0.1'] } }",
            "1:29: 'network.allowPrivate[0]' must be a range of addresses such as \"10.1.2.0/24\" or \"fd12::/64\", not \"10.0.0.1\"; one address is \"10.0.0.1/32\""
        ),
        (
            "{ network: { budgets: { connections: 0 } } }",
            "1:38: 'network.budgets.connections' must be a whole number from 1 to 1000000000, not 0"
        ),
        (
            "{ network: { budgets: { uploadPerHour: '0' } } }",
            "1:40: 'network.budgets.uploadPerHour' must be at least \"1\", not \"0\""
        ),
        (
            "{ network: { budgets: { idle: '0s' } } }",
            "1:31: 'network.budgets.idle' must be from \"1s\" to \"24h\""
        ),
        (
            "{ network: { upstream: { resolvers: ['dns.example'] } } }",
            "1:38: 'network.upstream.resolvers[0]' must be the address of a name server such as \"192.0.2.1\" or \"[2001:db8::1]:53\", not \"dns.example\""
        ),
        (
            "{ network: { upstream: { trust: 'x' } } }",
            "1:33: 'network.upstream.trust' must be an absolute path, not \"x\""
        ),
        (
            "{ network: { onGatewayExit: 'open' } }",
            "1:29: 'network.onGatewayExit' must be one of \"restart\", \"block\", \"stop\", not \"open\""
        ),
        (
            "{ optional: ['seccomp'] }",
            "1:14: 'optional[0]' must be one of \"landlock\", \"groups\", \"cgroup\", \"time\", \"apparmor\", not \"seccomp\""
        ),
        ("{ description: 'a\\nb' }", "1:16: 'description' must be one line of at most 200 characters, not \"a\\nb\""),
        ("{ description: '' }", "1:16: 'description' must be one line of at most 200 characters, not \"\""),
    ]

    /// A key, and a value of a kind that it never takes.
    static let wrongKinds: [(String, String)] = [
        ("description", "1"), ("process", "[]"), ("process.programs", "'node'"), ("process.environment", "[]"),
        ("process.passEnvironment", "{}"), ("process.user", "true"), ("process.inside", "'claw'"),
        ("process.inside.user", "1"),
        ("process.inside.uid", "'1'"), ("process.inside.gid", "null"), ("process.inside.home", "[]"),
        ("process.workingDirectory", "1"), ("process.hostName", "1"), ("process.shell", "'true'"),
        ("process.systemCalls", "'bpf'"), ("process.apparmor", "1"),
        ("process.selfTest", "1"), ("process.secretProvider", "'yes'"),
        ("process.stopGrace", "30"), ("filesystem", "1"), ("filesystem.root", "true"), ("filesystem.read", "'/x'"),
        ("filesystem.write", "{}"), ("filesystem.tmp", "64"), ("filesystem.sharedMemory", "0"),
        ("filesystem.home", "true"),
        ("filesystem.data", "'1G'"), ("filesystem.data.size", "1"), ("filesystem.data.target", "1"),
        ("filesystem.data.source", "1"),
        ("filesystem.data.mustEnforceSize", "1"), ("filesystem.workspace", "true"),
        ("filesystem.workspace.source", "1"),
        ("filesystem.workspace.mode", "1"), ("filesystem.workspace.size", "1"), ("filesystem.executeWritable", "0"),
        ("network", "'none'"), ("network.publish", "18789"), ("network.listen", "80"), ("network.allow", "'*'"),
        ("network.deny", "'*'"), ("network.allowPrivate", "'10.0.0.0/8'"), ("network.budgets", "1"),
        ("network.budgets.requestsPerMinute", "'1'"), ("network.budgets.connectionsPerMinute", "true"),
        ("network.budgets.connections", "'1'"), ("network.budgets.uploadPerHour", "1"),
        ("network.budgets.headerSize", "1024"), ("network.budgets.urlSize", "1024"), ("network.budgets.idle", "60"),
        ("network.budgets.total", "60"), ("network.budgets.response", "60"), ("network.upstream", "[]"),
        ("network.upstream.resolvers", "'192.0.2.1'"), ("network.upstream.trust", "1"),
        ("network.onGatewayExit", "true"),
        ("commands", "'npm'"), ("sessions", "'session'"), ("sessions.profile", "[]"),
        ("sessions.workspaces", "'/data'"),
        ("sessions.most", "'1'"), ("sessions.secrets", "'github'"),
        ("health", "true"), ("health.http", "'/'"), ("health.http.port", "'1'"), ("health.http.path", "1"),
        ("health.tcp", "1"), ("health.tcp.port", "'1'"), ("health.exec", "'x'"), ("health.startPeriod", "1"),
        ("health.interval", "1"), ("health.timeout", "1"), ("health.retries", "'1'"),
        ("restart", "'always'"), ("restart.on", "true"), ("restart.delay", "1"), ("restart.longest", "60"),
        ("restart.most", "'5'"), ("restart.within", "600"),
        ("alerts", "true"), ("alerts.defaults", "1"), ("alerts.rules", "{}"), ("alerts.webhook", "1"),
        ("alerts.command", "'x'"),
        ("secrets", "{}"), ("canaries", "{}"),
        ("approvals", "true"), ("approvals.ask", "'network'"), ("approvals.timeout", "60"),
        ("approvals.fourEyes", "true"), ("approvals.notify", "true"), ("approvals.notify.command", "'x'"),
        ("approvals.notify.webhook", "1"), ("approvals.notify.webhookSecret", "1"), ("approvals.notify.desktop", "1"),
        ("spend", "'5 USD'"), ("spend.perDay", "5"), ("spend.tokensPerDay", "'1'"), ("spend.requestsPerDay", "0"),
        ("spend.onLimit", "true"), ("spend.unknownModels", "1"), ("spend.providers", "'a.b'"), ("spend.prices", "{}"),
        ("spend.fields", "'x'"),
        ("limits", "null"),
        ("limits.memory", "1"), ("limits.swap", "0"), ("limits.processes", "'1'"), ("limits.cpus", "true"),
        ("limits.openFiles", "'1'"),
        ("limits.fileSize", "1"), ("optional", "'landlock'"),
    ]

    /// One change to an empty profile, what the difference says of it, and of its reverse.
    static let steps: [(String, [String], [String])] = [
        (
            "{ network: { publish: ['18789'] } }", ["+ network.publish 127.0.0.1:18789 → 18789"],
            ["- network.publish 127.0.0.1:18789 → 18789"]
        ),
        (
            "{ sessions: { profile: 's', workspaces: ['/data/a:ro'] } }",
            ["- sessions none", "+ sessions profile s", "+ sessions at most 16", "+ sessions /data/a read-only"],
            ["- sessions profile s", "- sessions at most 16", "- sessions /data/a read-only", "+ sessions none"]
        ),
        (
            "{ health: { tcp: { port: 80 } } }",
            [
                "- health none", "+ health connection to 127.0.0.1:80", "+ health every 10s, within 5s",
                "+ health unhealthy after 3 failures, and not before 1m of starting",
            ],
            [
                "- health connection to 127.0.0.1:80", "- health every 10s, within 5s",
                "- health unhealthy after 3 failures, and not before 1m of starting", "+ health none",
            ]
        ),
        (
            "{ approvals: { ask: ['network'] } }",
            [
                "- approvals none", "+ approvals network: what no rule allows waits for somebody to say yes",
                "+ approvals 1m without an answer is a no",
            ],
            [
                "- approvals network: what no rule allows waits for somebody to say yes",
                "- approvals 1m without an answer is a no", "+ approvals none",
            ]
        ),
        (
            "{ restart: { on: 'failure', most: 2 } }",
            ["~ restart.on never → failure", "~ restart.most 5 → 2"],
            ["~ restart.on failure → never", "~ restart.most 2 → 5"]
        ),
        (
            "{ alerts: { rules: [{ name: 'a', watch: 'denials', above: 3, actions: ['stop'] }] } }",
            ["- alerts none", "+ alerts a: more than 3 denials within 1m; warning, to log, stop, at most once in 10m"],
            ["- alerts a: more than 3 denials within 1m; warning, to log, stop, at most once in 10m", "+ alerts none"]
        ),
        (
            "{ limits: { memory: '512M' } }", ["~ limits.memory not limited → 512M"],
            ["~ limits.memory 512M → not limited"]
        ),
        ("{ process: { environment: { A: 'b' } } }", ["+ process.environment A=b"], ["- process.environment A=b"]),
        ("{ process: { inside: { uid: 7 } } }", ["~ process.inside.uid 1000 → 7"], ["~ process.inside.uid 7 → 1000"]),
        (
            "{ network: { listen: [80] } }",
            ["- network.listen any port of its own loopback", "+ network.listen 80"],
            ["- network.listen 80", "+ network.listen any port of its own loopback"]
        ),
        ("{ optional: ['time'] }", ["+ optional time"], ["- optional time"]),
        (
            "{ filesystem: { read: [{ source: '/a', target: '/b', specialFiles: true }] } }",
            ["+ filesystem.read /a → /b with special files"], ["- filesystem.read /a → /b with special files"]
        ),
        (
            "{ filesystem: { data: { size: '1G', source: '/s', mustEnforceSize: true } } }",
            ["~ filesystem.data none → 1G at /data from /s, enforced"],
            ["~ filesystem.data 1G at /data from /s, enforced → none"]
        ),
    ]
}
