import JailPolicy
import NIOCore
import TestSupport
import Testing

@testable import EgressDNS

struct `Name table` {
    private let quarantine: Int64 = 600

    @Test func `a name keeps its address, and an address its name`() throws {
        let table = try NameTable()
        let first = try #require(table.address(for: host("a.example"), now: .second(0)))
        let second = try #require(table.address(for: host("b.example"), now: .second(0)))
        #expect(first == 0xC612_0001)
        #expect(second == 0xC612_0002)
        #expect(try table.address(for: host("a.example"), now: .second(9_999)) == first)
        #expect(try table.name(of: first, now: .second(9_999)) == host("a.example"))
        #expect(try table.name(of: second, now: .second(99_999)) == host("b.example"))
        #expect(table.count == 2)
    }

    @Test(arguments: [0, 0x7F00_0001, 0xC612_0000, 0xC612_0003, 0xC613_FFFE, 0xC613_FFFF, 0xC614_0000, UInt32.max])
    func `an address that was never handed out means nothing`(address: UInt32) throws {
        let table = try NameTable()
        _ = try table.address(for: host("a.example"), now: .second(0))
        #expect(table.name(of: address, now: .second(0)) == nil)
    }

    private func full(at now: NIODeadline, descriptor: Int32? = nil) throws -> NameTable {
        let table = try NameTable(descriptor: descriptor, now: now)
        for number in 0..<NameTable.capacity {
            try #require(try table.address(for: host("n\(number).example"), now: now) != nil)
        }
        return table
    }

    @Test func `a full table refuses until a name is old enough, and gives up the oldest`() throws {
        let table = try full(at: .second(0))
        // Both kinds of use keep a name.
        _ = try table.address(for: host("n0.example"), now: .second(10))
        #expect(try table.name(of: 0xC612_0002, now: .second(10)) == host("n1.example"))
        #expect(try table.address(for: host("new.example"), now: .second(quarantine - 1)) == nil)
        let address = try #require(table.address(for: host("new.example"), now: .second(quarantine)))
        #expect(address == NameTable.range.lowerBound + UInt32(NameTable.capacity))
        #expect(table.count == NameTable.capacity)
        #expect(try table.name(of: 0xC612_0001, now: .second(quarantine)) == host("n0.example"))
        #expect(try table.name(of: 0xC612_0002, now: .second(quarantine)) == host("n1.example"))
        #expect(table.name(of: 0xC612_0003, now: .second(quarantine)) == nil)
        // The name that was given up gets another address.
        #expect(try table.address(for: host("n2.example"), now: .second(quarantine)) == address + 1)
    }

    @Test func `a refusal is not remembered for longer than it holds`() throws {
        let table = try full(at: .second(0))
        for second in 0..<quarantine {
            #expect(try table.address(for: host("new.example"), now: .second(second)) == nil)
        }
        #expect(try table.address(for: host("new.example"), now: .second(quarantine)) != nil)
    }

    @Test func `every address of the range is handed out before one comes again`() throws {
        let table = try full(at: .second(0))
        var former = NameTable.range.lowerBound + UInt32(NameTable.capacity) - 1
        var number = NameTable.capacity
        while former < NameTable.range.upperBound {
            let now = NIODeadline.second(Int64(number) * quarantine)
            let address = try #require(try table.address(for: host("n\(number).example"), now: now))
            try #require(address == former + 1)
            former = address
            number += 1
        }
        // Round the range once; its first ones are nobody's by now.
        let now = NIODeadline.second(Int64(number) * quarantine)
        #expect(try table.address(for: host("last.example"), now: now) == NameTable.range.lowerBound)
    }

    @Test func `no address ever stands for two names within its quarantine`() throws {
        var generator = Seeded(5)
        let table = try full(at: .second(0))
        var lastUse: [UInt32: (name: HostName, second: Int64)] = [:]
        var second: Int64 = 0
        for _ in 0..<50_000 {
            second += Int64.random(in: 0...1, using: &generator)
            let name = try host("n\(Int.random(in: 0..<20_000, using: &generator)).example")
            guard let address = table.address(for: name, now: .second(second)) else { continue }
            if let last = lastUse[address] { #expect(last.name == name || second - last.second >= quarantine) }
            lastUse[address] = (name, second)
            #expect(table.name(of: address, now: .second(second)) == name)
        }
    }
}

struct `Name table on file` {
    @Test func `names keep their addresses over a restart, and the next one goes on`() throws {
        let file = try MemoryFile()
        let before = try NameTable(descriptor: file.descriptor, now: .second(0))
        let addresses = try (0..<100).map { try before.address(for: host("n\($0).example"), now: .second(0)) }
        let after = try NameTable(descriptor: file.descriptor, now: .second(1))
        #expect(after.count == 100)
        for (number, address) in addresses.enumerated() {
            #expect(try after.name(of: #require(address), now: .second(1)) == host("n\(number).example"))
            #expect(try after.address(for: host("n\(number).example"), now: .second(1)) == address)
        }
        #expect(try after.address(for: host("new.example"), now: .second(1)) == NameTable.range.lowerBound + 100)
    }

