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

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// libFuzzer brings its own entry point, which only `make fuzz` links: nobody else has this target.
let isFuzzing = Context.environment["PURSER_FUZZ"] != nil
let fuzzerProducts: [Product] = isFuzzing ? [.executable(name: "fuzzers", targets: ["Fuzzers"])] : []
let fuzzerTargets: [Target] =
    isFuzzing
    ? [
        .executableTarget(
            name: "Fuzzers", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Fuzzers", swiftSettings: strict)
    ] : []

let package = Package(
    name: "purser",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "purser", targets: ["purser"]),
        .executable(name: "ledger-bench", targets: ["LedgerBench"]),
        .executable(name: "gate-bench", targets: ["GateBench"]),
    ] + fuzzerProducts,
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // The program
        .executableTarget(name: "purser", dependencies: ["Commands"], swiftSettings: strict),
        .target(
            name: "Commands",
            dependencies: ["Daemon", "Audit", "Ledger", "Policy", "Wallets", "Primitives", argumentParser],
            swiftSettings: strict),
        .target(
            name: "Daemon",
            dependencies: [
                "Proxy", "Simulator", "Payments", "Chain", "Audit", "LedgerSQLite", "Ledger", "Policy", "Wallets",
                "X402", "Transport", "Ethereum", "SystemCrypto", "Telemetry", "Primitives", nioCore, nioPosix,
                nioHTTP1, logging, metrics, yams,
            ],
            swiftSettings: strict),

        // The data plane
        .target(
            name: "Proxy",
            dependencies: [
                "FaultPoints", "Payments", "Ledger", "X402", "RequestFacts", "Transport", "SystemCrypto", "Primitives",
                "CZlib", "CZstd", nioCore, nioPosix, logging, metrics,
            ],
            swiftSettings: strict),
        .target(name: "RequestFacts", dependencies: ["Primitives", "CZlib", "CZstd"], swiftSettings: strict),
        .target(
            name: "Simulator",
            dependencies: [
                "Policy", "X402", "Ethereum", "SystemCrypto", "Primitives", "CSpecs", nioCore, nioPosix, nioHTTP1,
            ],
            swiftSettings: strict),
        .target(
            name: "Chain", dependencies: ["Transport", "Ethereum", "Primitives", nioCore], swiftSettings: strict),
        .target(
            name: "Transport", dependencies: ["COpenSSL", nioCore, nioPosix, nioHTTP2, nioHPACK],
            swiftSettings: strict),

        // The money
        .target(
            name: "Payments",
            dependencies: ["FaultPoints", "Ledger", "Policy", "Wallets", "X402", "Ethereum", "Primitives", logging],
            swiftSettings: strict),
        .target(name: "Policy", dependencies: ["X402", "Ethereum", "Primitives", "CSpecs"], swiftSettings: strict),
        .target(name: "Ledger", dependencies: ["SystemCrypto", "Primitives"], swiftSettings: strict),
        .target(
            name: "Audit", dependencies: ["Ledger", "Policy", "X402", "Ethereum", "Primitives"], swiftSettings: strict),
        .target(
            name: "LedgerSQLite",
            dependencies: ["Ledger", "FaultPoints", "Primitives", grdb, grdbSQLite],
            swiftSettings: strict),
        .target(
            name: "Wallets", dependencies: ["Policy", "Ethereum", "SystemCrypto", "Primitives"], swiftSettings: strict),

        // The wire and the mathematics
        .target(name: "X402", dependencies: ["Ethereum", "SystemCrypto", "Primitives"], swiftSettings: strict),
        .target(name: "Ethereum", dependencies: ["Primitives", "CSecp256k1"], swiftSettings: strict),
        .target(name: "SystemCrypto", dependencies: ["Primitives", "COpenSSL"], swiftSettings: strict),
        .target(name: "Telemetry", dependencies: [logging, metrics], swiftSettings: strict),
        .target(
            name: "FaultPoints",
            swiftSettings: strict + [.define("FAULT_POINTS", .when(configuration: .debug))]),
        .target(name: "Primitives", swiftSettings: strict),

        // C: the system's libraries and the machine-readable contract of Specs/
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSecp256k1", pkgConfig: "libsecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(
            name: "CSpecs", path: "Specs",
            exclude: [
                "assets.json", "assets.schema.json", "export.schema.json", "guides", "journal.md", "lifecycle",
                "misbehaviours.json", "misbehaviours.md", "misbehaviours.schema.json", "policy.schema.json",
                "problems.md",
                "promises.md",
                "threat-model.md", "vectors",
            ],
            sources: ["specs.c"],
            publicHeadersPath: "include"),

        // Measurements
        .executableTarget(
            name: "LedgerBench",
            dependencies: ["LedgerSQLite", "Ledger", "Primitives", grdbSQLite], path: "Tests/Benchmarks/LedgerBench",
            swiftSettings: strict),
        .executableTarget(
            name: "GateBench",
            dependencies: ["Policy", "Wallets", "X402", "Ethereum", "SystemCrypto", "Primitives"],
            path: "Tests/Benchmarks/GateBench", swiftSettings: strict),

        // Hostile input: what must hold of it, and the corpus that every test run replays
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Proxy", "RequestFacts", "Policy", "X402", "Transport", "Ethereum", "Primitives", nioCore, nioHPACK,
            ],
            path: "Tests/Fuzzing/Targets", swiftSettings: strict),
        .testTarget(
            name: "FuzzingTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Replay", swiftSettings: strict),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["Ledger", "Primitives", logging], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "AuditTests",
            dependencies: ["Audit", "Ledger", "Policy", "X402", "Ethereum", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ChainTests",
            dependencies: ["Chain", "Transport", "Ethereum", "Primitives", "TestSupport", nioCore, nioPosix],
            swiftSettings: strict),
        .testTarget(
            name: "CommandsTests",
            dependencies: ["Commands", "Daemon", "LedgerSQLite", "Ledger", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Proxy", "Simulator", "Payments", "Chain", "Audit", "LedgerSQLite", "Ledger", "Policy",
                "Wallets", "X402", "Transport", "Ethereum", "SystemCrypto", "Telemetry", "Primitives",
                "TestSupport", nioCore, nioPosix, logging, metrics,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EthereumTests",
            dependencies: ["Ethereum", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "LedgerSQLiteTests",
            dependencies: ["LedgerSQLite", "Ledger", "FaultPoints", "Primitives", "TestSupport", grdb],
            swiftSettings: strict),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "Primitives", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "PaymentsTests",
            dependencies: [
                "Payments", "LedgerSQLite", "Ledger", "Policy", "Wallets", "X402", "Ethereum", "SystemCrypto",
                "Primitives",
                "TestSupport", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PolicyTests",
            dependencies: ["Policy", "X402", "Ethereum", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "PrimitivesTests", dependencies: ["Primitives", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "ProjectTests", dependencies: ["Primitives", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "Proxy", "Payments", "Ledger", "Policy", "Wallets", "X402", "Transport", "Ethereum", "SystemCrypto",
                "Primitives", "TestSupport", "CZlib", nioCore, nioPosix, nioHTTP2, nioHPACK, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RequestFactsTests",
            dependencies: ["RequestFacts", "Primitives", "TestSupport", "CZlib", "CZstd"], swiftSettings: strict),
        .testTarget(
            name: "SimulatorTests",
            dependencies: [
                "Simulator", "Policy", "X402", "Ethereum", "Primitives", "TestSupport", nioCore, nioPosix, nioHTTP1,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SystemCryptoTests",
            dependencies: ["SystemCrypto", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "TransportTests",
            dependencies: [
                "Transport", "TestSupport", "COpenSSL", nioCore, nioPosix, nioEmbedded, nioHTTP2, nioHPACK,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WalletsTests",
            dependencies: ["Wallets", "Ethereum", "SystemCrypto", "Primitives", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", metrics, logging], swiftSettings: strict),
        .testTarget(
            name: "X402Tests",
            dependencies: ["Wallets", "X402", "Ethereum", "SystemCrypto", "Primitives", "TestSupport"],
            swiftSettings: strict),
    ] + fuzzerTargets
)
