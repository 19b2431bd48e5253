internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The network. What is asked here the policy denies: the way out answers by itself, and nothing leaves the host.
extension CheckMaker {
    func network() -> [Check] {
        [interfaces] + (plan.network.egress.map(wayOut) ?? [noWayOut]) + binding + published
    }

    private var interfaces: Check {
        Check(
            "net.interfaces", "a network of its own, with nothing but loopback", tried: "/proc/self/net/dev",
            [.fact("network", "interfaces", is: "lo")])
    }

    private var noWayOut: Check {
        Check(
            "net.none", "no network at all: no route, no name", keys: ["network.allow"],
            tried: "a route to 192.0.2.1, a name", arguments: ["--route", "192.0.2.1", "--resolve", "example.com"],
            [
                .attempt("route 192.0.2.1", is: "errno ENETUNREACH"),
                .attempt("resolve example.com", is: "errno ECONNREFUSED"),
            ])
    }

    private func wayOut(_ egress: EgressPlan) -> [Check] {
        let questions = DeniedQuestions(egress.rules, hostPort: trial.hostPort)
        var checks = [names(questions.names), special(egress, questions.special)]
        if !questions.requests.isEmpty { checks.append(requests(egress, questions.requests)) }
        checks.append(otherPorts(egress))
        checks.append(online(egress))
        return checks
    }

    private static let proxy = EgressPlan.addressText

    private func names(_ names: [String]) -> Check {
        Check(
            "net.names", "a name that no rule allows does not exist",
            keys: ["network.allow", "network.allow[].hosts", "network.deny", "network.deny[].hosts"],
            tried: names.joined(separator: ", "), arguments: names.flatMap { ["--resolve", $0] },
            judge: { evidence in
                let wrong = names.filter { evidence.inside.value("resolve \($0)") != 3 }
                return wrong.isEmpty
                    ? Judgement(.held, "NXDOMAIN")
                    : Judgement(.notHeld, "not NXDOMAIN: \(wrong.joined(separator: ", "))")
            })
    }

    /// Through the proxy, and without it as a program that knows none would: that connection is reset.
    private func special(_ egress: EgressPlan, _ addresses: [(address: String, port: UInt16)]) -> Check {
        if let open = addresses.first(where: {
            DeniedQuestions.isAllowed(by: trial.rules, $0.address, port: $0.port, method: "GET", path: "/")
        }) {
            return Check(
                "net.special", "private and metadata addresses, and this host's own, are refused",
                keys: ["network.allowPrivate"], tried: "asked the policy"
            ) { _ in Judgement(.notHeld, "allowed: \(open.address)") }
        }
        let asked = addresses.map { target in
            let host = target.port == 80 ? target.address : "\(target.address):\(target.port)"
            return "\(Self.proxy):\(egress.proxyPort) GET http://\(host)/ \(host)"
        }
        let direct = DeniedQuestions.direct(egress, addresses).map { "\($0):80 GET / \($0)" }
        let all = asked + (direct.map { [$0] } ?? [])
        return Check(
            "net.special", "private and metadata addresses, and this host's own, are refused",
            keys: ["network.allowPrivate"], tried: addresses.map(\.address).joined(separator: ", "),
            arguments: all.flatMap { ["--request", $0] },
            direct.map { [.attempt("request \($0)", is: "errno ECONNRESET", "errno ECONNREFUSED")] } ?? [],
            judge: { evidence in
                let wrong = asked.filter { evidence.inside.value("request \($0)") != 403 }
                guard wrong.isEmpty else {
                    let targets = wrong.prefix(3).map { Self.target(of: $0) }.joined(separator: ", ")
                    return Judgement(.notHeld, "not refused: \(targets)")
                }
                guard evidence.outside.arrivals == 0 else {
                    return Judgement(.notHeld, "the verifier's listener on 127.0.0.1 was reached")
                }
                return Judgement(.held, "403 (\(asked.count))\(direct == nil ? "" : ", connection reset")")
            })
    }

    private func requests(_ egress: EgressPlan, _ questions: [DeniedQuestions.Request]) -> Check {
        if let open = questions.first(where: {
            DeniedQuestions.isAllowed(by: trial.rules, $0.host, port: 80, method: $0.method, path: $0.path)
        }) {
            return Check(
                "net.requests", "what no rule allows is refused, and the answer says what would allow it",
                keys: ["network.allow[].methods"], tried: "asked the policy"
            ) { _ in Judgement(.notHeld, "allowed: \(open.method) \(open.host)\(open.path)") }
        }
        let asked = questions.map { question in
            (
                text:
                    "\(Self.proxy):\(egress.proxyPort) \(question.method) http://\(question.host)\(question.path) \(question.host)",
                remedy: question.hasRemedy
            )
        }
        return Check(
            "net.requests", "what no rule allows is refused, and the answer says what would allow it",
            keys: [
                "network.allow[].hosts", "network.allow[].methods", "network.allow[].paths", "network.deny[].methods",
                "network.deny[].paths",
            ],
            tried: Self.few(questions.map { "\($0.method) \($0.host)\($0.path == "/" ? "" : $0.path)" }),
            arguments: asked.flatMap { ["--request", $0.text] },
            judge: { evidence in
                for question in asked {
                    let status = evidence.inside.value("request \(question.text)")
                    let target = Self.target(of: question.text)
                    guard status == 403 else {
                        return Judgement(.notHeld, "\(target): \(status.map { "\($0)" } ?? "could not be tried")")
                    }
                    let answer = evidence.inside.answer("request \(question.text)") ?? ""
                    guard !question.remedy || answer.contains("\"allow\":") else {
                        return Judgement(.notHeld, "\(target): 403, which does not say what would allow it")
                    }
                }
                return Judgement(.held, "403 (\(asked.count))")
            })
    }