    @Test func `an evicted name is gone from the file as well`() throws {
        let file = try MemoryFile()
        let before = try NameTable(descriptor: file.descriptor, now: .second(0))
        for number in 0..<NameTable.capacity {
            _ = try before.address(for: host("n\(number).example"), now: .second(0))
        }
        let address = try #require(before.address(for: host("new.example"), now: .second(600)))
        let after = try NameTable(descriptor: file.descriptor, now: .second(600))
        #expect(after.count == NameTable.capacity)
        #expect(try after.name(of: address, now: .second(600)) == host("new.example"))
        #expect(after.name(of: NameTable.range.lowerBound, now: .second(600)) == nil)
        // What was restored counts as used just now.
        #expect(try after.address(for: host("other.example"), now: .second(1_199)) == nil)
        #expect(try after.address(for: host("other.example"), now: .second(1_200)) == address + 1)
    }

    private func entry(_ name: String, _ address: UInt32, grant: UInt64) throws -> [UInt8] {
        NameRecord(name: try host(name), address: address, grant: grant).bytes
    }

    @Test func `entries that are not sound are dropped, the others hold`() throws {
        let file = try MemoryFile()
        var damaged = try entry("damaged.example", 0xC612_0005, grant: 5)
        damaged[17] ^= 1
        file.bytes =
            try damaged + entry("good.example", 0xC612_0006, grant: 6) + entry("far.example", 0x0808_0808, grant: 7)
            + entry("edge.example", 0xC612_0000, grant: 8) + entry("none.example", 0xC612_0009, grant: 0)
            + entry("many.example", 0xC612_000A, grant: 1 << 48) + [UInt8](repeating: 0, count: 512)
            + entry("cut.example", 0xC612_000B, grant: 10).dropLast()
        let table = try NameTable(descriptor: file.descriptor, now: .second(0))
        #expect(table.count == 1)
        #expect(try table.name(of: 0xC612_0006, now: .second(0)) == host("good.example"))
        // New names fill the gaps and do not write over the sound entry.
        for number in 0..<10 { _ = try table.address(for: host("n\(number).example"), now: .second(0)) }
        let after = try NameTable(descriptor: file.descriptor, now: .second(1))
        #expect(after.count == 11)
        #expect(try after.name(of: 0xC612_0006, now: .second(1)) == host("good.example"))
        #expect(try after.name(of: 0xC612_0007, now: .second(1)) == host("n0.example"))
    }

    @Test func `two names of one address are both dropped, and two addresses of one name`() throws {
        let file = try MemoryFile()
        file.bytes =
            try entry("a.example", 0xC612_0001, grant: 1) + entry("b.example", 0xC612_0001, grant: 2)
            + entry("c.example", 0xC612_0003, grant: 3) + entry("c.example", 0xC612_0004, grant: 4)
            + entry("d.example", 0xC612_0005, grant: 5)
        let table = try NameTable(descriptor: file.descriptor, now: .second(0))
        #expect(table.count == 1)
        #expect(try table.name(of: 0xC612_0005, now: .second(0)) == host("d.example"))
    }

    @Test func `no single changed bit of an entry goes unnoticed`() throws {
        let good = try entry("good.example", 0xC612_0006, grant: 6)
        #expect(NameRecord(good[...]) != nil)
        for bit in 0..<good.count * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(NameRecord(bytes[...]) == nil)
        }
    }

    @Test func `random files are read without harm`() throws {
        var generator = Seeded(3)
        let file = try MemoryFile()
        for _ in 0..<50 {
            var bytes = try (0..<20).flatMap { number in
                try entry("n\(number).example", 0xC612_0001 + UInt32(number), grant: UInt64(number + 1))
            }
            for _ in 0..<40 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<600, using: &generator))
            file.bytes = bytes
            let table = try NameTable(descriptor: file.descriptor, now: .second(0))
            for address in 0xC612_0001...0xC612_0014 as ClosedRange<UInt32> {
                guard let name = table.name(of: address, now: .second(0)) else { continue }
                #expect(name.text == "n\(address - 0xC612_0001).example")
            }
        }
    }

    @Test func `what cannot be written is not handed out`() throws {
        let file = try MemoryFile()
        let descriptor = try file.readOnly()
        let table = try NameTable(descriptor: descriptor, now: .second(0))
        #expect(try table.address(for: host("a.example"), now: .second(0)) == nil)
        #expect(table.writeFailure == NameStoreError(call: "pwrite", errno: 9))
        #expect(table.count == 0)
    }

    @Test func `a descriptor that cannot be read is an error`() {
        #expect(throws: NameStoreError(call: "pread", errno: 9)) { try NameTable(descriptor: -1, now: .second(0)) }
    }
}
