internal import Crypto
internal import JailCore
internal import JailPlan
internal import SecretTraces

/// The canaries of one jail, made anew at each start. What they say is known to its supervisor and its way out, and in the
/// jail; it stands in no plan, no log and no file of the host's.
struct PlantedCanaries: Sendable {
    let plans: [CanaryPlan]
    let canaries: [Canary]

    init(_ plans: [CanaryPlan]) {
        self.plans = plans
        guard !plans.isEmpty else {
            canaries = []
            return
        }
        var random = SystemRandomNumberGenerator()
        // Any 32 bytes are a seed (RFC 8032, 5.1.5); a canary whose key fits nothing would still be one.
        let maker = CanaryMaker { seed in
            (try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)).map { Array($0.publicKey.rawRepresentation) }
                ?? seed
        }
        canaries = plans.map { maker.make($0.kind, using: &random) }
    }

    var isEmpty: Bool { plans.isEmpty }

    /// What stands in the files, by the index of the canary.
    var texts: [String] { canaries.map(\.text) }

    /// As the way out and the supervisor know them.
    var known: [KnownCanary] { canaries.map(\.known) }

    /// `NAME=value`, of the jail's environment and not of the plan's.
    var variables: [String] {
        zip(plans, canaries).compactMap { plan, canary in
            guard case .variable(let name) = plan.place, let token = canary.token else { return nil }
            return "\(name)=\(token)"
        }
    }

    /// Which one is where, for whoever looks after it; never what it says.
    var json: JSON {
        .array(
            zip(plans, canaries).map { plan, canary in
                guard case .object(let members) = plan.json else { return plan.json }
                return .object([("id", .string(canary.id))] + members)
            })
    }
}
