internal import JailCore
internal import JailPlan
internal import SecretTraces

/// The canaries of one jail, made anew at each start. What they say is known to its supervisor and its way out, and in the
/// jail; it stands in no plan, no log and no file of the host's.
struct PlantedCanaries: Sendable {
    let plans: [CanaryPlan]
    let canaries: [Canary]
    let registered: [RegisteredCanary]

    /// - Parameter registered: those on the host, which are looked for as well.
    init(_ plans: [CanaryPlan], registered: [RegisteredCanary] = []) {
        self.plans = plans
        self.registered = plans.isEmpty ? [] : registered
        canaries = plans.isEmpty ? [] : CanaryRegister.make(plans.map(\.kind))
    }

    /// Those of a plan, with what the host has besides.
    init(_ plan: LaunchPlan) throws(JailError) {
        self.init(
            plan.canaries, registered: plan.canaries.isEmpty ? [] : try CanaryRegister.all(in: plan.stateDirectory))
    }

    var isEmpty: Bool { plans.isEmpty }

    /// What stands in the files, by the index of the canary.
    var texts: [String] { canaries.map(\.text) }

    /// As the way out and the supervisor know them.
    var known: [KnownCanary] { canaries.map(\.known) + registered.map(\.known) }

    /// Of each, by its id.
    var kinds: [String: Canary.Kind] {
        let all = canaries.map { ($0.id, $0.kind) } + registered.map { ($0.known.id, $0.kind) }
        return Dictionary(all) { first, _ in first }
    }

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
