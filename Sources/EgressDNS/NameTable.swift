package import JailPolicy
package import NIOCore

/// Which synthetic address stands for which name. Confined to one event loop.
///
/// An address belongs to one name for as long as anybody may remember it: a name gives its address up only when the
/// table is full and nobody asked for it or used it for ten minutes, and the address itself comes round again only
/// after all others of the range. In between it means nothing, and a connection to it is refused.
package final class NameTable {
    /// 198.18.0.0/15, set apart for benchmarks (RFC 2544) and so of no use on the Internet; without its first and last.
    package static let range: ClosedRange<UInt32> = 0xC612_0001...0xC613_FFFE
    /// Names at a time.
    package static let capacity = 8_192
    /// How long an address may still be remembered after its last answer or use.
    package static let quarantine = TimeAmount.minutes(10)

    private struct Slot {
        var record: NameRecord
        var lastUse: NIODeadline
    }

    private let store: NameStore?
    /// Whose the descriptor is.
    private let owner: AnyObject?
    /// As in the file.
    private var slots = [Slot?](repeating: nil, count: NameTable.capacity)
    /// Slots with nothing in them; the last is the next to be filled.
    private var freeSlots: [Int] = []
    private var slotOfName: [HostName: Int] = [:]
    private var slotOfAddress: [UInt32: Int] = [:]
    /// Counts addresses handed out; the greatest number belongs to the one handed out last.
    private var grants: UInt64 = 0
    private var lastAddress = NameTable.range.upperBound
    private var useOrder = UseOrder(capacity: NameTable.capacity)

    /// What the last failed write to the descriptor said. While it fails, no name gets an address: after a restart the
    /// same address could go to another one.
    package private(set) var writeFailure: NameStoreError?

    /// - Parameters:
    ///   - descriptor: a file that only this process and the supervisor have, such as a memfd; it stays the caller's, and
    ///     keeps the names for a process that comes after this one. What is in it already is checked, and entries that
    ///     are not sound are dropped. nil: the names end with this process.
    ///   - owner: what closes the descriptor when it goes; it is kept as long as the table.
    package init(
        descriptor: Int32? = nil, keeping owner: AnyObject? = nil, now: NIODeadline = .now()
    ) throws(NameStoreError) {
        self.owner = owner
        store = descriptor.map { NameStore(descriptor: $0, capacity: Self.capacity) }
        if let store { restore(try store.records(), now: now) }
        freeSlots = slots.indices.reversed().filter { slots[$0] == nil }
    }

    package var count: Int { slotOfName.count }

    /// The address that stands for a name, a new one if it has none; nil if there is none to be had. Counts as use.
    package func address(for name: HostName, now: NIODeadline) -> UInt32? {
        if let slot = slotOfName[name] { return use(slot, now: now)?.address }
        guard let slot = freeSlots.last ?? evictableSlot(now: now), let address = nextAddress() else { return nil }
        let record = NameRecord(name: name, address: address, grant: grants + 1)
        // First on file, then in force: a process that comes after this one must never know less.
        do throws(NameStoreError) {
            try store?.write(record, at: slot)
            writeFailure = nil
        } catch {
            writeFailure = error
            return nil
        }
        if freeSlots.last == slot { freeSlots.removeLast() }
        put(record, at: slot, now: now)
        return address
    }

    /// The name that an address stands for; nil if it stands for none (any more). Counts as use.
    package func name(of address: UInt32, now: NIODeadline) -> HostName? {
        slotOfAddress[address].flatMap { use($0, now: now)?.name }
    }

    private func use(_ slot: Int, now: NIODeadline) -> NameRecord? {
        guard let lastUse = slots[slot]?.lastUse else { return nil }
        slots[slot]?.lastUse = max(lastUse, now)
        useOrder.use(slot)
        return slots[slot]?.record
    }

    private func put(_ record: NameRecord, at index: Int, now: NIODeadline) {
        if let former = slots[index]?.record {
            slotOfName[former.name] = nil
            slotOfAddress[former.address] = nil
        }
        slots[index] = Slot(record: record, lastUse: now)
        useOrder.use(index)
        slotOfName[record.name] = index
        slotOfAddress[record.address] = index
        if record.grant > grants {
            grants = record.grant
            lastAddress = record.address
        }
    }

    /// Where the name is that was not used for longest, if that is long enough.
    private func evictableSlot(now: NIODeadline) -> Int? {
        guard let oldest = useOrder.oldest, let lastUse = slots[oldest]?.lastUse else { return nil }
        return lastUse + Self.quarantine <= now ? oldest : nil
    }

    /// The next one round the range that is nobody's. Far fewer are in use than there are.
    private func nextAddress() -> UInt32? {
        var address = lastAddress
        for _ in 0...Self.capacity {
            address = address < Self.range.upperBound ? address + 1 : Self.range.lowerBound
            if slotOfAddress[address] == nil { return address }
        }
        return nil
    }

    /// Takes over the entries of a process that came before this one, as used just now. Where two have the same name or
    /// the same address nobody can tell which one holds, so that neither does.
    private func restore(_ records: [(slot: Int, record: NameRecord)], now: NIODeadline) {
        let sound = records.filter { Self.range.contains($0.record.address) }
        let names = Dictionary(grouping: sound, by: \.record.name).mapValues(\.count)
        let addresses = Dictionary(grouping: sound, by: \.record.address).mapValues(\.count)
        for (slot, record) in sound where names[record.name] == 1 && addresses[record.address] == 1 {
            put(record, at: slot, now: now)
        }
    }
}
