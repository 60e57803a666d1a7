extension TextOperation {
  /// Bytes: per component a varint of length and kind (retain 0, insert 1, delete 2), and inserted text in UTF-8.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(components.count * 3)
    for component in components {
      switch component {
      case .retain(let count): bytes.appendVarint(UInt64(count) << 2)
      case .insert(let text):
        bytes.appendVarint(UInt64(text.text.utf8.count) << 2 | 1)
        bytes.append(contentsOf: text.text.utf8)
      case .delete(let count): bytes.appendVarint(UInt64(count) << 2 | 2)
      }
    }
    return bytes
  }

  /// Reads bytes; nil where they are no operation.
  public init?(encoded bytes: some Collection<UInt8>) {
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let word = rest.takeVarint(), word >> 2 < 1 << 31 else { return nil }
      let count = Int(word >> 2)
      switch word & 3 {
      case 0: retain(count)
      case 1:
        guard count <= rest.count, let text = String(validating: rest.prefix(count), as: UTF8.self) else {
          return nil
        }
        rest = rest.dropFirst(count)
        insert(Insertion(text))
      case 2: delete(count)
      default: return nil
      }
    }
  }
}

extension Submission {
  /// Bytes: author, number and revision as varints, then the operation.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for value in [UInt64(author), UInt64(number), UInt64(revision)] { bytes.appendVarint(value) }
    return bytes + operation.encoded
  }

  /// Reads bytes; nil where they are no submission.
  public init?(encoded bytes: [UInt8]) {
    var rest = bytes[...]
    guard let author = rest.takeVarint(), let number = rest.takeVarint(), let revision = rest.takeVarint(),
      author <= .max >> 32, number <= .max >> 32, revision < 1 << 40,
      let operation = TextOperation(encoded: rest)
    else { return nil }
    self.init(
      author: UInt32(author), number: UInt32(number), revision: Int(revision), operation: operation)
  }
}

extension Revision {
  /// Bytes: author and number as varints, then the operation.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for value in [UInt64(author), UInt64(number)] { bytes.appendVarint(value) }
    return bytes + operation.encoded
  }

  /// Reads bytes; nil where they are no revision.
  public init?(encoded bytes: [UInt8]) {
    var rest = bytes[...]
    guard let author = rest.takeVarint(), let number = rest.takeVarint(), author <= .max >> 32,
      number <= .max >> 32, let operation = TextOperation(encoded: rest)
    else { return nil }
    self.init(author: UInt32(author), number: UInt32(number), operation: operation)
  }
}

extension [UInt8] {
  fileprivate mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }
}

extension Collection<UInt8> where SubSequence == Self {
  fileprivate mutating func takeVarint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 63, let byte = popFirst() {
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
