/// One step of a recorded edit: at `position` delete `deleted` scalars, then insert. Written in JSON as
/// `[position, deleted, inserted]`.
public struct TracePatch: Hashable, Sendable {
  /// Where, in scalars of the text before this patch.
  public let position: Int
  /// How many scalars go.
  public let deleted: Int
  /// What comes.
  public let inserted: String

  /// Describes a step. Negative numbers are a caller's bug.
  public init(position: Int, deleted: Int, inserted: String) {
    precondition(position >= 0 && deleted >= 0)
    self.position = position
    self.deleted = deleted
    self.inserted = inserted
  }

  /// One event per scalar deleted or inserted.
  public var eventCount: Int { deleted + inserted.unicodeScalars.count }
}

extension TracePatch: Decodable {
  /// Reads `[position, deleted, inserted]`.
  public init(from decoder: any Decoder) throws {
    var fields = try decoder.unkeyedContainer()
    position = try fields.decode(Int.self)
    deleted = try fields.decode(Int.self)
    inserted = try fields.decode(String.self)
    let limit = 1 << 31
    guard position >= 0, deleted >= 0, position < limit, deleted < limit else {
      throw BrokenRule(path: decoder.codingPath, rule: "must lie in 0 ..< 2^31")
    }
    guard fields.isAtEnd else {
      throw BrokenRule(path: decoder.codingPath, rule: "must have three fields")
    }
  }
}
