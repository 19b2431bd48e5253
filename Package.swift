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

let package = Package(
    name: "clawjail",
    targets: [
        // The kernel, in C where Swift's Glibc module does not show it: thin calls that return -errno.
        .target(name: "CLinux", cSettings: strictC),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),

        library("JailCore", ["CLinux"]),
    ]
)
