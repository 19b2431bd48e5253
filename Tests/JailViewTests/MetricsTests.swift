import Testing

@testable import JailCgroups
@testable import JailView

struct `Metrics for Prometheus` {
    private var samples: [JailSample] {
        [
            .made("gw") { sample in
                sample.figures?.health = "healthy"
                sample.figures?.requests = .init(allowed: 7, denied: 2, failed: 1)
                sample.figures?.sent = 123
                sample.figures?.limits = ["limits.memory": 1]
                sample.usage?.memoryPressure = .init(some: "1.50", full: "0.00")
                sample.usage?.milliCPUs = 1500
            },
            .made("gw/chat") { sample in
                sample.figures = nil
                sample.usage = nil
                sample.profile = "a\"b\\c"
            },
        ]
    }

    @Test func `figures have base units, and labels of jail and profile`() {
        let text = Metrics.text(samples, version: "1.2.3")
        for line in [
            #"clawjail_build_info{version="1.2.3"} 1"#, "clawjail_jails 2",
            #"clawjail_up{jail="gw",profile="research"} 1"#, #"clawjail_up{jail="gw/chat",profile="a\"b\\c"} 0"#,
            #"clawjail_health_status{jail="gw",profile="research",state="healthy"} 1"#,
            #"clawjail_health_status{jail="gw",profile="research",state="starting"} 0"#,
            #"clawjail_cpu_seconds_total{jail="gw",profile="research"} 0.5"#,
            #"clawjail_cpu_limit_cores{jail="gw",profile="research"} 1.5"#,
            #"clawjail_memory_bytes{jail="gw",profile="research"} 67108864"#,
            #"clawjail_pressure_ratio{jail="gw",profile="research",resource="memory",waiting="some"} 0.015"#,
            #"clawjail_network_requests_total{jail="gw",profile="research",verdict="denied"} 2"#,
            #"clawjail_network_sent_bytes_total{jail="gw",profile="research"} 123"#,
            #"clawjail_limits_reached_total{jail="gw",profile="research",limit="limits.memory"} 1"#,
        ] {
            #expect(text.contains("\n" + line + "\n"), "\(line)")
        }
    }

    @Test func `each family has its help and type once, and its samples together`() {
        let lines = Metrics.text(samples, version: "1").split(separator: "\n")
        var seen: Set<Substring> = []
        var current: Substring = ""
        for line in lines {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                current = words[2]
                #expect(seen.insert(current).inserted, "\(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == current && (words[3] == "counter") == current.hasSuffix("_total"), "\(line)")
            } else {
                #expect(line.prefix { $0 != "{" && $0 != " " } == current, "\(line)")
            }
        }
        #expect(seen.count > 20)
    }

    @Test func `what is not counted is left out`() {
        let text = Metrics.text([.made("x") { $0.figures?.tells = .denials }], version: "1")
        #expect(!text.contains("verdict=\"allowed\"") && text.contains("verdict=\"denied\""))
        #expect(!text.contains("sent_bytes") && !text.contains("health_status") && !text.contains("pressure"))
        #expect(!Metrics.text([], version: "1").contains("clawjail_up"))
    }

    private func answer(_ request: String, overNetwork: Bool = true) -> String? {
        MetricsRequest.answer(Array(request.utf8), overNetwork: overNetwork) { "m 1\n" }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test func `a request is answered when it is complete`() {
        #expect(answer("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9\r\n") == nil)
        let reply = answer("GET /metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n") ?? ""
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n") && reply.hasSuffix("\r\n\r\nm 1\n"))
        #expect(reply.contains("Content-Length: 4\r\n") && reply.contains("version=0.0.4"))
        #expect(answer("HEAD /metrics HTTP/1.0\r\n\r\n")?.hasSuffix("close\r\n\r\n") == true)
    }

    @Test(arguments: [
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
        ("GET /metrics HTTP/1.1\r\n\r\n", "403"), ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"),
        ("GET /metrics HTTP/1.1\r\nhost:127.evil.example\r\n\r\n", "403"),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "403"), ("hello\r\n\r\n", "400"),
        ("GET /metrics HTTP/9\r\n\r\n", "400"),
    ])
    func `anything else is refused`(request: String, status: String) {
        #expect(answer(request)?.hasPrefix("HTTP/1.1 \(status) ") == true)
    }

    @Test func `a request has a bound`() {
        #expect(answer(String(repeating: "a", count: 4095)) == nil)
        #expect(answer(String(repeating: "a", count: 4096))?.hasPrefix("HTTP/1.1 431 ") == true)
    }

    @Test func `on a socket of the user's own the host does not matter`() {
        #expect(answer("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", overNetwork: false)?.contains(" 200 ") == true)
    }
}
