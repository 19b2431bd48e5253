/// What a request is for: a name, or an address that was written as one.
package enum Host: Hashable, Sendable {
    case name(HostName)
    case address(IPAddress)
}
