import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct GatherTests {
    @Test func `a node profile is gathered`() throws {
        let facts = try gather(["node"], ["node"])
        print(facts)
        var best = Int64.max
        var first: Int64 = 0
        for round in 0..<20 {
            let start = System.monotonicNanoseconds()
            _ = try gather(["node"], ["node"])
            let time = System.monotonicNanoseconds() - start
            if round == 0 { first = time }
            best = min(best, time)
        }
        print("gather for node: first \(first / 1000) µs, best \(best / 1000) µs")
    }
}
