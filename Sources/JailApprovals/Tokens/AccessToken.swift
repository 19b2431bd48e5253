internal import Crypto
package import JailPolicy

/// The name of somebody who may look or decide, and what proves it. Of the proof only the SHA-256 is kept: it is 256 bits from
/// the kernel's generator, which nobody can guess, so that there is nothing that a slow or salted hash would protect.
package struct AccessToken: Equatable, Sendable {
    package var name: String
    package var role: ApprovalRole
    /// Whose jails it is for; nil: everybody's.
    package var owner: UInt32?
    /// Milliseconds since the epoch.
    package var created: Int64
    package var expires: Int64
    /// Of the token's text, in hexadecimal digits.
    package var digest: String

    package init(name: String, role: ApprovalRole, owner: UInt32?, created: Int64, expires: Int64, digest: String) {
        self.name = name
        self.role = role
        self.owner = owner
        self.created = created
        self.expires = expires
        self.digest = digest
    }

    /// What secret scanners and people know it by.
    package static let prefix = "clawjail_"
    package static let randomCount = 32
    /// In milliseconds: a year.
    package static let longest: UInt64 = 366 * 86_400_000

    /// - Parameter random: ``randomCount`` bytes that nobody else has.
    package static func text(of random: [UInt8]) -> String {
        prefix + random.map { byte in String([digits[Int(byte >> 4)], digits[Int(byte & 15)]]) }.joined()
    }

    private static let digits = Array("0123456789abcdef")

    /// Whether a text could be one at all.
    package static func isToken(_ text: String) -> Bool {
        text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + 2 * randomCount
            && text.utf8.dropFirst(prefix.utf8.count).allSatisfy(isDigit)
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

    package static func digest(of text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }.joined()
    }

    package static func checkName(_ text: String) throws(ValueError) {
        guard (1...48).contains(text.utf8.count), text.utf8.allSatisfy(isNameByte) else {
            throw ValueError(expected: "up to 48 letters, digits, '-', '_' and '.'", found: text)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "-_.".utf8.contains(byte)
    }

    /// Whoever holds it.
    package var decider: ApprovalDecider { ApprovalDecider(.token(name), role: role, tenant: owner) }
}
