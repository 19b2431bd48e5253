import JailCore
import TestSupport
import Testing

@testable import JailHostAudit

/// A prepared host, as root, who may give files to others.
@Suite(.needsRoot) struct PlantTests {
    @Test func `nothing is found on a clean host`() throws {
        let host = try PreparedHost()
        let picture = try host.picture()
        #expect(HostAudit.findings(picture) == [])
        #expect(picture.notLooked == [])
        #expect(picture.notes == [])
        // What was looked at is there: nothing was found for want of anything to look at.
        #expect(picture.gateways.count == 1)
        #expect(picture.gateways.first.map(picture.confinement) == .jail("gw"))
        #expect(picture.states.map(\.path) == [PreparedHost.state])
        #expect(picture.states.first?.configuration?.value != nil)
        #expect(Set(picture.states.flatMap(\.files).map(\.kind)).count == StateFile.Kind.allCases.count - 1)
        #expect(picture.units.map(\.name) == ["openclaw-gateway.service"])
        #expect(picture.helpers.map(\.path) == ["/usr/bin/sudo"])
        #expect(picture.jails.first?.listeners?.map(\.text) == ["127.0.0.1:18789"])
        #expect(picture.gateways.first?.installation.isEmpty == false)
        for check in HostCheck.all { #expect(HostAudit.applies(check, to: picture), "\(check.id)") }
    }

    @Test(arguments: Plant.processes + Plant.files + Plant.surroundings + Plant.settings)
    func `a planted weakness is found, and nothing else`(plant: Plant) throws {
        let host = try PreparedHost()
        try plant.plant(host)
        let found = try host.findings()
        #expect(Set(found.map(\.check.id)) == plant.others.union([plant.id]))
        #expect(found.count == plant.others.count + 1, "\(found)")
        for finding in found {
            #expect(!finding.subject.isEmpty && !finding.seen.isEmpty && !finding.remedy.isEmpty)
        }
    }

    @Test func `there is a plant for each check`() {
        let planted = Plant.processes + Plant.files + Plant.surroundings + Plant.settings
        #expect(Set(HostCheck.all.map(\.id)).subtracting(planted.map(\.id)) == [])
        #expect(Set(HostCheck.all.map(\.id)).count == HostCheck.all.count)
    }

    @Test func `the page in docs names each check, with its reason`() throws {
        let sources = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let page = String(decoding: try System.readFile("\(sources)/docs/host-audit.md"), as: UTF8.self)
        for check in HostCheck.all { #expect(page.contains("| `\(check.id)` | \(check.why) |"), "\(check.id)") }
    }

    @Test func `no value of a secret is ever in a report`() throws {
        let host = try PreparedHost()
        let secret = "sk-Zq9Zq9Zq9Zq9Zq9Zq9Zq9"
        try host.write("/proc/102/environ", "OPENAI_API_KEY=\(secret)\0")
        try host.write("/proc/102/cmdline", "openclaw-gateway\0--token=\(secret)\0")
        try host.replace(PreparedHost.configuration, "${OPENCLAW_GATEWAY_TOKEN}", by: secret)
        try host.configure("models: { apiKey: '\(secret)', list: ['\(secret)'] }")
        try host.replace(PreparedHost.unit, "User=claw", by: "User=claw\nEnvironment=KEY=\(secret)")
        let report = HostReport(try host.picture())
        #expect(report.findings.count == 6)
        for text in [report.text(all: true), report.json().text()] {
            #expect(!text.contains("Zq9"))
            #expect(text.contains("24 characters"))
        }
    }
}
