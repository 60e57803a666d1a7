// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "RopewalkBenchmarks",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ropewalk-bench", targets: ["RopewalkBench"]),
    .library(name: "OperationalTransform", targets: ["OperationalTransform"]),
  ],
  dependencies: [
    .package(name: "Ropewalk", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
  ],
  targets: [
    .target(name: "OperationalTransform"),
    .target(name: "CMemory"),
    .executableTarget(
      name: "RopewalkBench",
      dependencies: [
        "CMemory", "OperationalTransform", "RelayLoad",
        .product(name: "RopewalkCore", package: "Ropewalk"),
        .product(name: "RopewalkSync", package: "Ropewalk"),
        .product(name: "RopewalkTraces", package: "Ropewalk"),
        .product(name: "RopewalkZstd", package: "Ropewalk"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // The load generator beside the relay itself, which it starts as a process of its own.
    .target(
      name: "RelayLoad",
      dependencies: [
        "CMemory",
        .product(name: "RopewalkCore", package: "Ropewalk"),
        .product(name: "RopewalkSync", package: "Ropewalk"),
        .product(name: "RopewalkZstd", package: "Ropewalk"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ]),
    .testTarget(name: "OperationalTransformTests", dependencies: ["OperationalTransform"]),
  ],
  swiftLanguageModes: [.v6]
)
