import JailCore
import Testing

@testable import JailView

struct `What supervisors answer` {
    @Test func `figures are read, and what is missing is 0`() {
        let text = """
            {"upMilliseconds":5000,"health":"healthy","paused":true,"execs":2,"tells":"everything",\
            "names":{"allowed":0,"denied":3,"failed":0},"requests":{"allowed":9,"denied":1,"failed":2},"sent":10,\
            "received":-5,"lastMinute":{"connections":1,"requests":4,"denials":2},"limits":{"limits.memory":1}}
            """
        let figures = JailFigures(answer: Array(text.utf8))
        #expect(figures?.health == "healthy" && figures?.isPaused == true && figures?.execs == 2)
        #expect(figures?.requests == JailFigures.Tally(allowed: 9, denied: 1, failed: 2))
        #expect(figures?.names.denied == 3 && figures?.connections == JailFigures.Tally())
        #expect(figures?.sent == 10 && figures?.received == 0 && figures?.askedLately == 5)
        #expect(figures?.limits == ["limits.memory": 1])
    }

    @Test(arguments: ["", "[]", "{}", "{\"tells\":7}", "{\"tells\":\"perhaps\"}", "{\"tells\":\"nothing\""])
    func `what is no answer is none`(text: String) {
        #expect(JailFigures(answer: Array(text.utf8)) == nil)
        #expect(EventLine.all(answer: Array(text.utf8)) == nil)
    }

    @Test func `what nobody counts is null, and not 0`() {
        var figures = JailFigures()
        #expect(figures.json.text().contains(#""network":null"#))
        figures.tells = .denials
        #expect(figures.askedLately == nil)
        let text = figures.json.text()
        #expect(text.contains(#""requestsLastMinute":null,"denialsLastMinute":0"#))
        #expect(
            text.contains(#""requests":{"allowed":null,"denied":0,"failed":0}"#) && text.contains(#""sentBytes":null"#))
    }

    @Test func `a denial says what would allow it, and nothing else does`() {
        let rule = #"network: { allow: [{ hosts: [\"a.example\"] }] }"#
        let denied = line(
            #"{"event":"network","subject":"request","verdict":"denied","host":"a.example","remedy":"\#(rule)"}"#)
        #expect(denied?.name == "network")
        #expect(denied?.isDenial == true)
        #expect(denied?.remedy == #"network: { allow: [{ hosts: ["a.example"] }] }"#)
        let failed = line(#"{"event":"network","subject":"request","verdict":"failed","remedy":"x"}"#)
        #expect(failed?.isDenial == false)
        #expect(failed?.remedy == nil)
    }

    private func line(_ event: String) -> EventLine? {
        EventLine.all(answer: Array(#"{"events":[{"time":1500,"event":\#(event)}]}"#.utf8))?.first
    }

    @Test func `events become lines`() {
        let denied = line(
            #"""
            {"event":"network","subject":"request","verdict":"denied","scheme":"https","host":"a.example","port":443,
             "method":"POST","path":"/x","reason":"POST is not allowed"}
            """#)
        #expect(denied?.text == "denied POST https://a.example/x: POST is not allowed" && denied?.weight == .bad)
        #expect(denied?.time == 1500)
        let allowed = line(
            #"""
            {"event":"network","subject":"request","verdict":"allowed","scheme":"http","host":"::1","port":8080,
             "method":"GET","path":"/","status":200,"received":2048}
            """#)
        #expect(allowed?.text == "allowed GET http://[::1]:8080/ 200, 2K back" && allowed?.weight == .good)
        #expect(
            line(#"{"event":"network","subject":"name","verdict":"denied","host":"b.example"}"#)?.text
                == "denied name b.example")
        #expect(
            line(#"{"event":"limit","limit":"limits.memory","message":"memory limit 64M reached"}"#)?.text
                == "limit: memory limit 64M reached")
        #expect(line(#"{"event":"exec-exited","program":"ls","status":2}"#)?.text == "exec-exited ls status 2")
        // Of kinds that are not known here as well.
        #expect(line(#"{"event":"lockdown","reason":"seen enough","by":"root"}"#)?.text == "lockdown root: seen enough")
    }

    @Test func `nothing in an event moves a cursor`() {
        let text = line(#"{"event":"executed","program":"\u001b[2J\u202eevil\n"}"#)?.text ?? ""
        #expect(text == #"executed \u{1b}[2J\u{202e}evil\n"#)
    }
}
