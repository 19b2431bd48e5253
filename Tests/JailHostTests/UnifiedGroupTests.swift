import JailCore
import JailHost
import JailPlan
import Testing

/// Layouts of version 2, without such a host.
@Suite struct `Our own group of the unified hierarchy` {
    private static let all: Set<String> = ["memory", "pids", "cpu"]

    private func group(_ change: (inout UnifiedGroup) -> Void = { _ in }) -> UnifiedGroup {
        var group = UnifiedGroup(directory: "/c/own")
        group.controllers = Self.all
        group.isWritable = true
        change(&group)
        return group
    }

    private static let manager = (
        kind: ScopeOffer.Manager.user, socket: "/run/user/1/systemd/private", controllers: all
    )

    private func facts(
        wanting: Set<String> = all, outlivesCaller: Bool = false, _ change: (inout UnifiedGroup) -> Void
    ) -> CgroupFacts {
        group(change).facts(wanting: wanting, outlivesCaller: outlivesCaller)
    }

    private func expectScope(_ reason: String, _ facts: CgroupFacts, _ location: SourceLocation = #_sourceLocation) {
        guard case .scope(let offer) = facts else {
            Issue.record("\(facts)", sourceLocation: location)
            return
        }
        #expect(offer.reason.contains(reason), "\(offer.reason)", sourceLocation: location)
        #expect(offer.socket == Self.manager.socket && offer.manager == .user, sourceLocation: location)
    }

    @Test func `what is delegated is used, also beside a manager`() {
        let own = CgroupFacts.v2(directory: "/c/own", controllers: Self.all)
        #expect(facts { $0.delegation = .delegated } == own)
        #expect(
            facts {
                $0.delegation = .delegated
                $0.manager = Self.manager
            } == own)
        // A container, or a host without a service manager.
        #expect(facts { $0.delegation = .noUnit } == own)
    }

    @Test func `what is not ours, or will not do, is exchanged for a scope`() {
        expectScope(
            "is not this user's",
            facts {
                $0.isWritable = false
                $0.manager = Self.manager
            })
        expectScope(
            "is not delegated",
            facts {
                $0.delegation = .unmarked
                $0.manager = Self.manager
            })
        expectScope(
            "other processes share",
            facts {
                $0.delegation = .delegated
                $0.isShared = true
                $0.manager = Self.manager
            })
        expectScope(
            "does not have cpu",
            facts {
                $0.delegation = .delegated
                $0.controllers = ["memory", "pids"]
                $0.manager = Self.manager
            })
        // What is not needed is not missed.
        #expect(
            facts(wanting: ["memory"]) {
                $0.delegation = .delegated
                $0.controllers = ["memory"]
                $0.manager = Self.manager
            } == .v2(directory: "/c/own", controllers: ["memory"]))
    }

    @Test func `a jail in the background does not stay in its caller's unit`() {
        expectScope(
            "would end with its caller's unit",
            facts(outlivesCaller: true) {
                $0.delegation = .delegated
                $0.manager = Self.manager
            })
        #expect(
            facts(outlivesCaller: true) { $0.delegation = .delegated }
                == .v2(directory: "/c/own", controllers: Self.all))
    }

    @Test func `without a manager the reason is told, with what to do`() {
        for (word, change) in [
            ("may not make cgroups", { $0.isWritable = false }),
            ("other processes share", { $0.isShared = true }),
        ] as [(String, (inout UnifiedGroup) -> Void)] {
            guard case .unavailable(let reason) = facts(change) else {
                Issue.record("\(word): it was accepted")
                continue
            }
            #expect(reason.contains(word) && reason.contains("systemd-run --user --scope -p Delegate=yes"))
        }
        // A unit of an older systemd, whose mark only root can see: the manager has given the user the group.
        #expect(facts { $0.delegation = .unmarked } == .v2(directory: "/c/own", controllers: Self.all))
    }

    @Test(
        arguments: [
            (
                "/user.slice/user-1.slice/user@1.service/app.slice/a.scope",
                "/user.slice/user-1.slice/user@1.service/app.slice/a.scope"
            ),
            ("/system.slice/a.service/clawjail-supervisors", "/system.slice/a.service"),
            ("/user.slice/user-1.slice/session-3.scope", "/user.slice/user-1.slice/session-3.scope"),
            ("/clawjail-supervisors", nil), ("/", nil), ("/docker/x", nil), ("/.service", nil), ("/a.servicex/b", nil),
        ] as [(String, String?)])
    func `the last unit of a path counts`(path: String, unit: String?) {
        #expect(UnifiedGroup.unit(of: path) == unit)
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("/a.scope/clawjail-supervisors", "/a.scope"), ("/clawjail-supervisors", "/"), ("/", "/"),
        ("/a/clawjail-supervisors/b", "/a/clawjail-supervisors/b"),
        ("/xclawjail-supervisors", "/xclawjail-supervisors"),
    ])
    func `what a supervisor has started belongs where that one came from`(path: String, home: String) {
        #expect(UnifiedGroup.home(path) == home)
    }
}
