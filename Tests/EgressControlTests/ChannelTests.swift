import JailCore
import JailPolicy
import SecretTraces
import TestSupport
import Testing

@testable import EgressControl

@Suite(.timeLimit(.minutes(1)))
struct `The channel between supervisor and way out` {
    struct Pair {
        let supervisor: SharedDescriptor
        let channel: EgressChannel

        init() throws {
            let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
            supervisor = SharedDescriptor(OwnedDescriptor(ours))
            channel = EgressChannel(OwnedDescriptor(theirs))
            try System.setNonBlocking(supervisor.borrowed)
            try System.setNonBlocking(channel.socket)
        }

        func receive() throws -> EgressMessage.Report? {
            let received = try System.receive(supervisor.borrowed, most: EgressMessage.sizeLimit, descriptors: 3)
            defer { for number in received.descriptors { System.close(number) } }
            return try EgressMessage.report(received.bytes, received.descriptors.map(Descriptor.init))
        }
    }

    static func file(_ content: [UInt8], sealed: Bool = true) throws -> SharedDescriptor {
        SharedDescriptor(try System.makeMemoryFile("test", content, sealed: sealed))
    }

    @Test func `a setup arrives as it was sent`() throws {
        let pair = try Pair()
        var rules = NetworkRules()
        rules.allow = [NetworkRule(hosts: [.any], methods: ["GET"], ports: [443, 80])]
        let names = try Self.file([], sealed: false)
        let files = try [Array(rules.json.text().utf8), [1, 2], [3], [4, 5]].map { try Self.file($0) }
        for state in [nil, try Self.file([9])] {
            try System.send(
                pair.supervisor.borrowed,
                EgressMessage.setup(jail: "j\"1", profile: "p", wantsJavaTrustStore: true).bytes,
                descriptors: files.map(\.borrowed) + [names.borrowed] + (state.map { [$0.borrowed] } ?? []))
            guard case .setup(let setup) = try pair.channel.nextOrder() else { throw SystemError(.check, .invalid) }
            #expect(setup.jail == "j\"1" && setup.profile == "p" && setup.wantsJavaTrustStore)
            #expect(setup.rules == rules)
            #expect(setup.trust == [1, 2])
            #expect(setup.resolver == ResolverFiles(resolvConf: [3], hosts: [4, 5]))
            #expect(setup.state == (state == nil ? nil : [9]))
        }
    }

    @Test func `canaries arrive with a setup, beside what else there is, and malformed ones are refused`() throws {
        let pair = try Pair()
        let known = [
            KnownCanary(id: "aws-1", marks: [[0, 1, 255], [7]]), KnownCanary(id: "env-2", marks: [Array("x".utf8)]),
        ]
        let names = try Self.file([], sealed: false)
        let files = try [Array(NetworkRules().json.text().utf8), [], [], []].map { try Self.file($0) }
        func send(_ text: String) throws -> EgressOrder? {
            let canaries = try Self.file(Array(text.utf8))
            let state = try Self.file([9])
            try System.send(
                pair.supervisor.borrowed,
                EgressMessage.setup(jail: "j", profile: "p", wantsJavaTrustStore: false, hasCanaries: true).bytes,
                descriptors: files.map(\.borrowed) + [names.borrowed, canaries.borrowed, state.borrowed])
            return try pair.channel.nextOrder()
        }
        guard case .setup(let setup) = try send(known.text) else { throw SystemError(.check, .invalid) }
        #expect(setup.canaries == known && setup.state == [9] && setup.secrets.isEmpty)
        for text in [
            "{}", "[{}]", "[{ id: 'a', marks: [] }]", "[{ id: 'a', marks: ['0'] }]", "[{ id: 'a', marks: ['0g'] }]",
        ] {
            #expect(throws: SystemError(.check, .invalid)) { _ = try send(text) }
        }
    }

    @Test func `sockets keep their order, as many as there may be`() throws {
        let pair = try Pair()
        let ports = (0..<UInt16(EgressSockets.mostListeners)).map { 1000 + $0 }
        let sent = try (0..<(ports.count + EgressSockets.fixedCount)).map { try Self.file([UInt8($0)]) }
        try System.send(
            pair.supervisor.borrowed, EgressMessage.sockets(proxy: 3128, ports: ports).bytes,
            descriptors: sent.map(\.borrowed))
        guard case .sockets(let sockets) = try pair.channel.nextOrder() else { throw SystemError(.check, .invalid) }
        let all = [sockets.dnsDatagram, sockets.dnsStream, sockets.proxy.socket] + sockets.listeners.map(\.socket)
        #expect(try all.map { try System.readContent($0, limit: 1) } == (0..<UInt8(all.count)).map { [$0] })
        #expect(sockets.proxy.port == 3128 && sockets.listeners.map(\.port) == ports)
        for socket in all { System.close(socket.number) }
    }

    @Test func `an identity arrives, and only from files that cannot change`() throws {
        let pair = try Pair()
        let identity = EgressIdentity(certificate: [1], state: [2, 3], javaTrustStore: [])
        try pair.channel.announce(identity)
        guard case .ready(let read) = try pair.receive() else { throw SystemError(.check, .invalid) }
        #expect(read.certificate == [1] && read.state == [2, 3] && read.javaTrustStore.isEmpty)
        let ready = EgressMessage.ready.bytes
        let good = try Self.file([1])
        let open = try Self.file([1], sealed: false)
        let pipe = try System.pipe()
        for bad in [[good, open, good], [good, good], [good, good, SharedDescriptor(pipe.takeReadEnd())]] {
            #expect(try EgressMessage.report(ready, bad.map(\.borrowed)) == nil)
        }
        #expect(try EgressMessage.report(ready + [0], [good, good, good].map(\.borrowed)) == nil)
    }

