// swift-tools-version: 6.2
import PackageDescription

// One target per mechanism. A target's `dependencies:` line states all that it may touch; nothing points upward,
// and the mechanisms do not know one another. docs/architecture.md has the picture.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let strictC: [CSetting] = [
    .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fstack-protector-strong"])
]

func library(_ name: String, _ dependencies: [Target.Dependency], plugins: [Target.PluginUsage] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict, plugins: plugins)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }

let package = Package(
    name: "clawjail",
    products: [
        .executable(name: "clawjail", targets: ["clawjail"]),
        .executable(name: "clawjail-egress", targets: ["clawjail-egress"]),
        .executable(name: "clawjail-stub", targets: ["clawjail-stub"]),
        .executable(name: "clawjail-web", targets: ["clawjail-web"]),
        .executable(name: "jailprobe", targets: ["jailprobe"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // The way out only; the launcher links none of these.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        // The page to decide on only, and of Hummingbird nothing but its core.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    ],
    targets: [
        // The kernel, in C where Swift's Glibc module does not show it: thin calls that return -errno.
        .target(name: "CLinux", cSettings: strictC),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        // Names in Unicode, and the list of public suffixes. Without pkgConfig, whose flags name no static libraries.
        .systemLibrary(name: "CIDN", providers: [.apt(["libidn2-dev", "libunistring-dev"])]),
        .systemLibrary(name: "CPSL", providers: [.apt(["libpsl-dev", "libidn2-dev", "libunistring-dev"])]),
        // What answers are compressed with.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBrotli", providers: [.apt(["libbrotli-dev"])]),

        library("JailCore", ["CLinux"]),

        // What is allowed (pure), and what will be done (pure).
        library("JailPolicy", ["JailCore", "SecretTraces", "CIDN", "CPSL"]),
        library("JailPlan", ["JailCore", "JailPolicy", "SecretTraces"]),

        // A scope of its own from the service manager, and as much of D-Bus as that takes.
        library("JailScope", ["JailCore", "JailPlan"]),

        // Texts for others to read: units of systemd, profiles of AppArmor; what a host is set up with (pure).
        library("JailExport", ["JailCore", "JailPolicy", "JailPlan"]),

        // What happened, so that nobody can change it afterwards without being found out; and what may stand in it.
        library(
            "AuditLog",
            ["JailCore", "JailPolicy", "JailPlan", .product(name: "Crypto", package: "swift-crypto")]),

        // The same for people, and for what gathers the logs of many hosts (pure, but for reading).
        library("AuditViews", ["AuditLog", "JailPlan", "JailPolicy", "JailCore"]),

        // What a jail may use and not have: the sealed store, and the other places that secrets come from.
        library(
            "SecretStore", ["JailCore", "JailPolicy", .product(name: "Crypto", package: "swift-crypto")]),

        // What waits for a person's decision, what was granted, and who may decide (pure).
        library(
            "JailApprovals", ["JailCore", "JailPolicy", .product(name: "Crypto", package: "swift-crypto")]),

        // What programs asked for and were told, and the smallest change that would have let them have it (pure).
        library("JailLearning", ["JailCore", "JailPolicy"]),

        // Which commands a profile lets be run, and how a line for a shell is read (pure).
        library("JailCommands", ["JailCore", "JailPolicy"]),

        // What is said of commands over the socket that a jail has for them.
        library("CommandWire", ["JailCore"]),

        // What comes of something that a program in a jail tries: the one answer for whoever explains, learns or suggests
        // (pure, but for a look at the host's files that the caller hands in).
        library("JailDecision", ["JailCore", "JailPolicy", "JailPlan", "JailCommands", "FilterCompiler"]),

        // What a plan promises, how each promise is tried, and what came of it (pure).
        library("JailVerify", ["JailCore", "JailPolicy", "JailPlan"]),

        // What the host offers: programs and what they need, ids, cgroups, kernel features. Reads, never writes.
        library("JailHost", ["CLinux", "JailCore", "JailPolicy", "JailPlan", "JailScope", "JailDecision"]),

        // How safely a host runs OpenClaw, in a jail or not: what is seen of it (reads, never writes), and what that means (pure).
        library("JailHostAudit", ["AuditLog", "JailCore", "JailPolicy", "JailPlan", "JailHost"]),

        // One mechanism each.
        library("JailNamespaces", ["JailCore", "JailPlan", "JailPolicy"]),
        library("JailMounts", ["JailCore", "JailPlan"]),
        library("JailPrivileges", ["JailCore", "JailPlan"]),
        library("JailLandlock", ["JailCore", "JailPlan"]),
        library("JailSeccomp", ["JailCore", "JailPlan", "FilterCompiler"], plugins: ["CompileFilters"]),
        library("JailCgroups", ["JailCore", "JailPlan"]),
        library("JailAppArmor", ["JailCore", "JailPlan"]),
        library("JailNetwork", ["JailCore", "JailPlan", "JailPolicy"]),
        library("JailTerminal", ["JailCore"]),

        // Snapshots of what jails keep: archives that programs of the host make, and the order in which they replace what is
        // there.
        library("JailData", ["JailCore", "JailPolicy"]),

        // What was changed in a workspace that is to be reviewed: what it is, and how it is applied or discarded.
        library("JailReview", ["JailCore", "JailPlan"]),

        // The order.
        library(
            "JailLaunch",
            [
                "JailReview",
                "JailCore", "JailPolicy", "JailPlan", "JailNamespaces", "JailMounts", "JailPrivileges", "JailLandlock",
                "JailSeccomp", "JailCgroups", "JailAppArmor", "JailScope", "JailNetwork", "JailTerminal",
                "EgressControl", "AuditLog", "JailLearning", "SecretStore", "SecretTraces", "JailApprovals",
                "JailCommands", "CommandWire",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),

        // What is kept of a jail that is locked down. Knows files and processes, and nothing of how jails are made.
        library("JailEvidence", ["JailCore"]),
        // What running jails do, for people and for monitors: tables, a screen, metrics (pure).
        library("JailView", ["JailCore", "JailPolicy", "JailCgroups"]),

        // Values that are recognised wherever they turn up, whatever they are written as: to cover them, or to tell (pure).
        library("SecretTraces", []),

        // Answers to requests that carried a secret: decoded, and without it (pure, but for the libraries that decode).
        library("EgressAnswers", ["SecretTraces", "CZlib", "CBrotli"]),

        // The way out: a process of its own, with threads, for hostile input. What it and the supervisor say to each other
        // is the only thing that both link, besides the policy.
        library("EgressControl", ["JailCore", "JailPolicy", "SecretTraces"]),
        library("DNSMessages", ["JailCore", "JailPolicy"]),
        library("EgressDNS", ["DNSMessages", "JailPolicy", nio("NIOCore"), nio("NIOPosix")]),
        library(
            "EgressTLS",
            [
                "JailPolicy", nio("NIOCore"), nio("NIOTLS"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"), .product(name: "Crypto", package: "swift-crypto"),
            ]),
        library(
            "EgressGateway",
            [
                "JailCore", "JailPolicy", "EgressControl", "EgressDNS", "EgressTLS", "EgressAnswers", "SecretTraces",
                nio("NIOCore"), nio("NIOPosix"),
                nio("NIOHTTP1"), nio("NIOTLS"), .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .executableTarget(
            name: "clawjail-egress",
            dependencies: [
                "CLinux", "JailCore", "JailPolicy", "JailLandlock", "JailSeccomp", "JailPlan", "EgressControl",
                "EgressGateway",
            ],
            swiftSettings: strict,
            // Always, and not in release builds alone: it is executed where no file is, not even a dynamic loader.
            linkerSettings: [
                .unsafeFlags([
                    "-static-executable", "-Xlinker", "--start-group", "-lFoundationEssentials", "-l_FoundationCShims",
                    "-l_FoundationCollections", "-lswiftSynchronization", "-Xlinker", "--end-group",
                ])
            ]),

        // The page to decide on: what browsers reach, and what it may ask the desk, which reaches jails. That is the only
        // thing that both link.
        library("PageControl", ["JailCore", "JailPolicy", "JailApprovals"]),
        library("JailPage", ["PageControl", "JailApprovals", "JailCore", "JailPolicy"]),
        library(
            "JailPageServer",
            [
                "JailPage", "PageControl", "JailCore", nio("NIOCore"), nio("NIOPosix"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ]),
        .executableTarget(
            name: "clawjail-web",
            dependencies: [
                "JailPageServer", "JailPage", "PageControl", "JailCore", "JailPolicy", "JailPlan", "JailLandlock",
                "JailSeccomp",
            ],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags([
                    "-static-executable", "-Xlinker", "--start-group", "-lFoundationEssentials", "-l_FoundationCShims",
                    "-l_FoundationCollections", "-lswiftSynchronization", "-Xlinker", "--end-group",
                ])
            ]),

        .executableTarget(
            name: "clawjail",
            dependencies: [
                "JailCore", "JailPolicy", "JailPlan", "JailExport", "JailHost", "JailCgroups", "JailLaunch", "AuditLog",
                "JailEvidence", "JailView", "JailData", "JailReview", "JailMounts", "JailLearning", "JailHostAudit",
                "JailDecision", "JailVerify", "SecretStore", "SecretTraces", "JailApprovals", "PageControl", "JailPage",
                "AuditViews", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Stands in a jail for each command, and starts each time one is called.
        .executableTarget(
            name: "clawjail-stub", dependencies: ["CommandWire", "JailCore", "JailTerminal"], swiftSettings: strict,
            // Always, and not in release builds alone: nothing else of it is shown in the jail.
            linkerSettings: [.unsafeFlags(["-static-executable"])]),

        // Build time: the seccomp filters, compiled by libseccomp into tables.
        .target(name: "FilterCompiler", dependencies: ["CSeccomp"], swiftSettings: strict),
        .executableTarget(name: "compile-filters", dependencies: ["FilterCompiler"], swiftSettings: strict),
        .plugin(
            name: "CompileFilters", capability: .buildTool(), dependencies: ["compile-filters"],
            path: "Sources/CompileFilters"),

        // Runs inside a jail and reports what it can do.
        .target(name: "CProbe", cSettings: strictC),
        .executableTarget(
            name: "jailprobe", dependencies: ["CProbe", "JailCore", "CLinux"], swiftSettings: strict,
            // Always, and not in release builds alone: 'clawjail verify' shows it, and nothing else, in the jail.
            linkerSettings: [.unsafeFlags(["-static-executable"])]),

        // For scripts/bench: how fast the log is. Installed nowhere.
        .executableTarget(
            name: "audit-bench", dependencies: ["AuditLog", "JailCore", "JailPlan", "JailPolicy"],
            swiftSettings: strict),

        // Shared by the tests: what a machine must have, programs, directories that vanish.
        .target(name: "TestSupport", dependencies: ["JailCore"], path: "Tests/Support", swiftSettings: strict),
        tests("JailCoreTests", ["JailCore", "TestSupport"]),
        tests("JailPlanTests", ["JailPlan", "JailPolicy", "JailCore", "SecretTraces", "TestSupport"]),
        tests("JailPolicyTests", ["JailPolicy", "JailCore", "SecretTraces", "TestSupport"]),
        tests("AuditLogTests", ["AuditLog", "AuditViews", "JailPlan", "JailPolicy", "JailCore", "TestSupport"]),
        tests("SecretStoreTests", ["SecretStore", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailLearningTests", ["JailLearning", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailVerifyTests", ["JailVerify", "JailPlan", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailApprovalsTests", ["JailApprovals", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailScopeTests", ["JailScope", "JailPlan", "JailCore", "TestSupport"]),
        tests(
            "JailDecisionTests",
            ["JailDecision", "JailPlan", "JailPolicy", "JailCore", "FilterCompiler", "TestSupport"]),
        tests("CommandWireTests", ["CommandWire", "JailCore"]),
        tests("JailCommandsTests", ["JailCommands", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailHostTests", ["JailHost", "JailPlan", "JailPolicy", "JailCore"]),
        tests(
            "JailMechanismTests",
            [
                "JailCore", "JailPolicy", "JailPlan", "JailNamespaces", "JailMounts", "JailPrivileges", "JailLandlock",
                "JailSeccomp", "JailCgroups", "JailAppArmor", "JailNetwork", "JailTerminal", "FilterCompiler",
                "CSeccomp",
                "CLinux",
                "TestSupport",
            ]),
        tests("JailDataTests", ["JailData", "JailCore", "TestSupport"]),
        tests(
            "JailHostAuditTests",
            ["JailHostAudit", "JailHost", "JailPlan", "JailPolicy", "JailCore", "TestSupport"]),
        tests("JailReviewTests", ["JailReview", "JailPlan", "JailCore", "TestSupport"]),
        tests("JailEvidenceTests", ["JailEvidence", "JailCore", "TestSupport"]),
        tests("JailExportTests", ["JailExport", "JailPlan", "JailPolicy", "JailCore", "TestSupport"]),
        tests(
            "JailLaunchTests",
            [
                "JailLaunch", "JailApprovals", "AuditLog", "JailLearning", "JailCgroups", "SecretStore", "SecretTraces",
                "JailPlan", "JailPolicy", "JailCore", "JailCommands", "CommandWire", "CLinux", "TestSupport",
            ]),
        tests("JailViewTests", ["JailView", "JailCgroups", "JailPolicy", "JailCore", "TestSupport"]),
        tests(
            "CommandLineTests",
            [
                "clawjail", "JailCore", "JailPolicy", "JailApprovals", "PageControl", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("JailPageTests", ["JailPage", "PageControl", "JailApprovals", "JailPolicy", "JailCore"]),
        tests("JailPageServerTests", ["JailPageServer", "JailPage", "PageControl", "JailCore", "TestSupport"]),
        tests("EgressControlTests", ["EgressControl", "SecretTraces", "JailPolicy", "JailCore", "TestSupport"]),
        tests("SecretTracesTests", ["SecretTraces"]),
        .systemLibrary(name: "CBrotliEncoder", path: "Tests/CBrotliEncoder", providers: [.apt(["libbrotli-dev"])]),
        .target(
            name: "AnswerSupport", dependencies: ["CZlib", "CBrotliEncoder"], path: "Tests/AnswerSupport",
            swiftSettings: strict),
        tests("EgressAnswersTests", ["EgressAnswers", "SecretTraces", "AnswerSupport", "TestSupport"]),
        tests("DNSMessagesTests", ["DNSMessages", "JailPolicy", "JailCore", "TestSupport"]),
        tests(
            "EgressDNSTests",
            ["EgressDNS", "DNSMessages", "JailPolicy", "TestSupport", nio("NIOCore"), nio("NIOPosix")]),
        tests(
            "EgressTLSTests",
            [
                "EgressTLS", "JailPolicy", "JailCore", "TestSupport", nio("NIOCore"), nio("NIOPosix"), nio("NIOTLS"),
                nio("NIOEmbedded"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"), .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests(
            "EgressGatewayTests",
            [
                "EgressGateway", "EgressTLS", "EgressDNS", "EgressControl", "EgressAnswers", "SecretTraces",
                "JailPolicy",
                "JailCore", "AnswerSupport", "TestSupport",
                nio("NIOCore"), nio("NIOPosix"), nio("NIOHTTP1"), nio("NIOEmbedded"), nio("NIOTLS"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests("EndToEndTests", ["JailCore"]),
    ]
)
