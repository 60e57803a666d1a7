import Foundation
import RopewalkCore
import Synchronization

@testable import RopewalkReplica

/// A folder for one test, gone afterwards.
final class Scratch: Sendable {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "ropewalk-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String = "replica.sqlite") -> String { folder.appending(path: name).path }

  func open(_ name: String = "replica.sqlite", _ options: ReplicaOptions = .forTests()) throws -> Replica {
    try Replica(path: path(name), options: options)
  }
}

/// Random numbers that can be drawn again: a failing test prints the seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}

/// The seed of a run: `ROPEWALK_SEED`, or a fresh one, printed.
func testSeed(_ test: String = #function) -> UInt64 {
  let seed =
    ProcessInfo.processInfo.environment["ROPEWALK_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0 ... .max)
  print("\(test): ROPEWALK_SEED=\(seed)")
  return seed
}

extension ReplicaOptions {
  /// Does not wait for the disk, and sees time only when it is told.
  static func forTests(now: @escaping @Sendable () -> UInt64 = { 1_000_000 }) -> ReplicaOptions {
    var options = ReplicaOptions()
    options.durability = .process
    options.now = now
    return options
  }

  /// Draws these ids in turn, then random ones.
  static func drawing(_ ids: UInt64...) -> ReplicaOptions {
    var options = ReplicaOptions.forTests()
    let queue = Mutex(ids)
    options.drawReplicaID = {
      queue.withLock { ids in
        ReplicaID(rawValue: ids.isEmpty ? UInt64.random(in: 0 ... .max) : ids.removeFirst())
      }
    }
    return options
  }
}
