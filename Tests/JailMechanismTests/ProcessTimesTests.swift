import JailCore
import Testing

@testable import JailCgroups

struct `Processor time of processes` {
    @Test func `a name that looks like fields changes nothing`() {
        let stat = "7 (a) 1 (2) S 1 7 7 0 -1 4194560 99 0 0 0 11 22 33 44 20 0 1 0 5 0 0"
        #expect(ProcessTimes.ticks(Array(stat.utf8)) == 110)
        #expect(ProcessTimes.ticks(Array("7 (sh) S 1 7".utf8)) == nil && ProcessTimes.ticks([]) == nil)
        #expect(ProcessTimes.ticks(Array("7 (sh) S 1 7 7 0 -1 4 9 0 0 0 11 x 33 44 20 0 1 0 5".utf8)) == nil)
    }

    @Test func `a group that is gone has none`() {
        #expect(ProcessTimes.sum(of: "/sys/fs/cgroup/there-is-none") == nil)
    }
}
