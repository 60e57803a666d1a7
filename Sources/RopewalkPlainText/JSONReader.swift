extension JSONValue {
  /// Reads JSON (RFC 8259). A name twice in one object, and nesting deeper than 32, are refused.
  ///
  /// - Complexity: O(n log n).
  package init(_ bytes: [UInt8]) throws(JSONError) {
    var reader = JSONReader(bytes)
    self = try reader.document()
  }
}

private struct JSONReader {
  private let bytes: [UInt8]
  private var place = 0
  private static let deepest = 32

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard place == bytes.count else { throw failure("there is more after the JSON value") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.deepest else { throw failure("JSON is nested too deeply") }
    skipBlanks()
    switch peek {
    case 0x7b: return try object(depth)
    case 0x5b: return try array(depth)
    case 0x22: return .string(try string())
    case 0x74: return try word("true", .boolean(true))
    case 0x66: return try word("false", .boolean(false))
    case 0x6e: return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(_ depth: Int) throws(JSONError) -> JSONValue {
    place += 1
    var members: [JSONValue.Member] = []
    var names: Set<[UInt8]> = []
    skipBlanks()
    if take(0x7d) { return .object([]) }
    while true {
      skipBlanks()
      let start = place
      guard peek == 0x22 else { throw failure("it is no JSON: a member's name is wanted") }
      let name = try string()
      guard names.insert(name).inserted else {
        throw JSONError(reason: "a JSON object names a member twice", offset: start)
      }
      skipBlanks()
      guard take(0x3a) else { throw failure("it is no JSON: a colon is wanted") }
      members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
      skipBlanks()
      if take(0x7d) { return .object(members) }
      guard take(0x2c) else { throw failure("it is no JSON: a comma or brace is wanted") }
    }
  }

  private mutating func array(_ depth: Int) throws(JSONError) -> JSONValue {
    place += 1
    var values: [JSONValue] = []
    skipBlanks()
    if take(0x5d) { return .array([]) }
    while true {
      values.append(try value(depth: depth + 1))
      skipBlanks()
      if take(0x5d) { return .array(values) }
      guard take(0x2c) else { throw failure("it is no JSON: a comma or bracket is wanted") }
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let matches = word.withUTF8Buffer { bytes[place...].starts(with: $0) }
    guard matches else { throw failure("it is no JSON: a value is wanted") }
    place += word.utf8CodeUnitCount
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = place
    _ = take(0x2d)
    let first = peek
    let whole = digits()
    var isNumber = whole == 1 || (whole > 1 && first != 0x30)
    if isNumber, take(0x2e) { isNumber = digits() > 0 }
    if isNumber, take(0x65) || take(0x45) {
      if !take(0x2b) { _ = take(0x2d) }
      isNumber = digits() > 0
    }
    guard isNumber, let value = Double(String(decoding: bytes[start..<place], as: UTF8.self)), value.isFinite
    else { throw JSONError(reason: "it is no JSON: a value is wanted", offset: start) }
    return .number(value)
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = peek, (0x30...0x39).contains(byte) { place += 1 }
    return place - start
  }

  private mutating func string() throws(JSONError) -> [UInt8] {
    let start = place
    place += 1
    var result: [UInt8] = []
    while let byte = peek {
      place += 1
      switch byte {
      case 0x22:
        guard String(validating: result, as: UTF8.self) != nil else {
          throw JSONError(reason: "a JSON string is not UTF-8", offset: start)
        }
        return result
      case 0x5c: result += try escape()
      case 0..<0x20: throw JSONError(reason: "a JSON string holds a control character", offset: place - 1)
      default: result.append(byte)
      }
    }
    throw JSONError(reason: "a JSON string does not end", offset: start)
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let byte = peek else { throw failure("a JSON string does not end") }
    place += 1
    switch byte {
    case 0x22, 0x5c, 0x2f: return [byte]
    case 0x62: return [0x08]
    case 0x66: return [0x0c]
    case 0x6e: return [0x0a]
    case 0x72: return [0x0d]
    case 0x74: return [0x09]
    case 0x75: break
    default: throw failure("a JSON string holds an unknown escape")
    }
    var value = try codeUnit()
    if (0xd800..<0xdc00).contains(value) {
      guard take(0x5c), take(0x75) else { throw failure("a JSON string holds half a surrogate pair") }
      let low = try codeUnit()
      guard (0xdc00..<0xe000).contains(low) else {
        throw failure("a JSON string holds half a surrogate pair")
      }
      value = 0x1_0000 + (value - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw failure("a JSON string holds half a surrogate pair")
    }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    guard place + 4 <= bytes.count else { throw failure("a JSON string does not end") }
    var value: UInt32 = 0
    for byte in bytes[place..<place + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure("a JSON string holds an unknown escape")
      }
      value = value << 4 | UInt32(digit)
    }
    place += 4
    return value
  }

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    place += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { place += 1 }
  }

  private func failure(_ reason: String) -> JSONError { JSONError(reason: reason, offset: place) }
}
