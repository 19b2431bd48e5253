internal import AuditLog
internal import Crypto
internal import JailApprovals
internal import JailCore
internal import JailPlan

/// Tells people that something waits for them: by a program of the host's, a signed webhook, the desktop. Nothing that comes back
/// is believed, and no answer waits for any of it: who decides uses `clawjail approvals` or its page.
///
/// What comes together is told together, and not too often: whoever is told too often stops looking.
struct ApprovalTelling {
    /// Messages at once, after a while in which there were none.
    static let most: Int64 = 5
    /// Nanoseconds until one more.
    static let interval: Int64 = 10_000_000_000

    private let plan: ApprovalsPlan.Notify
    private let jail: String
    private let redactor: Redactor
    /// What the webhook's messages are signed with.
    var secret: KeptSecret?
    /// Numbers of questions that are to be told.
    private var waiting: [UInt64] = []
    private var left = most
    private var since: Int64

    init(_ plan: ApprovalsPlan.Notify, jail: String, redactor: Redactor, now: ApprovalMoment) {
        self.plan = plan
        self.jail = jail
        self.redactor = redactor
        since = now.monotonic
    }

    /// Of what has happened, what people have to do something about.
    mutating func take(_ news: [ApprovalNews]) {
        for news in news {
            switch news.what {
            case .asked(let id), .endorsed(let id, _, _): if !waiting.contains(id) { waiting.append(id) }
            case .approved, .denied, .withdrawn, .dropped, .used, .ended: break
            }
        }
    }

    /// Monotonic nanoseconds at which there may be something to be told though nothing has happened.
    var due: Int64? { waiting.isEmpty ? nil : left > 0 ? since : since + Self.interval }

    /// What is to be started now, with what it reads.
    ///
    /// - Parameter entries: what waits still. Of the others nobody needs to hear any more.
    mutating func messages(
        _ entries: [ApprovalEntry], fourEyes: (ApprovalEntry) -> Bool, _ now: ApprovalMoment
    ) -> [(command: HostCommandPlan, input: [UInt8])] {
        fill(now)
        let told = entries.filter { waiting.contains($0.id) }
        waiting = told.map(\.id)
        guard !told.isEmpty, left > 0 else { return [] }
        left -= 1
        waiting = []
        // A command's words may hold what nobody outside of this host is to see.
        let list = redactor.redact(.array(told.map { $0.json(now: now, fourEyes: fourEyes($0)) }))
        let message: [(String, JSON)] = [
            ("event", "approvals"), ("jail", .string(jail)), ("time", .number(now.realtime)), ("entries", list),
        ]
        return commands(message, told, now)
    }

    private func commands(
        _ message: [(String, JSON)], _ told: [ApprovalEntry], _ now: ApprovalMoment
    ) -> [(command: HostCommandPlan, input: [UInt8])] {
        var commands: [(command: HostCommandPlan, input: [UInt8])] = []
        if let command = plan.command { commands.append((command, Array((JSON.object(message).text() + "\n").utf8))) }
        if let webhook = plan.webhook, let secret {
            // What chat services show of what they are told.
            let line = redactor.redact(
                "clawjail: jail '\(jail)' asks for approval: " + told.map(\.subject.text).joined(separator: "; "))
            let body = JSON.object(message + [("text", .string(line)), ("content", .string(line))])
            let headers = Self.signature(of: body.text(), at: now.realtime / 1000, with: secret)
            commands.append((webhook.command, HostCommandPlan.webhookInput(webhook.address, body, headers: headers)))
        }
        if var desktop = plan.desktop {
            // It takes arguments and nothing else: so nothing that the jail has chosen is among them.
            let count = told.count == 1 ? "something" : "\(told.count) things"
            desktop.arguments += [
                "--app-name=clawjail", "--urgency=normal", "--", "clawjail: jail \(jail)",
                "it asks for approval of \(count): clawjail approvals",
            ]
            commands.append((desktop, []))
        }
        return commands
    }

    /// Headers by which whoever gets a message sees that it is one of ours, and a new one.
    ///
    /// - Parameter time: in seconds since the epoch.
    static func signature(of body: String, at time: Int64, with secret: KeptSecret) -> [(name: String, value: String)] {
        let signed = Array("\(time).\(body)".utf8)
        let code = unsafe secret.bytes.withBytes { bytes in
            unsafe HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: bytes))
        }
        let digits = Array("0123456789abcdef")
        let text = code.map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }.joined()
        return [("X-Clawjail-Timestamp", "\(time)"), ("X-Clawjail-Signature", "sha256=\(text)")]
    }

    private mutating func fill(_ now: ApprovalMoment) {
        let gained = max(0, now.monotonic - since) / Self.interval
        left = min(Self.most, left + gained)
        since = left == Self.most ? now.monotonic : since + gained * Self.interval
    }
}
