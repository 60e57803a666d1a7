/// A text in UTF-8 chunks of one or two kilobytes, edited by scalar positions.
///
/// Edits near the last one find their chunk at once; others step over whole chunks, some hundred for a
/// megabyte. Both are small beside the work of transforming.
public struct ChunkedText: Sendable {
  private struct Chunk: Sendable {
    var utf8: [UInt8]
    var scalars: Int

    init(_ utf8: [UInt8]) {
      self.utf8 = utf8
      scalars = utf8.reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) }
    }

    /// The byte at which a scalar begins.
    func offset(ofScalar index: Int) -> Int {
      if utf8.count == scalars || index == 0 { return index }
      if index == scalars { return utf8.count }
      var left = index
      return utf8.firstIndex { byte in
        if byte & 0xc0 != 0x80 {
          if left == 0 { return true }
          left -= 1
        }
        return false
      } ?? utf8.count
    }
  }

  private static let largestChunk = 2048
  private var chunks: [Chunk] = [Chunk([])]
  /// The chunk of the last edit, and the scalars before it.
  private var near = (chunk: 0, start: 0)
  /// Length in scalars.
  public private(set) var count = 0

  /// Cuts a text into chunks. O(n).
  public init(_ text: String = "") { insert(Insertion(text), at: 0) }

  /// The whole text in UTF-8. O(n).
  public var utf8: [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(chunks.reduce(0) { $0 + $1.utf8.count })
    for chunk in chunks { all += chunk.utf8 }
    return all
  }

  /// The whole text. O(n).
  public var string: String { String(decoding: utf8, as: UTF8.self) }

  mutating func insert(_ text: Insertion, at position: Int) {
    precondition(position <= count, "beyond the end")
    moveNear(to: position)
    let place = near.chunk
    let at = chunks[place].offset(ofScalar: position - near.start)
    chunks[place].utf8.insert(contentsOf: text.text.utf8, at: at)
    chunks[place].scalars += text.count
    count += text.count
    if chunks[place].utf8.count > Self.largestChunk { split(place) }
  }

  mutating func delete(_ length: Int, at position: Int) {
    precondition(position + length <= count, "beyond the end")
    var left = length
    while left > 0 {
      moveNear(to: position)
      if position - near.start == chunks[near.chunk].scalars {
        near = (near.chunk + 1, near.start + chunks[near.chunk].scalars)
      }
      let from = position - near.start
      let taken = min(left, chunks[near.chunk].scalars - from)
      let bytes =
        chunks[near.chunk].offset(ofScalar: from)..<chunks[near.chunk].offset(ofScalar: from + taken)
      chunks[near.chunk].utf8.removeSubrange(bytes)
      chunks[near.chunk].scalars -= taken
      count -= taken
      left -= taken
      if chunks[near.chunk].scalars == 0, chunks.count > 1 { removeNear() }
    }
  }

  /// Makes the chunk near that holds `position`, or ends there.
  private mutating func moveNear(to position: Int) {
    while position < near.start {
      near.chunk -= 1
      near.start -= chunks[near.chunk].scalars
    }
    while position > near.start + chunks[near.chunk].scalars {
      near.start += chunks[near.chunk].scalars
      near.chunk += 1
    }
  }

  private mutating func removeNear() {
    chunks.remove(at: near.chunk)
    if near.chunk == chunks.count {
      near.chunk -= 1
      near.start -= chunks[near.chunk].scalars
    }
  }

  /// Cuts a chunk that grew too large into halves of the allowed size, between scalars.
  private mutating func split(_ place: Int) {
    let all = chunks[place].utf8
    var parts: [Chunk] = []
    var start = 0
    while start < all.count {
      var end = min(all.count, start + Self.largestChunk / 2)
      while end < all.count, all[end] & 0xc0 == 0x80 { end -= 1 }
      parts.append(Chunk(Array(all[start..<end])))
      start = end
    }
    chunks.replaceSubrange(place...place, with: parts)
  }
}

extension ChunkedText {
  /// Makes a change. The text must be as long as the operation requires. O(components + bytes changed).
  public mutating func apply(_ operation: TextOperation) {
    var position = 0
    for component in operation.components {
      switch component {
      case .retain(let length): position += length
      case .insert(let text):
        insert(text, at: position)
        position += text.count
      case .delete(let length): delete(length, at: position)
      }
    }
  }
}
