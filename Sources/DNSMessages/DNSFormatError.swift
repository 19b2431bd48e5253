/// Why bytes are no DNS message. Nothing is ever read from a message that has one of these faults.
package enum DNSFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes end before what they announce.
    case truncated
    /// A label whose first two bits are neither those of a length nor those of a pointer (RFC 1035, 4.1.4).
    case label
    /// A compression pointer that does not lead backwards, or one of too many in a name.
    case pointer
    /// A name of more than 255 bytes.
    case nameLength
    /// Numbers of questions or records that the kind of message cannot have.
    case counts
    /// Bytes behind the last record.
    case trailing
    /// A record whose data is not what its type has.
    case record
    /// A header that the kind of message cannot have.
    case header

    package var description: String {
        switch self {
        case .truncated: "it ends too early"
        case .label: "a label of an unknown kind"
        case .pointer: "a compression pointer that does not lead backwards"
        case .nameLength: "a name of more than 255 bytes"
        case .counts: "a number of records that it cannot have"
        case .trailing: "bytes behind its end"
        case .record: "a record whose data does not fit its type"
        case .header: "a header that it cannot have"
        }
    }
}