    @Test func `an event carries no descriptor, and no message of another kind is heard`() throws {
        let event = EgressMessage.events([EventFixture.event.line]).packet.bytes
        #expect(try EgressMessage.report(event, []) != nil)
        #expect(try EgressMessage.report(event, [try Self.file([]).borrowed]) == nil)
        for byte in UInt8.min...UInt8.max where byte != 0x42 {
            #expect(try EgressMessage.report([byte] + event.dropFirst(), []) == nil)
        }
        #expect(try EgressMessage.report([], []) == nil)
    }

    @Test func `a failure names a call that there is`() throws {
        let bytes = EgressMessage.failure(SystemError(.seccomp, .notPermitted)).bytes
        guard case .failure(let error) = try EgressMessage.report(bytes, []) else {
            throw SystemError(.check, .invalid)
        }
        #expect(error == SystemError(.seccomp, .notPermitted))
        for text in [
            #"{"call":"x","errno":1}"#, #"{"call":"seccomp","errno":0}"#, #"{"call":"seccomp","errno":99999}"#,
        ] {
            #expect(try EgressMessage.report([bytes[0]] + Array(text.utf8), []) == nil)
        }
    }

    @Test func `a full channel says so, and has room again once it is read`() throws {
        let pair = try Pair()
        var sent = 0
        while try pair.channel.report([EventFixture.event.line]) == 1 { sent += 1 }
        #expect(sent > 10)
        #expect(try pair.channel.report([EventFixture.event.line, EventFixture.event.line]) == 0)
        for _ in 0..<sent { _ = try pair.receive() }
        #expect(try pair.channel.report([EventFixture.event.line]) == 1)
    }

    @Test func `many events cross in few messages, all of them and in their order`() throws {
        let pair = try Pair()
        let events = (0..<300).map { EgressEvent(.request, .allowed, time: $0) }
        #expect(try pair.channel.report(events.map(\.line)) == 300)
        var read: [EgressEvent] = []
        var messages = 0
        while read.count < 300, case .events(let some)? = try pair.receive() {
            read += some
            messages += 1
        }
        #expect(read == events && messages < 10, "\(messages)")
    }

    @Test func `one bad line spoils a message`() throws {
        let good = EgressMessage.events([EventFixture.event.line]).packet.bytes
        #expect(try EgressMessage.report(good + Array("{}\n".utf8), []) == nil)
    }

    @Test func `one channel brings another, which works`() throws {
        let pair = try Pair()
        try System.send(pair.supervisor.borrowed, EgressMessage.share.bytes)
        guard case .share = try pair.channel.nextOrder() else { throw SystemError(.check, .invalid) }
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        let supervisor = SharedDescriptor(OwnedDescriptor(ours))
        do {
            let end = SharedDescriptor(OwnedDescriptor(theirs))
            try System.send(pair.supervisor.borrowed, EgressMessage.attach.bytes, descriptors: [end.borrowed])
        }
        guard case .attach(let channel) = try pair.channel.nextOrder() else { throw SystemError(.check, .invalid) }
        #expect(try channel.report([EventFixture.event.line]) == 1)
        #expect(try System.receive(supervisor.borrowed, most: EgressMessage.sizeLimit).bytes.isEmpty == false)
        channel.shutDown()
        #expect(try System.receive(supervisor.borrowed, most: EgressMessage.sizeLimit).bytes.isEmpty)
    }

    @Test func `what comes with an order that is none is closed`() throws {
        let pair = try Pair()
        for bytes in [[9], EgressMessage.share.bytes, EgressMessage.attach.bytes + [0], EgressMessage.resolver.bytes] {
            let pipe = try System.pipe().release()
            let reader = OwnedDescriptor(pipe.readEnd)
            do {
                let writer = SharedDescriptor(OwnedDescriptor(pipe.writeEnd))
                try System.send(pair.supervisor.borrowed, bytes, descriptors: [writer.borrowed])
            }
            #expect(throws: SystemError.self) { _ = try pair.channel.takeOrder() }
            // Its end: nobody holds the other one any more.
            #expect(try System.pollNow(reader.borrowed) & System.PollEvents.hangUp != 0)
        }
    }

    @Test func `without an order there is none to take`() throws {
        let pair = try Pair()
        #expect(throws: SystemError(.recvmsg, .wouldBlock)) { _ = try pair.channel.takeOrder() }
    }

    @Test func `the supervisor's end is the end`() throws {
        let pair = try Pair()
        _ = pair.supervisor.take()
        let order = try pair.channel.nextOrder()
        #expect(order == nil)
        #expect(throws: SystemError.self) { _ = try pair.channel.report([EventFixture.event.line]) }
    }

    @Test(arguments: [
        [UInt8]([0]), [9], [1], [2], [3, 0], [4, 0], [5], [6], [2] + Array(#"{"proxy":1,"ports":[1]}"#.utf8),
    ])
    func `an order that is none ends the gateway`(bytes: [UInt8]) throws {
        let pair = try Pair()
        try System.send(pair.supervisor.borrowed, bytes)
        #expect(throws: SystemError(.check, .invalid)) { _ = try pair.channel.nextOrder() }
    }
}

enum EventFixture {
    static let event = EgressEvent(.gateway, .failed, time: 1)
}
