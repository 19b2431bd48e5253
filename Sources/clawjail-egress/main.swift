internal import EgressControl
internal import EgressGateway
internal import Glibc
internal import JailCore

let channel = EgressChannel(Descriptor(EgressChannel.number))
do throws(SystemError) {
    guard case .setup(let setup) = try channel.nextOrder() else { exit(125) }
    Gateway.run(setup)
} catch {
    exit(125)
}
