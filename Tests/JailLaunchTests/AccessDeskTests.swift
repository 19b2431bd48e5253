import JailApprovals
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

struct `The desk that lets people in` {
    private final class Fixture {
        let state: TemporaryDirectory
        let desk: AccessDesk
        private let host = Host()

        private final class Host {
            var now = ApprovalMoment(monotonic: 1_000_000_000_000, realtime: 1_700_000_000_000)
            var groups = "ops:x:200:ann\n"
        }

        var now: ApprovalMoment {
            get { host.now }
            set { host.now = newValue }
        }
        var groups: String {
            get { host.groups }
            set { host.groups = newValue }
        }

        init(_ deciders: String? = nil, owner: UInt32 = 900) throws {
            state = try TemporaryDirectory()
            if let deciders {
                try state.file("deciders.json5", deciders)
                try System.changeMode(state.path + "/deciders.json5", 0o644)
            }
            let host = host
            desk = AccessDesk(owner: owner, state: state.path, now: { host.now }) {
                let passwd = "ann:x:1001:100::/:/bin/sh\nbob:x:1002:100::/:/bin/sh\nclaw:x:900:900::/:/bin/false\n"
                return (Accounts(passwd: Array(passwd.utf8)), AccountGroups(group: Array(host.groups.utf8)))
            }
        }

        func admit(
            _ uid: UInt32, to ability: ApprovalRole.Ability, token: String? = nil,
            through door: AccessDesk.Door = .deciders
        ) -> String {
            do throws(AccessDesk.Refusal) {
                return try desk.admit(token, by: uid, through: door, to: ability).role.rawValue
            } catch { return error.status == ExitStatus.notThere ? "not there" : "refused" }
        }
    }

    private static let list = """
        { deciders: [
          { user: 'ann', role: 'approver', owner: 'claw' }, { group: 'ops', role: 'operator' }, { user: 'claw', role: 'admin' },
        ] }
        """

    @Test func `at the jail's own socket everybody may do everything, for only root and its user reach that`() throws {
        let fixture = try Fixture(owner: 1001)
        #expect(fixture.admit(1001, to: .decide, through: .own) == "admin")
        #expect(fixture.admit(0, to: .handle, through: .own) == "admin")
    }

    @Test func `at the deciders' socket a user is nobody without the list`() throws {
        let fixture = try Fixture()
        for ability in [.see, .handle, .decide, .administer] as [ApprovalRole.Ability] {
            #expect(fixture.admit(1001, to: ability) == "not there")
        }
        #expect(fixture.admit(0, to: .decide) == "admin")
    }

    @Test func `the list says what a user may do about the jails of one owner`() throws {
        let fixture = try Fixture(Self.list)
        #expect(fixture.admit(1001, to: .see) == "approver" && fixture.admit(1001, to: .decide) == "approver")
        #expect(fixture.admit(1001, to: .handle) == "refused")
        #expect(fixture.admit(1002, to: .see) == "not there")
        let other = try Fixture(Self.list, owner: 901)
        #expect(other.admit(1001, to: .handle) == "operator" && other.admit(1001, to: .decide) == "refused")
        other.groups = "ops:x:200:\n"
        #expect(other.admit(1001, to: .see) == "not there", "they have left the group just now")
    }

    @Test func `the user that a jail runs as never decides without a token, whatever the list says`() throws {
        let fixture = try Fixture(Self.list)
        #expect(fixture.admit(900, to: .see) == "not there" && fixture.admit(900, to: .decide) == "not there")
    }

    @Test func `a list that cannot be trusted or understood lets nobody in, and only the log hears why`() throws {
        let fixture = try Fixture(Self.list)
        try System.changeMode(fixture.state.path + "/deciders.json5", 0o666)
        #expect(throws: AccessDesk.Refusal.self) {
            do throws(AccessDesk.Refusal) {
                _ = try fixture.desk.admit(nil, by: 1001, through: .deciders, to: .see)
            } catch {
                #expect(error.reason == AccessDesk.Refusal.invisible.reason)
                #expect(error.told?.reason.contains("nobody else can write to") == true)
                throw error
            }
        }
    }

    @Test func `wrong tokens of one user leave the others heard`() throws {
        let fixture = try Fixture()
        let right = try token(fixture, "otto", .operator)
        let wrong = AccessToken.text(of: [UInt8](repeating: 0, count: AccessToken.randomCount))
        for _ in 0..<5 { #expect(fixture.admit(1001, to: .see, token: wrong) == "refused") }
        #expect(fixture.admit(1001, to: .see, token: right) == "refused", "too many wrong ones")
        #expect(fixture.admit(1002, to: .handle, token: right) == "operator")
        fixture.now.monotonic += TokenGuard.interval
        #expect(fixture.admit(1001, to: .see, token: right) == "operator")
    }

    @Test func `a token for another owner's jails learns nothing, not even that there is one`() throws {
        let fixture = try Fixture()
        let stranger = try token(fixture, "eve", .admin, owner: 901)
        let own = try token(fixture, "otto", .viewer)
        for ability in [.see, .handle, .decide] as [ApprovalRole.Ability] {
            #expect(fixture.admit(1001, to: ability, token: stranger) == "not there")
        }
        #expect(fixture.admit(1001, to: .see, token: own) == "viewer")
        for ability in [.handle, .decide] as [ApprovalRole.Ability] {
            #expect(fixture.admit(1001, to: ability, token: own) == "refused")
        }
    }

    private func token(_ fixture: Fixture, _ name: String, _ role: ApprovalRole, owner: UInt32 = 900) throws -> String {
        let text = AccessToken.text(of: try System.randomBytes(AccessToken.randomCount))
        let token = AccessToken(
            name: name, role: role, owner: owner, created: fixture.now.realtime,
            expires: fixture.now.realtime + 3_600_000,
            digest: AccessToken.digest(of: text))
        try TokenFile.change(fixture.state.path, "tokens.json") { (list) throws(JailError) in
            do throws(ValueError) { try list.add(token) } catch { throw JailError(.usage, reason: error.reason) }
        }
        return text
    }
}
