import EgressGateway
import JailPolicy
import NIOCore
import Testing

@Suite struct BudgetTests {
    let start = NIODeadline.uptimeNanoseconds(1)

    func budgets(_ change: (inout NetworkBudgets) -> Void) -> Budgets {
        var rules = NetworkBudgets()
        change(&rules)
        return Budgets(rules, now: start)
    }

    @Test func `requests come back with time`() {
        var budgets = budgets { $0.requestsPerMinute = 60 }
        for _ in 0..<60 { #expect(budgets.request(start) == nil) }
        #expect(budgets.request(start)?.contains("requestsPerMinute (60)") == true)
        #expect(budgets.request(start + .seconds(1)) == nil)
        #expect(budgets.request(start + .seconds(1)) != nil)
    }

    @Test func `connections count while they are open`() {
        var budgets = budgets { $0.connections = 2 }
        #expect(budgets.openConnection(start) == nil)
        #expect(budgets.openConnection(start) == nil)
        #expect(budgets.openConnection(start)?.contains("connections (2)") == true)
        budgets.closeConnection()
        #expect(budgets.openConnection(start) == nil)
    }

    @Test func `new connections come back with time`() {
        var budgets = budgets { $0.connectionsPerMinute = 2 }
        for _ in 0..<2 {
            #expect(budgets.openConnection(start) == nil)
            budgets.closeConnection()
        }
        #expect(budgets.openConnection(start)?.contains("connectionsPerMinute (2)") == true)
        #expect(budgets.connections == 0)
        #expect(budgets.openConnection(start + .seconds(30)) == nil)
    }

    @Test func `uploads are summed over an hour, and what is refused does not count`() {
        var budgets = budgets { $0.uploadPerHour = 100 }
        #expect(budgets.upload(60, start) == nil)
        #expect(budgets.upload(41, start)?.contains("uploadPerHour") == true)
        #expect(budgets.upload(40, start + .minutes(30)) == nil)
        #expect(budgets.upload(1, start + .minutes(59)) != nil)
        #expect(budgets.upload(60, start + .minutes(61)) == nil)
        #expect(budgets.upload(1, start + .minutes(61)) != nil)
        #expect(budgets.upload(100, start + .hours(5)) == nil)
        #expect(budgets.upload(.max, start + .hours(9)) != nil)
    }
}
