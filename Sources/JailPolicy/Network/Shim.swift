package struct Authority { package var host: Host; package var port: UInt16?
  package init?(wire: some Sequence<UInt8>) { nil } }
extension Host { package var text: String { "" }
 package var authorityText: String { "" } }
extension IPAddress { package var text: String { "" }
 package var isV4: Bool { if case .v4 = self { true } else { false } } }
package struct BudgetRules: Sendable, Equatable, Hashable { package var requestsPerMinute: UInt64 = 1, connectionsPerMinute: UInt64 = 1, connections = 1, uploadPerHour: UInt64 = 1, headerSize: UInt64 = 1, urlSize: UInt64 = 1, idle: UInt64 = 1, total: UInt64 = 1, response: UInt64 = 1 }
package struct NamedResolver: Sendable { package var address: IPAddress; package var port: UInt16 }
package struct UpstreamRules: Sendable { package var resolvers: [NamedResolver] = [] }
extension NetworkRules { package var budgets: BudgetRules { BudgetRules() }
 package var upstream: UpstreamRules { UpstreamRules() } 
 }
extension NetworkPolicy { package func allowsPrivate(_ a: IPAddress) -> Bool { false } }
