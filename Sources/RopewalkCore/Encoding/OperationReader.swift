/// Reads operations, their positions and their text side by side.
///
/// Plain numbers alone, so that a local one stays in registers.
struct OperationReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let contentEnd: Int
  private let isAscii: Bool
  private var operations: ColumnReader
  private var positions: ColumnReader
  /// Where the next insert's text stands.
  private(set) var byte: Int
  /// Scalars of text not inserted yet.
  private(set) var uninserted: UInt32

  /// Begins with the text, which must be well-formed UTF-8.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ layout: UpdateLayout) throws(FormatError) {
    self.bytes = bytes
    operations = ColumnReader(bytes, layout.operations)
    positions = ColumnReader(bytes, layout.positions)
    byte = layout.content.lowerBound
    contentEnd = layout.content.upperBound
    let text = UnsafeBufferPointer(rebasing: bytes[layout.content])
    isAscii = TextMetrics.isAscii(text)
    uninserted = isAscii ? UInt32(text.count) : TextMetrics.measure(text)[TextMetrics.scalars]
    if !isAscii, let fault = TextMetrics.firstFault(text) {
      throw FormatError(.badValue, at: layout.content.lowerBound + fault, field: "update.content")
    }
  }

  /// Reads the operations of one run; returns how many scalars they insert.
  @inline(__always)
  mutating func read<Sink: UpdateSink & ~Copyable>(
    length: UInt32, caret: inout UInt32, into sink: inout Sink
  ) throws(FormatError) -> UInt32 {
    let uninsertedBefore = uninserted
    var left = length
    var continuations: Continuations = []
    while left > 0 {
      let start = operations.offset
      let word = try operations.varint("update.operation")
      // A length of 0 becomes the largest number.
      guard let kind = Operation.Kind(rawValue: UInt8(truncatingIfNeeded: word & 3)),
        word >> 2 &- 1 < UInt64(left)
      else { throw FormatError(.badValue, at: start, field: "update.operation") }
      let count = UInt32(truncatingIfNeeded: word >> 2)
      let at = positions.offset
      let zigzag = try positions.varint("update.position")
      let shift = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
      // What is below 0 or goes beyond all numbers is a large number without sign.
      let wide = UInt64(bitPattern: Int64(caret) &+ shift)
      guard wide < Operation.positionLimit else {
        throw FormatError(.badValue, at: at, field: "update.position")
      }
      if continuations.contains(zigzag, isInsert: kind == .insert) {
        throw FormatError(.notCanonical, at: start, field: "update.operation")
      }
      let position = UInt32(truncatingIfNeeded: wide)
      let operation = Operation(kind: kind, position: position, length: count)
      switch kind {
      case .insert:
        guard count <= uninserted, wide &+ UInt64(count) <= Operation.positionLimit else {
          throw FormatError(.badValue, at: start, field: "update.operation")
        }
        sink.addOperation(operation, byte: byte)
        uninserted &-= count
        byte &+= isAscii ? Int(count) : size(ofScalars: Int(count))
        continuations = .afterInsert
      case .deleteForward:
        sink.addOperation(operation, byte: byte)
        continuations = count == 1 ? .afterSingleDelete : .afterForwardDelete
      case .deleteBackward:
        guard count > 1 else { throw FormatError(.notCanonical, at: start, field: "update.operation") }
        guard position >= count &- 1 else { throw FormatError(.badValue, at: at, field: "update.position") }
        sink.addOperation(operation, byte: byte)
        continuations = .afterBackwardDelete
      }
      caret = operation.caret
      left &-= count
    }
    return uninsertedBefore &- uninserted
  }

  /// Which operations' first events would go on with the operation before them, which would then hold them
  /// (`Operation.absorb`).
  private struct Continuations: OptionSet {
    let rawValue: UInt8

    static let insertAtCaret = Self(rawValue: 1 << 1)
    static let deleteAtCaret = Self(rawValue: 1 << 0)
    static let deleteBeforeCaret = Self(rawValue: 1 << 2)

    static let afterInsert: Self = .insertAtCaret
    static let afterForwardDelete: Self = .deleteAtCaret
    static let afterBackwardDelete: Self = .deleteBeforeCaret
    static let afterSingleDelete: Self = [.deleteAtCaret, .deleteBeforeCaret]

    /// - Parameter zigzag: the position's shift from the caret after the operation before: 0 or, as 1, -1.
    @inline(__always)
    func contains(_ zigzag: UInt64, isInsert: Bool) -> Bool {
      guard zigzag < 2 else { return false }
      return rawValue &>> (UInt8(truncatingIfNeeded: zigzag) &<< 1 | (isInsert ? 1 : 0)) & 1 != 0
    }
  }

  func expectEnd() throws(FormatError) {
    try operations.expectEnd("update.operationColumn")
    try positions.expectEnd("update.positionColumn")
  }

  /// The bytes of the next `count` scalars of text, which are there.
  private func size(ofScalars count: Int) -> Int {
    let rest = UnsafeBufferPointer(rebasing: bytes[byte..<contentEnd])
    return TextMetrics.byteOffset(ofScalar: count, in: rest)
  }
}
