import Foundation
import RopewalkCore

/// How a replica draws ids, tells the time and treats its disk. The defaults are right for applications.
public struct ReplicaOptions: Sendable {
  /// When an edit is on the disk.
  public enum Durability: Sendable {
    /// When the call returns: it survives a power cut.
    case full
    /// When the call returns it survives the process being killed; a power cut may take the last edits.
    case process
  }

  /// When an edit is on the disk.
  public var durability = Durability.full
  /// How long to wait for another process that is writing, in milliseconds.
  public var busyTimeout = 10_000
  /// Called when a writer has taken its place in the queue of those who write into the file.
  var whenQueued: @Sendable () -> Void = {}
  /// How much a subject may write at once on branches of its own, before more is kept aside.
  package var tipLimits = TipLimits()
  /// After how many updates the tail is folded into a new snapshot.
  public var updatesPerSnapshot = 500
  /// Draws the id of a writing session. Must never give a number twice, anywhere.
  public var drawReplicaID: @Sendable () -> ReplicaID = {
    ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
  }
  /// The time, in milliseconds since 1970.
  public var now: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

  /// The defaults.
  public init() {}
}
