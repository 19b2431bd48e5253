/// The one decision function of the network, compiled from `network` of a profile. Pure.
package struct NetworkPolicy: Sendable {
    package let rules: NetworkRules

    package init(_ rules: NetworkRules) { self.rules = rules }

    package func decide(_ question: NetworkQuestion) -> NetworkVerdict {
        .deny(NetworkDenial(reason: "nothing is allowed"))
    }

    /// The second stage, for an address that an allowed name resolved to (or that was asked for as such): nil if it may
    /// be dialled.
    package func refusal(of address: IPAddress) -> NetworkDenial? { nil }

    /// Every port that a rule names, ascending: those that the jail gets listeners for.
    package var ports: [UInt16] { [] }
}
