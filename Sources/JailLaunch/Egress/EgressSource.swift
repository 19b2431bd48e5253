internal import JailCore

/// Where a jail's gateway comes from: from processes of the jail's own, or from those that it shares with other jails.
/// What is said on the gateway's channel is the same.
protocol EgressSource: AnyObject {
    var pollEntries: [System.PollEntry] { get }
    /// Monotonic nanoseconds at which ``news(_:)`` wants to be called though nothing is ready.
    var due: Int64? { get }

    /// Asks for a gateway, the first or one after another has ended.
    ///
    /// - Returns: the supervisor's end of its channel; nil: it comes as news.
    func ask() throws(SystemError) -> SharedDescriptor?

    /// What has happened, in its order.
    func news(_ ready: System.PollResult) throws(SystemError) -> [EgressNews]

    /// The gateway has closed its channel; how it ended may still come.
    func channelEnded()

    /// The gateway has said what it never would: whatever serves others as well must not go on either.
    func distrust()

    /// No gateway is wanted any more. What is this jail's alone has ended when it returns. A second time does nothing.
    func kill()
}

enum EgressNews {
    /// The supervisor's end of the channel that was asked for.
    case channel(SharedDescriptor)
    /// Something that it said beside its channel; worth telling if it ends now.
    case word(String)
    /// The gateway has ended, in this way.
    case ended(String, why: String?, mayRestart: Bool)
}