    private static func few(_ texts: [String]) -> String {
        texts.prefix(2).joined(separator: ", ") + (texts.count > 2 ? " and \(texts.count - 2) more" : "")
    }

    private static func target(of request: String) -> String {
        let words = request.split(separator: " ").map(String.init)
        return words.count == 4 ? "\(words[1]) \(words[2])" : request
    }

    /// Every address is this jail's own inside, so that nothing listens where no rule has a port.
    private func otherPorts(_ egress: EgressPlan) -> Check {
        let port = [UInt16(81), 8081, 4444, 6667].first { !egress.ports.contains($0) } ?? 81
        let request = "192.0.2.1:\(port) GET / 192.0.2.1"
        return Check(
            "net.ports", "no port but those of the rules: \(egress.ports.map { "\($0)" }.joined(separator: ", "))",
            keys: ["network.allow[].ports", "network.deny[].ports"], tried: "port \(port)",
            arguments: ["--request", request], [.attempt("request \(request)", is: "errno ECONNREFUSED")])
    }

    /// What must work. It would leave the host, and so it is asked for by name.
    private func online(_ egress: EgressPlan) -> Check {
        let keys = ["network.allow", "network.allow[].schemes"]
        guard let host = DeniedQuestions.allowedHost(egress.rules) else {
            return Check("net.allowed", "an allowed request works", keys: keys, tried: "not tried") { _ in
                Judgement(.notTried, "no rule allows a plain GET of a host whose name it says")
            }
        }
        guard trial.online else {
            return Check("net.allowed", "an allowed request works", keys: keys, tried: "not tried: GET \(host)") { _ in
                Judgement(.notTried, "it would go to the internet; --online tries it")
            }
        }
        let request = "\(Self.proxy):\(egress.proxyPort) GET http://\(host)/ \(host)"
        return Check(
            "net.allowed", "an allowed request works", keys: keys, tried: "GET http://\(host)/",
            arguments: ["--request", request],
            judge: { evidence in
                let status = evidence.inside.value("request \(request)") ?? 0
                // Whatever the origin says of the path: it was the origin.
                return Judgement((200...499).contains(status) && status != 403, "\(status)")
            })
    }

    // MARK: Ports

    private var binding: [Check] {
        guard let ports = plan.landlock?.bindPorts else { return [] }
        let refused = [UInt16(8081), 4444, 31337].filter { !ports.contains($0) }
        let allowed = ports.filter { $0 >= 1024 }.prefix(4)
        return [
            Check(
                "net.listen", "only the ports of the profile can be listened on", keys: ["network.listen"],
                tried: (Array(allowed) + refused).map { "\($0)" }.joined(separator: ", "),
                arguments: (Array(allowed) + refused).flatMap { ["--bind", "\($0)"] },
                refused.map { .attempt("bind \($0)", is: "errno EACCES") }
                    + allowed.map { port in
                        // There the probe listens itself.
                        let isTaken = plan.network.publish.first?.jailPort == port
                        return Expectation(.attempt("bind \(port)"), ["ok"] + (isTaken ? ["errno EADDRINUSE"] : []))
                    })
        ]
    }

    private var published: [Check] {
        plan.network.publish.prefix(1).map { port in
            Check(
                "net.publish",
                "port \(port.jailPort) is reached through \(port.hostAddressText) of the host, and through no other address",
                keys: ["network.publish"], tried: "connected to, outside", arguments: ["--listen", "\(port.jailPort)"],
                judge: { evidence in
                    guard let finding = evidence.outside.published.first(where: { $0.port == port.jailPort }) else {
                        return Judgement(.notHeld, "could not be tried")
                    }
                    guard finding.isReached else { return Judgement(.notHeld, "not reached") }
                    switch finding.isReachedElsewhere {
                    case true?: return Judgement(.notHeld, "reached through another address as well")
                    case false?: return Judgement(.held, "reached; refused elsewhere")
                    case nil: return Judgement(.held, "reached; this host has no other address to try")
                    }
                })
        }
    }
}

extension PublishedPort {
    fileprivate var hostAddressText: String { IPv4Address.format(hostAddress) }
}
