import Foundation
import RopewalkPlainText
import RopewalkSync

/// One line of the audit log: what was done by whom. Carries no content, token or key.
public struct AuditRecord: Codable, Hashable, Sendable {
  /// What happened.
  public enum Act: String, Codable, Sendable, CaseIterable {
    /// Somebody became a member of a room.
    case joined
    /// Somebody left a room, or the connection ended.
    case left
    /// A connection or a join was refused, or a connection was ended; `code` says why.
    case refused
    /// A connection was cut off because its token, subject or key was revoked.
    case revoked
    /// Keys, revocations or certificates were read anew; `detail` says which.
    case reloaded
    /// They could not be read, and the old ones stay; `detail` says which.
    case reloadFailed = "reload-failed"
    /// Somebody changed what a relay goes by; `detail` says what.
    case administered
    /// A checkpoint was confirmed by members, objected to, or came into use; `code` says which.
    case checkpoint
    /// The relay began to listen.
    case started
    /// The relay stopped.
    case stopped
    /// `count` records were not written, because there were too many, or because the disk did not take them (`detail`
    /// says so). With `subject`, `from` and `code` they are those of this subject or network; the last one was of this act.
    case dropped

    /// Whether it happens rarely: then it is kept apart and longest, and on stable storage soon after it was written.
    var isRare: Bool {
      switch self {
      case .joined, .left, .refused, .dropped: false
      case .revoked, .reloaded, .reloadFailed, .administered, .checkpoint, .started, .stopped: true
      }
    }
  }

  /// When, milliseconds since 1970, by the relay's clock.
  public var time: UInt64
  /// What happened.
  public var act: Act
  /// Who, by the token's word.
  public var subject: String?
  /// Where.
  public var room: String?
  /// What they may there.
  public var role: String?
  /// Names the connection, in hexadecimal.
  public var session: String?
  /// The network address that the connection comes from.
  public var from: String?
  /// Why, as a word: the name of a protocol error, or what is wrong with a token.
  public var code: String?
  /// What was changed.
  public var detail: String?
  /// How many.
  public var count: UInt64?
  /// Counts the records since the relay started, so that those of one millisecond have an order.
  public var number: UInt64?

  /// Makes a record.
  public init(time: UInt64, act: Act, subject: String? = nil, room: String? = nil) {
    self.time = time
    self.act = act
    self.subject = subject
    self.room = room
  }

  /// Says how many records of rare acts were left out.
  var isCountOfRare: Bool { act == .dropped && code.flatMap(Act.init(rawValue:))?.isRare == true }

  /// As one line of JSON, without its end. What is not seen, or would do something to a terminal, is escaped.
  public var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { VisibleText.json(String(decoding: $0, as: UTF8.self)) } ?? "{}"
  }

  /// Reads a line; nil if it is none.
  public init?(line: some StringProtocol) {
    guard let record = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)) else { return nil }
    self = record
  }
}

extension AuditRecord {
  /// What happened to a checkpoint of a room: `subject` uploaded it, or objects to it.
  init(_ note: CheckpointNote, in room: RoomName, time: UInt64) {
    func names(_ subjects: [[UInt8]]) -> String {
      subjects.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
    }
    self.init(time: time, act: .checkpoint, room: room.text)
    if !note.subject.isEmpty { subject = String(decoding: note.subject, as: UTF8.self) }
    detail = "cursor \(note.cursor)"
    switch note.act {
    case .announced:
      code = "announced"
      detail?.append(", confirmed by \(names(note.others))")
    case .heldBack:
      code = "held-back"
      detail?.append(", uploaded by \(names(note.others))")
    case .takenBack: code = "taken-back"
    case .used: code = "in-use"
    }
  }
}

extension Retention {
  /// As the audit log names it.
  var auditDetail: String {
    switch self {
    case .everything: "retention everything"
    case .days(let days): "retention \(days) days"
    }
  }
}
