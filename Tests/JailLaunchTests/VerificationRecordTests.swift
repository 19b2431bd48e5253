import JailCore
import Testing

@testable import JailLaunch

@Suite struct VerificationRecordTests {
    private static let digest = String(repeating: "0a", count: 32)

    @Test func `what is sent is what is read`() throws {
        let record = try #require(
            VerificationRecord(
                held: 48, notHeld: 2, notTried: 1, digest: Self.digest, failed: ["files.root", "limits.size.tmp"]))
        guard case .verified(let read)? = ControlRequest(ControlRequest.verified(record).bytes, []) else {
            Issue.record("no such request")
            return
        }
        #expect(read == record)
        let most = try #require(
            VerificationRecord(
                held: .max, notHeld: .max, notTried: .max, digest: Self.digest,
                failed: Array(repeating: String(repeating: "x", count: 80), count: VerificationRecord.mostFailed)))
        #expect(ControlRequest.verified(most).bytes.count <= ControlRequest.sizeLimit)
    }

    @Test func `anything else is refused`() {
        for (digest, failed) in [
            ("", []), (String(repeating: "0A", count: 32), []), (Self.digest, ["a b"]), (Self.digest, [""]),
            (Self.digest, [String(repeating: "x", count: 81)]),
            (Self.digest, Array(repeating: "x", count: VerificationRecord.mostFailed + 1)),
        ] {
            #expect(VerificationRecord(held: 1, notHeld: 0, notTried: 0, digest: digest, failed: failed) == nil)
        }
        for text in [
            "", "verified", "verified\0", "verified\0held=1\0notHeld=0\0notTried=0\0",
            "verified\0held=-1\0notHeld=0\0notTried=0\0digest=\(Self.digest)\0",
            "verified\0held=1\0held=2\0notHeld=0\0notTried=0\0digest=\(Self.digest)\0",
            "verified\0held=1\0notHeld=0\0notTried=0\0digest=\(Self.digest)\0more=1\0",
            "sealed\0held=1\0notHeld=0\0notTried=0\0digest=\(Self.digest)\0",
        ] {
            #expect(VerificationRecord(bytes: Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `a caller in another jail may not record anything`() throws {
        let record = try #require(
            VerificationRecord(held: 1, notHeld: 0, notTried: 0, digest: Self.digest, failed: []))
        #expect(!ControlRequest.verified(record).isForOtherJails)
    }
}
