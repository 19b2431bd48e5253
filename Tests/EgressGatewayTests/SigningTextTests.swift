import EgressControl
import JailPolicy
import NIOHTTP1
import Testing

@testable import EgressGateway

/// Signatures that AWS has published: those of its test suite, and of the Amazon S3 API Reference ("Signature Calculations
/// for the Authorization Header", "Authenticating Requests: Using Query Parameters").
struct `Signatures of AWS` {
    struct Vector: Sendable {
        var method = "GET"
        var target = "/"
        var fields: [(String, String)] = []
        var payload = SigningText.emptyDigest
        var signed = "host;x-amz-date"
        var signature: String
    }

    private func signature(_ vector: Vector, host: String, time: String, secret: String, _ scope: SigningScope)
        throws -> String
    {
        let fields = [("Host", host), ("X-Amz-Date", time)] + vector.fields
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: vector.method), uri: vector.target,
            headers: HTTPHeaders(fields))
        let request = try SigningText.canonicalRequest(
            head, signed: vector.signed.split(separator: ";").map { String($0) }, payload: vector.payload, scope)
        let text = SigningText.textToSign(request, time: time, scope)
        return SigningText.signature(text, secret: secret.utf8, time: time, scope)
    }

    private static let form = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"

    @Test(arguments: [
        Vector(signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            target: "//example//", signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        Vector(
            target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
        Vector(
            fields: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signed: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            fields: [("My-Header1", "value2"), ("my-header1", "value2"), ("MY-HEADER1", "value1")],
            signed: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        Vector(
            method: "POST",
            fields: [
                ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "13"),
                ("x-amz-content-sha256", form),
            ], payload: form, signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
            signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"),
    ])
    func `of the test suite`(vector: Vector) throws {
        let made = try signature(
            vector, host: "example.amazonaws.com", time: "20150830T123600Z",
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            SigningScope(service: "service", region: "us-east-1"))
        #expect(made == vector.signature)
    }

    private static let empty = ("x-amz-content-sha256", SigningText.emptyDigest)
    private static let credential = "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"

    @Test(arguments: [
        Vector(
            target: "/test.txt", fields: [("Range", "bytes=0-9"), empty],
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            method: "PUT", target: "/test$file.text",
            fields: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            ], payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            target: "/?lifecycle", fields: [empty], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            target: "/?max-keys=2&prefix=J", fields: [empty], signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        Vector(
            target: "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(credential)"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host",
            payload: "UNSIGNED-PAYLOAD", signed: "host",
            signature: "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
    ])
    func `of the storage service`(vector: Vector) throws {
        let made = try signature(
            vector, host: "examplebucket.s3.amazonaws.com", time: "20130524T000000Z",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SigningScope(service: "s3", region: "us-east-1"))
        #expect(made == vector.signature)
    }

    /// What botocore 1.43 makes of the same.
    @Test(arguments: [
        ("service", "/a%20b/x%3Ay?b=2&a=%20&c", "2d3ab5e7c52e1650d4591769c148483faa34ed8c6ed788864a0b0d17e67d7779"),
        (
            "s3", "/a%20b//x%3Ay?list-type=2&prefix=a%2Fb",
            "87b6c1c7f8c5bdae76ad9339f0658db31d5628cdd5d51c4af5ba5cc4701d962d"
        ),
    ])
    func `paths are encoded as the service reads them`(service: String, target: String, expected: String) throws {
        var vector = Vector(target: target, signature: expected)
        if service == "s3" {
            vector.fields = [Self.empty]
            vector.signed = "host;x-amz-content-sha256;x-amz-date"
        }
        let made = try signature(
            vector, host: "example.amazonaws.com", time: "20150830T123600Z",
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SigningScope(service: service, region: "us-east-1"))
        #expect(made == expected)
    }

    @Test func `a plus in the query has two readings`() throws {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/?a=b+c", headers: ["Host": "a.test"])
        #expect(throws: SigningRefusal.self) {
            try SigningText.canonicalRequest(
                head, signed: ["host"], payload: "", SigningScope(service: "s3", region: "eu-1"))
        }
    }
}
