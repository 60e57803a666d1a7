import RopewalkCore

/// What people join: 1 to 128 bytes of UTF-8 without control characters, separators of lines, and characters that turn the
/// direction of writing; and without `*` at its end, which makes it a prefix in tokens.
///
/// Names are compared by their bytes; nothing is normalised.
public struct RoomName: Hashable, Comparable, Sendable {
  /// The most bytes a name may have.
  public static let maximumBytes = 128

  /// The name's bytes.
  public let utf8: [UInt8]

  /// Takes a name from bytes; nil if the rule is broken.
  public init?(utf8: [UInt8]) {
    guard WireProtocol.isName(utf8, maximumBytes: Self.maximumBytes), utf8.last != 0x2a else { return nil }
    self.utf8 = utf8
  }

  /// Takes a name from a string; nil if the rule is broken.
  public init?(_ name: String) { self.init(utf8: Array(name.utf8)) }

  /// The name for people.
  public var text: String { String(decoding: utf8, as: UTF8.self) }

  /// Orders by bytes.
  public static func < (a: RoomName, b: RoomName) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

/// The name of a document in a room: 1 to 255 bytes of UTF-8 without control characters, separators of lines, and
/// characters that turn the direction of writing.
///
/// Names are compared by their bytes; nothing is normalised.
public struct DocumentName: Hashable, Comparable, Sendable {
  /// The most bytes a name may have.
  public static let maximumBytes = 255

  /// The name's bytes.
  public let utf8: [UInt8]

  /// Takes a name from bytes; nil if the rule is broken.
  public init?(utf8: [UInt8]) {
    guard WireProtocol.isName(utf8, maximumBytes: Self.maximumBytes) else { return nil }
    self.utf8 = utf8
  }

  /// Takes a name from a string; nil if the rule is broken.
  public init?(_ name: String) { self.init(utf8: Array(name.utf8)) }

  /// The name for people.
  public var text: String { String(decoding: utf8, as: UTF8.self) }

  /// Orders by bytes.
  public static func < (a: DocumentName, b: DocumentName) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}

/// A document in a room: documents of one name and different lineages are different documents.
public struct DocumentKey: Hashable, Comparable, Sendable {
  /// What people call it.
  public let name: DocumentName
  /// What it began as.
  public let lineage: Lineage

  /// Names a document.
  public init(name: DocumentName, lineage: Lineage) {
    self.name = name
    self.lineage = lineage
  }

  /// Orders by name, then by lineage.
  public static func < (a: DocumentKey, b: DocumentKey) -> Bool {
    a.name == b.name ? a.lineage < b.lineage : a.name < b.name
  }
}

extension WireProtocol {
  /// Whether `bytes` are well-formed UTF-8 of 1 to `maximumBytes` bytes without what would end a line, control a terminal, or
  /// show the rest in another order: what rooms, documents and subjects may be called.
  package static func isName(_ bytes: [UInt8], maximumBytes: Int) -> Bool {
    guard !bytes.isEmpty, bytes.count <= maximumBytes else { return false }
    var position = 0
    while position < bytes.count {
      guard let scalar = scalar(in: bytes, at: &position) else { return false }
      switch scalar {
      // C0 and C1 controls; line and paragraph separators.
      case ..<0x20, 0x7f...0x9f, 0x2028, 0x2029: return false
      // Marks, embeddings, overrides and isolates of bidirectional text.
      case 0x61c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: return false
      default: continue
      }
    }
    return true
  }
}

/// Whether `bytes` are well-formed UTF-8.
func isWellFormed(_ bytes: [UInt8]) -> Bool {
  var position = 0
  while position < bytes.count {
    guard scalar(in: bytes, at: &position) != nil else { return false }
  }
  return true
}

/// The scalar at `position`, which moves past it; nil for bytes that are not the shortest form of a scalar.
private func scalar(in bytes: [UInt8], at position: inout Int) -> UInt32? {
  let lead = bytes[position]
  position += 1
  let (length, least): (Int, UInt32)
  var value: UInt32
  switch lead {
  case 0..<0x80: return UInt32(lead)
  case 0xc2..<0xe0: (length, least, value) = (1, 0x80, UInt32(lead & 0x1f))
  case 0xe0..<0xf0: (length, least, value) = (2, 0x800, UInt32(lead & 0x0f))
  case 0xf0..<0xf5: (length, least, value) = (3, 0x1_0000, UInt32(lead & 0x07))
  default: return nil
  }
  for _ in 0..<length {
    guard position < bytes.count, bytes[position] & 0xc0 == 0x80 else { return nil }
    value = value << 6 | UInt32(bytes[position] & 0x3f)
    position += 1
  }
  guard value >= least, value <= 0x10_ffff, !(0xd800...0xdfff).contains(value) else { return nil }
  return value
}
