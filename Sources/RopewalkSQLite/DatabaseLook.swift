#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a database file says of itself in its first hundred bytes, found out without opening it: SQLite makes `-wal`
/// and `-shm` beside a file, and moves a write-ahead log into it, before anybody can decide to leave it as it is.
package enum DatabaseLook: Hashable, Sendable {
  /// There is no plain file, or none that can be read. Opening it says why.
  case nothing
  /// A file of no bytes, which SQLite takes for an empty database.
  case empty
  /// A file that is no database.
  case foreign
  /// A database.
  case database(applicationID: Int32, version: Int32)

  private static let headerSize = 100

  /// Looks at a file, and at its write-ahead log where there is one.
  package init(path: String) {
    guard let file = FileBytes(path) else {
      self = .nothing
      return
    }
    let header = WriteAheadLogHead(path: path + "-wal")?.firstPage ?? file.bytes(Self.headerSize, at: 0)
    guard !header.isEmpty else {
      self = .empty
      return
    }
    guard header.count >= Self.headerSize, header.starts(with: "SQLite format 3\0".utf8) else {
      self = .foreign
      return
    }
    let bytes = header[...]
    self = .database(
      applicationID: Int32(bitPattern: bytes.bigEndian(at: 68)),
      version: Int32(bitPattern: bytes.bigEndian(at: 60)))
  }
}

/// What a write-ahead log holds of a database's first page (https://sqlite.org/fileformat2.html#walformat).
struct WriteAheadLogHead {
  /// The beginning of the first page as of the last commit; nil if the log does not hold the page.
  let firstPage: [UInt8]?

  private static let (headerSize, frameSize) = (32, 24)

  /// Nil for what is not there or holds no commit.
  init?(path: String) {
    guard let file = FileBytes(path), file.size > Self.headerSize else { return nil }
    let header = file.bytes(Self.headerSize, at: 0)[...]
    guard header.count == Self.headerSize, header.bigEndian(at: 0) & ~1 == 0x377f_0682 else { return nil }
    let size = Int(header.bigEndian(at: 8))
    guard size >= 512, size <= 65_536, size & (size - 1) == 0 else { return nil }
    var sum = WriteAheadLogSum(isBigEndian: header.bigEndian(at: 0) & 1 == 1)
    sum.add(header.prefix(24))
    guard sum.isSame(as: header, at: 24) else { return nil }
    var (found, pending): ([UInt8]?, [UInt8]?) = (nil, nil)
    var hasCommit = false
    var offset = Self.headerSize
    while true {
      let frame = file.bytes(Self.frameSize + size, at: offset)[...]
      guard frame.count == Self.frameSize + size, frame[8..<16].elementsEqual(header[16..<24]) else { break }
      sum.add(frame.prefix(8))
      sum.add(frame.dropFirst(Self.frameSize))
      guard sum.isSame(as: frame, at: 16) else { break }
      if frame.bigEndian(at: 0) == 1 { pending = Array(frame.dropFirst(Self.frameSize).prefix(100)) }
      if frame.bigEndian(at: 4) != 0 {
        found = pending ?? found
        hasCommit = true
      }
      offset += Self.frameSize + size
    }
    guard hasCommit else { return nil }
    firstPage = found
  }
}

/// The checksum of a write-ahead log, which runs through all of its frames.
private struct WriteAheadLogSum {
  let isBigEndian: Bool
  private var (one, two): (UInt32, UInt32) = (0, 0)

  init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

  /// - Parameter bytes: a multiple of eight.
  mutating func add(_ bytes: ArraySlice<UInt8>) {
    let (isBigEndian, start) = (isBigEndian, (one, two))
    (one, two) = bytes.withUnsafeBytes { buffer in
      var (one, two) = start
      for offset in stride(from: 0, to: buffer.count & ~7, by: 8) {
        var first = buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        var second = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
        (first, second) =
          isBigEndian
          ? (UInt32(bigEndian: first), UInt32(bigEndian: second))
          : (UInt32(littleEndian: first), UInt32(littleEndian: second))
        one = one &+ first &+ two
        two = two &+ second &+ one
      }
      return (one, two)
    }
  }

  func isSame(as bytes: ArraySlice<UInt8>, at offset: Int) -> Bool {
    bytes.bigEndian(at: offset) == one && bytes.bigEndian(at: offset + 4) == two
  }
}
