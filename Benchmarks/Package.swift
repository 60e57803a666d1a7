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
  ],
  targets: [
    .target(name: "OperationalTransform"),
    .target(name: "CMemory"),
    .executableTarget(
      name: "RopewalkBench",
      dependencies: [
        "CMemory", "OperationalTransform",
        .product(name: "RopewalkCore", package: "Ropewalk"),
        .product(name: "RopewalkSync", package: "Ropewalk"),
        .product(name: "RopewalkTraces", package: "Ropewalk"),
        .product(name: "RopewalkZstd", package: "Ropewalk"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "OperationalTransformTests", dependencies: ["OperationalTransform"]),
  ],
  swiftLanguageModes: [.v6]
)
