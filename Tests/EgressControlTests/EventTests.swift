import JailCore
import Testing

@testable import EgressControl

struct `An event of the way out` {
    static var full: EgressEvent {
        var event = EgressEvent(.request, .denied, time: 1_700_000_000_123)
        event.scheme = "https"
        event.host = "example.org"
        event.port = 443
        event.method = "POST"
        event.path = "/a/b"
        event.rule = "network.allow[0]"
        event.reason = "POST is not among the methods"
        event.remedy = "{ hosts: [\"example.org\"], methods: [\"POST\"] }"
        event.status = 403
        event.sent = 1
        event.received = 2
        event.milliseconds = 3
        return event
    }

    @Test func `is read as it was written`() {
        for event in [Self.full, EgressEvent(.gateway, .failed, time: 0)] {
            #expect(EgressEvent(text: Array(event.json.text().utf8)) == event)
        }
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "{\"subject\":\"request\"}", #"{"subject":"request","verdict":"denied","time":-1}"#,
        #"{"subject":"x","verdict":"denied","time":1}"#, #"{"subject":"request","verdict":"denied","time":1,"x":1}"#,
        #"{"subject":"request","verdict":"denied","time":1,"time":1}"#,
        #"{"subject":"request","verdict":"denied","time":1,"port":65536}"#,
        #"{"subject":"request","verdict":"denied","time":1,"port":"80"}"#,
        #"{"subject":"request","verdict":"denied","time":1,"host":1}"#,
        #"{"subject":"request","verdict":"denied","time":1,"host":"a\u001b[2J"}"#,
        #"{"subject":"request","verdict":"denied","time":1,"reason":"a\nb"}"#,
        #"{"subject":"request","verdict":"denied","time":1,"reason":"\u202e"}"#,
        #"{"subject":"request","verdict":"denied","time":1,"sent":-1}"#,
        #"{"subject":"request","verdict":"denied","time":1} {}"#,
    ])
    func `of any other form is refused`(text: String) {
        #expect(EgressEvent(text: Array(text.utf8)) == nil)
    }

    @Test func `cut at any byte is refused`() {
        let text = Array(Self.full.json.text().utf8)
        for count in text.indices { #expect(EgressEvent(text: Array(text.prefix(count))) == nil) }
    }

    @Test func `with a text that is too long is refused, and never written`() {
        let long = String(repeating: "ä", count: 600)
        let text = #"{"subject":"request","verdict":"denied","time":1,"path":"\#(long)"}"#
        #expect(EgressEvent(text: Array(text.utf8)) == nil)
        var event = Self.full
        event.path = "/" + long
        event.reason = String(repeating: "\u{1b}\"\\", count: 2000)
        event.remedy = event.reason
        event.host = event.reason
        event.method = event.reason
        event.rule = event.reason
        event.scheme = event.reason
        let line = event.line
        #expect(line.utf8.count + 2 <= EgressMessage.sizeLimit, "\(line.utf8.count)")
        let read = EgressEvent(text: Array(line.utf8))
        #expect(read?.path?.hasSuffix("ä…") == true && read?.path?.utf8.count ?? 0 <= EgressEvent.textLimit)
    }
}
