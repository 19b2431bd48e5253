/// A dictionary that forgets what was used longest ago. Everything takes constant time: whoever fills it is hostile.
struct RecentlyUsed<Key: Hashable, Value> {
    private struct Node {
        var key: Key
        var value: Value
        var newer: Int?
        var older: Int?
    }

    private let capacity: Int
    /// Nodes never move, so that they can name one another.
    private var nodes: [Node] = []
    private var places: [Key: Int] = [:]
    private var newest: Int?
    private var oldest: Int?

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    var count: Int { nodes.count }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let place = places[key] else { return nil }
            touch(place)
            return nodes[place].value
        }
    }

    mutating func insert(_ value: Value, for key: Key) {
        if let place = places[key] {
            nodes[place].value = value
            touch(place)
        } else if nodes.count < capacity {
            nodes.append(Node(key: key, value: value))
            places[key] = nodes.count - 1
            link(nodes.count - 1)
        } else if let place = oldest {
            unlink(place)
            places[nodes[place].key] = nil
            nodes[place] = Node(key: key, value: value)
            places[key] = place
            link(place)
        }
    }

    private mutating func touch(_ place: Int) {
        guard newest != place else { return }
        unlink(place)
        link(place)
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (nodes[place].newer, nodes[place].older)
        if let newer { nodes[newer].older = older } else { newest = older }
        if let older { nodes[older].newer = newer } else { oldest = newer }
    }

    private mutating func link(_ place: Int) {
        nodes[place].newer = nil
        nodes[place].older = newest
        if let newest { nodes[newest].newer = place } else { oldest = place }
        newest = place
    }
}
