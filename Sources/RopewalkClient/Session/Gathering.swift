import RopewalkSync

/// What has come of a room's log and is taken in later, all at once, since the last of it took long.
///
/// What one entry costs may depend on all that is concurrent with it, so that taking in each by itself would cost the
/// square of that. Together they cost it once.
struct Gathering {
  /// What took fewer milliseconds than this to take in is followed by the next entries at once.
  static let shortest: UInt64 = 8
  /// Otherwise nothing is taken in for this many times as long.
  static let rest: UInt64 = 3
  /// Nor for longer than this, in milliseconds.
  static let longest: UInt64 = 1000
  /// Not more is kept waiting, in bytes.
  static let mostBytes = 1 << 20

  private(set) var entries: [LogEntry] = []
  private(set) var cursor: UInt64 = 0
  private(set) var digest = LogDigest.zero
  private var bytes = 0
  /// Until when nothing is taken in.
  private(set) var until: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var isFull: Bool { bytes > Self.mostBytes }

  mutating func add(_ new: [LogEntry], _ cursor: UInt64, _ digest: LogDigest) {
    // Mostly these are all there is, and nothing is copied.
    if entries.isEmpty { entries = new } else { entries += new }
    (self.cursor, self.digest) = (cursor, digest)
    bytes = new.reduce(bytes) { $0 + $1.payload.count + 256 }
  }

  /// Entries were taken in between two moments.
  mutating func tookIn(from began: UInt64, to ended: UInt64) {
    let took = ended - min(began, ended)
    until = took < Self.shortest ? 0 : ended + min(Self.longest, Self.rest * took)
  }
}
