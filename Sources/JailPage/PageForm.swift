internal import JailApprovals
internal import JailPolicy
package import PageControl

/// The fields of a form, as browsers send them (application/x-www-form-urlencoded, see the URL standard).
package struct PageForm: Equatable, Sendable {
    package static let type = "application/x-www-form-urlencoded"
    /// Bytes of a body.
    package static let sizeLimit = 8 << 10
    private static let mostFields = 16

    private var fields: [String: String] = [:]

    /// - Parameter body: of a stranger.
    /// - Returns: nil: it is none, says something twice, or has what is not of one line.
    package init?(_ body: [UInt8]) {
        guard body.count <= Self.sizeLimit else { return nil }
        let parts = body.split(separator: UInt8(ascii: "&"))
        guard parts.count <= Self.mostFields else { return nil }
        for part in parts {
            let halves = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let name = Self.text(halves[0]), let value = Self.text(halves[1]),
                fields.updateValue(value, forKey: name) == nil
            else { return nil }
        }
    }

    private static func text(_ part: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { return nil }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// nil: it is not there.
    package subscript(name: String) -> String? { fields[name] }

    /// The same, and nil as well where nothing was put in.
    private func filled(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

    // MARK: Orders

    package struct Refusal: Error, Equatable {
        package let reason: String
    }

    /// What is to be decided.
    package func decision() throws(Refusal) -> PageCall.Order {
        guard let jail = filled("jail"), let id = fields["id"].flatMap({ UInt64($0) }) else {
            throw Refusal(reason: "a decision is about a jail, and something of its")
        }
        let reason = filled("reason")
        switch fields["decision"] {
        case "approve": return .approve(jail: jail, id: id, try terms(), reason: reason)
        case "deny": return .deny(jail: jail, id: id, reason: reason)
        case "revoke": return .revoke(jail: jail, grant: id)
        default: throw Refusal(reason: "a decision is to approve, to deny or to revoke")
        }
    }

    /// Exactly what one button says; the field of another one is not looked at.
    private func terms() throws(Refusal) -> ApprovalTerms? {
        switch fields["how"] {
        case "once": return nil
        case "end": return ApprovalTerms()
        case "time":
            do throws(ValueError) { return ApprovalTerms(time: try TimeSpan.parse(fields["time"] ?? "")) } catch {
                throw Refusal(reason: "the time \(error.reason)")
            }
        case "uses":
            guard let uses = fields["uses"].flatMap({ UInt64($0) }) else {
                throw Refusal(reason: "uses are a number from 1 to \(ApprovalTerms.mostUses)")
            }
            return ApprovalTerms(uses: uses)
        default: throw Refusal(reason: "an approval says how far it goes")
        }
    }

    /// A lockdown of one jail, or of all.
    package func lockdown() throws(Refusal) -> PageCall.Order {
        guard let reason = filled("reason") else { throw Refusal(reason: "a lockdown has a reason") }
        guard let jail = filled("jail") else { throw Refusal(reason: "a lockdown is of a jail, or of all") }
        return .lockdown(jail: jail == "*" ? nil : jail, reason: reason)
    }
}
