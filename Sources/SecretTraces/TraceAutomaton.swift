/// Finds many texts at once in one pass (Aho and Corasick, 1975), in time that grows with the bytes read and with nothing
/// else, whatever they are.
///
/// A trie with links to the longest suffix that is in it as well. Nodes have lists of children and no tables: the texts are
/// few and long, so nearly all nodes have one child.
final class TraceAutomaton: Sendable {
    /// 0 is the root, which is nobody's child.
    typealias State = Int32

    fileprivate struct Node: Sendable {
        var byte: UInt8
        /// How many bytes lead here.
        var depth: Int32
        var child: State = 0
        var sibling: State = 0
        var fail: State = 0
        /// The nearest node, from here along the links, at which a text ends; 0: none.
        var output: State = 0
        /// The depth of the nearest node, from here along the links, from which a text goes on.
        var live: Int32 = 0
    }

    private let nodes: [Node]
    private let first: [State]
    /// Whose texts end at a node.
    private let owners: [State: [Int]]
    /// Of the texts.
    let longest: Int

    init(_ texts: [(text: [UInt8], owner: Int)]) {
        var trie = Trie()
        for (text, owner) in texts where !text.isEmpty { trie.insert(text, owner) }
        trie.link()
        nodes = trie.nodes
        first = trie.first
        owners = trie.owners
        longest = texts.map(\.text.count).max() ?? 0
    }

    var count: Int { nodes.count }

    /// The node of the longest beginning of a text with which what has been read ends.
    @inline(__always) func step(_ state: State, _ byte: UInt8) -> State {
        nodes.step(state, byte) ?? first[Int(byte)]
    }

    /// Whether a text begins so.
    func begins(with byte: UInt8) -> Bool { first[Int(byte)] != 0 }

    func depth(_ state: State) -> Int { Int(nodes[Int(state)].depth) }

    /// So many of the last bytes may still be the beginning of a text.
    func live(_ state: State) -> Int { Int(nodes[Int(state)].live) }

    /// Whether what has been read ends with a text.
    @inline(__always) func hasMatch(_ state: State) -> Bool { nodes[Int(state)].output != 0 }

    /// The longest text with which what has been read ends, in bytes; 0: none.
    func matched(_ state: State) -> Int { depth(nodes[Int(state)].output) }

    /// Whose texts those are with which what has been read ends.
    func owners(_ state: State, _ body: (Int) -> Void) {
        var output = nodes[Int(state)].output
        while output != 0 {
            for owner in owners[output] ?? [] { body(owner) }
            output = nodes[Int(nodes[Int(output)].fail)].output
        }
    }
}

extension [TraceAutomaton.Node] {
    fileprivate typealias State = TraceAutomaton.State

    @inline(__always) fileprivate func child(of state: State, _ byte: UInt8) -> State? {
        var child = self[Int(state)].child
        while child != 0 {
            if self[Int(child)].byte == byte { return child }
            child = self[Int(child)].sibling
        }
        return nil
    }

    /// Anywhere but at the root; nil: there.
    @inline(__always) fileprivate func step(_ state: State, _ byte: UInt8) -> State? {
        var state = state
        while state != 0 {
            if let child = child(of: state, byte) { return child }
            state = self[Int(state)].fail
        }
        return nil
    }
}

/// While it is made.
private struct Trie {
    typealias State = TraceAutomaton.State

    var nodes = [TraceAutomaton.Node(byte: 0, depth: 0)]
    var first = [State](repeating: 0, count: 256)
    var owners: [State: [Int]] = [:]

    mutating func insert(_ text: [UInt8], _ owner: Int) {
        var state: State = 0
        for byte in text { state = nodes.child(of: state, byte) ?? add(byte, to: state) }
        if owners[state]?.contains(owner) != true { owners[state, default: []].append(owner) }
    }

    private mutating func add(_ byte: UInt8, to parent: State) -> State {
        let state = State(nodes.count)
        var node = TraceAutomaton.Node(byte: byte, depth: nodes[Int(parent)].depth + 1)
        node.sibling = nodes[Int(parent)].child
        nodes[Int(parent)].child = state
        nodes.append(node)
        if parent == 0 { first[Int(byte)] = state }
        return state
    }

    /// Breadth first, so that what a link leads to has its own links already.
    mutating func link() {
        var queue: [State] = [0]
        var next = 0
        while next < queue.count {
            let state = queue[next]
            next += 1
            let node = nodes[Int(state)]
            nodes[Int(state)].output = owners[state] == nil ? nodes[Int(node.fail)].output : state
            nodes[Int(state)].live = node.child == 0 ? nodes[Int(node.fail)].live : node.depth
            var child = node.child
            while child != 0 {
                let byte = nodes[Int(child)].byte
                nodes[Int(child)].fail = state == 0 ? 0 : nodes.step(node.fail, byte) ?? first[Int(byte)]
                queue.append(child)
                child = nodes[Int(child)].sibling
            }
        }
    }
}
