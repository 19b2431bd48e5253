/// Numbers from 0 in the order of their last use, every operation in constant time: a doubly linked list in two arrays.
struct UseOrder {
    private var before: [Int]
    private var after: [Int]
    /// The list's two ends meet here.
    private let end: Int

    init(capacity: Int) {
        end = capacity
        before = Array(0...capacity)
        after = before
    }

    /// The one that was not used for longest; nil if none ever was.
    var oldest: Int? { after[end] == end ? nil : after[end] }

    /// Makes this the last one used, whether it was in the list or not.
    mutating func use(_ number: Int) {
        // One that is in no list is its own neighbour.
        after[before[number]] = after[number]
        before[after[number]] = before[number]
        let newest = before[end]
        after[newest] = number
        before[number] = newest
        after[number] = end
        before[end] = number
    }
}
