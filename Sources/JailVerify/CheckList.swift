internal import JailCore
package import JailPlan
package import JailPolicy

/// What the verifier has ready for the probe, and how far it may go.
package struct Trial: Equatable, Sendable {
    /// Of the verifier's listener on the host's 127.0.0.1.
    package var hostPort: UInt16 = 1
    /// Of an abstract socket that the verifier listens on.
    package var abstractName = "clawjail-verify"
    /// The verifier, as the host numbers it.
    package var processID: Int32 = 1
    /// Bytes of memory that may be used up at most.
    package var mostMemory: UInt64 = 1 << 30
    /// What the jail's own way out goes by, where it is judged by the promises of another profile: what it allows is not
    /// asked, since it would leave the host.
    package var rules: NetworkRules?
    /// What must work is tried as well, though it leaves the host.
    package var online = false
    /// Shown in the jail beyond its plan, for the probe: paths inside.
    package var added: [String] = []

    package init() {}
}

/// The promises that a plan makes, each with the way to try it.
///
/// Derived from the plan and not from the profile alone: what was left out is not promised, and what was resolved is
/// known by its path.
package struct CheckList: Sendable {
    package let checks: [Check]
    /// What the log must say was denied, see ``LogFinding/denied``.
    package let deniedQuestions: Set<String>

    package init(_ plan: LaunchPlan, _ trial: Trial) {
        let maker = CheckMaker(plan: plan, trial: trial)
        deniedQuestions =
            plan.network.egress.map { DeniedQuestions.logged($0, hostPort: trial.hostPort) } ?? []
        checks =
            maker.identity() + maker.isolation() + maker.files() + maker.programs() + maker.systemCalls()
            + maker.limits()
            + maker.network() + maker.secrets() + maker.record()
    }

    /// What jailprobe is to try, besides its own table: each option once.
    package var arguments: [String] {
        var result: [String] = []
        var seen: Set<String> = []
        for check in checks {
            var words = check.arguments[...]
            while let option = words.popFirst() {
                let value = ["--programs", "--wait"].contains(option) ? nil : words.popFirst()
                guard seen.insert("\(option) \(value ?? "")").inserted else { continue }
                result += [option] + (value.map { [$0] } ?? [])
            }
        }
        return result
    }
}

/// Makes the checks of one plan.
struct CheckMaker {
    let plan: LaunchPlan
    let trial: Trial

    func isLeftOut(_ protection: OptionalProtection) -> Bool { plan.leftOut.contains { $0.protection == protection } }

    var binds: [BindPlan] { plan.mounts.compactMap { if case .bind(let bind) = $0 { bind } else { nil } } }

    /// Where something can be written that nobody has brought along: file systems of the jail's own, in memory.
    var scratch: [TmpfsPlan] { plan.mounts.compactMap { if case .tmpfs(let tmpfs) = $0 { tmpfs } else { nil } } }

    /// Directories of the host's that may be written to, or that look so.
    var writable: [(target: String, attributes: MountAttributes)] {
        plan.mounts.compactMap { step in
            switch step {
            case .bind(let bind) where bind.isDirectory && !bind.attributes.contains(.readOnly):
                (bind.target, bind.attributes)
            case .overlay(let overlay): (overlay.target, overlay.attributes)
            default: nil
            }
        }
    }
}
