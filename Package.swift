// swift-tools-version: 6.2
// One program, many small targets: each `.target` line below lists everything that target may import.
// `Tests/ProjectTests` holds this graph against the table in CONTRIBUTING.md.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

let package = Package(
    name: "purser",
    platforms: [.macOS(.v26)],
    targets: [
        .target(name: "Ledger", dependencies: ["Primitives"], swiftSettings: strict),
        .target(name: "Primitives", swiftSettings: strict),

    ]
)
