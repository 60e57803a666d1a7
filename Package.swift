// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Ropewalk",
  platforms: [.macOS(.v15), .iOS(.v18)],
  products: [
    .library(name: "Ropewalk", targets: ["Ropewalk"]),
    .library(name: "RopewalkCore", targets: ["RopewalkCore"]),
    .library(name: "RopewalkRelay", targets: ["RopewalkRelay"]),
    .library(name: "RopewalkSync", targets: ["RopewalkSync"]),
    .library(name: "RopewalkTraces", targets: ["RopewalkTraces"]),
    .library(name: "RopewalkZstd", targets: ["RopewalkZstd"]),
    .executable(name: "ropewalk", targets: ["RopewalkCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .target(name: "RopewalkZstd", dependencies: ["CZstd"]),
    .target(name: "RopewalkCore", exclude: ["Text/Walker/README.md"]),
    .target(name: "RopewalkSync", dependencies: ["RopewalkCore"]),
    .target(name: "RopewalkPlainText"),
    .target(
      name: "RopewalkSQLite",
      dependencies: [
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    .target(
      name: "RopewalkReplica",
      dependencies: [
        "RopewalkCore", "RopewalkSync", "RopewalkSQLite", "RopewalkZstd",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .target(
      name: "RopewalkClient",
      dependencies: [
        "RopewalkCore", "RopewalkPlainText", "RopewalkSync", "RopewalkReplica", "RopewalkZstd",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Ropewalk", dependencies: ["RopewalkCore", "RopewalkSync", "RopewalkReplica", "RopewalkClient"]),
    .target(
      name: "RopewalkRelay",
      dependencies: [
        "RopewalkCore", "RopewalkPlainText", "RopewalkSync", "RopewalkSQLite", "RopewalkZstd",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]),
    .target(name: "RopewalkTraces", dependencies: ["RopewalkCore", "RopewalkZstd"]),
    .executableTarget(
      name: "RopewalkCommand",
      dependencies: [
        "Ropewalk", "RopewalkCore", "RopewalkPlainText", "RopewalkRelay", "RopewalkSync",
        "RopewalkTraces",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .testTarget(name: "RopewalkCoreTests", dependencies: ["RopewalkCore", "RopewalkZstd"]),
    .testTarget(name: "RopewalkPlainTextTests", dependencies: ["RopewalkPlainText"]),
    .testTarget(name: "RopewalkSyncTests", dependencies: ["RopewalkSync"]),
    .executableTarget(name: "ReplicaWriter", dependencies: ["RopewalkReplica"], path: "Tests/ReplicaWriter"),
    .executableTarget(
      name: "WebSocketEcho",
      dependencies: [
        "RopewalkRelay",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
      ], path: "Tests/WebSocketEcho"),
    .target(
      name: "DamagedFiles",
      dependencies: [
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ], path: "Tests/DamagedFiles"),
    .testTarget(
      name: "RopewalkReplicaTests",
      dependencies: [
        "DamagedFiles", "RopewalkReplica", "RopewalkSQLite", "ReplicaWriter",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(
      name: "RopewalkRelayTests",
      dependencies: [
        "DamagedFiles", "RopewalkCommand", "RopewalkRelay", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "X509", package: "swift-certificates"),
      ]),
    .testTarget(
      name: "RopewalkClientTests",
      dependencies: [
        "DamagedFiles", "RopewalkClient", "RopewalkRelay", .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "X509", package: "swift-certificates"),
      ]),
    .testTarget(
      name: "RopewalkTracesTests", dependencies: ["RopewalkCore", "RopewalkTraces", "RopewalkZstd"]),
    .testTarget(
      name: "RopewalkCommandTests",
      dependencies: [
        "DamagedFiles", "RopewalkCommand", "Ropewalk", "RopewalkCore", "RopewalkPlainText", "RopewalkRelay",
        "RopewalkTraces",
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
