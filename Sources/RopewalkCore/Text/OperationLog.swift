/// What the events did to the text, run-length encoded, with all text ever inserted.
///
/// Typing and deleting collapse into runs. A run's events have consecutive places; it ends where the next
/// begins.
struct OperationLog: Sendable {
  struct Run: PlacedRun, Sendable {
    /// The place of the first event.
    var start: UInt32
    /// A scalar index in the version that the first event's author saw.
    var position: UInt32
    /// Where in `content` an insert's text begins; for a deletion, the length of `content` at that time.
    var content: UInt32
    var kind: Operation.Kind
  }

  private(set) var runs: [Run] = []
  private(set) var content: [UInt8] = []
  private(set) var count: UInt32 = 0
  /// Where an insert must be to go on with the last run; `noCaret` if that is none.
  private var caret = noCaret
  /// Where one deletion goes on with the last run without changing its kind; `noCaret` if none does. A run
  /// that was read and not grown here is looked at instead.
  private var forward = noCaret
  private var backward = noCaret
  /// Beyond all positions.
  static let noCaret = UInt32.max

  init() {}

  /// A log of columns that fit each other.
  init(runs: [Run], content: [UInt8], count: UInt32) {
    self.runs = runs
    self.content = content
    self.count = count
    if let last = runs.last, last.kind == .insert { caret = last.position &+ (count &- last.start) }
  }

  /// Where run `index` ends.
  @inline(__always) func end(ofRun index: Int) -> UInt32 {
    index + 1 < runs.count ? runs[index + 1].start : count
  }

  /// Where the text of the insert run `index` ends in `content`.
  @inline(__always) func contentEnd(ofRun index: Int) -> Int {
    index + 1 < runs.count ? Int(runs[index + 1].content) : content.count
  }

  /// The index of the run that holds a place. O(log n).
  func run(at place: UInt32) -> Int {
    runs.index(ofRunWith: place, in: 0..<runs.count)
  }

  /// The bytes of scalars `range` of the insert run `index`, as a range of `content`.
  func contentRange(ofRun index: Int, scalars range: Range<Int>) -> Range<Int> {
    let start = Int(runs[index].content)
    let end = contentEnd(ofRun: index)
    let length = Int(self.end(ofRun: index) - runs[index].start)
    if end - start == length { return start + range.lowerBound..<start + range.upperBound }
    return content.withUnsafeBufferPointer { content in
      let bytes = UnsafeBufferPointer(rebasing: content[start..<end])
      let from = TextMetrics.byteOffset(ofScalar: range.lowerBound, in: bytes)
      if range.upperBound == length { return start + from..<end }
      let rest = UnsafeBufferPointer(rebasing: bytes[from...])
      return start + from..<start + from + TextMetrics.byteOffset(ofScalar: range.count, in: rest)
    }
  }

  /// What the events `from ..< to` of run `index` did.
  @inline(__always) func operation(ofRun index: Int, from start: UInt32, to end: UInt32) -> Operation {
    let run = runs[index]
    let whole = Operation(kind: run.kind, position: run.position, length: end - run.start)
    return start == run.start ? whole : whole.dropping(start - run.start)
  }

  // MARK: Growing

  /// Adds an insertion of `length` scalars, given in UTF-8.
  @inline(__always)
  mutating func appendInsert(_ text: UnsafeBufferPointer<UInt8>, length: UInt32, at position: UInt32) {
    if position != caret { beginInsert(at: position) }
    content.append(text)
    count &+= length
    caret = position &+ length
  }

  /// Whether text inserted there goes on with the last run.
  @inline(__always) func goesOn(at position: Int) -> Bool { position == Int(caret) }

  /// Adds an insertion of one ASCII character that goes on with the last run.
  @inline(__always)
  mutating func type(_ key: UInt8) {
    content.append(key)
    count &+= 1
    caret &+= 1
  }

  private mutating func beginInsert(at position: UInt32) {
    (forward, backward) = (Self.noCaret, Self.noCaret)
    runs.append(Run(start: count, position: position, content: UInt32(content.count), kind: .insert))
  }

  /// Adds a run of deletions.
  @inline(__always)
  mutating func appendDelete(_ operation: Operation) {
    if operation.length == 1 {
      if operation.position == backward {
        backward &-= 1
        count &+= 1
        return
      }
      if operation.position == forward {
        count &+= 1
        return
      }
    }
    continueDelete(operation)
  }

  /// Continues the last run event by event, so that the runs are a function of the events alone and not of
  /// how they were cut.
  private mutating func continueDelete(_ operation: Operation) {
    var rest = operation
    caret = Self.noCaret
    if let last = runs.last {
      var open = Operation(kind: last.kind, position: last.position, length: count - last.start)
      let absorbed = open.absorb(rest)
      if absorbed > 0 {
        if open.kind != last.kind { runs[runs.count - 1].kind = open.kind }
        count += absorbed
        guard absorbed < rest.length else { return expectDeletion(after: open) }
        rest = rest.dropping(absorbed)
      }
    }
    runs.append(
      Run(start: count, position: rest.position, content: UInt32(content.count), kind: rest.kind))
    count += rest.length
    expectDeletion(after: rest)
  }

  private mutating func expectDeletion(after run: Operation) {
    forward = run.kind == .deleteForward ? run.position : Self.noCaret
    backward = run.kind == .deleteBackward ? run.position &- run.length : Self.noCaret
  }
}

extension [UInt8] {
  /// Adds bytes; one alone, as it comes by typing, without a call.
  @inline(__always)
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.count == 1 { append(bytes[0]) } else { append(contentsOf: bytes) }
  }
}
