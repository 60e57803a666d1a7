import RopewalkZstd

/// A document at rest: its snapshot in one zstd frame.
enum Stored {
  /// The level at which a replica stores snapshots (`Zstd.compress` unless told otherwise).
  static let level: Int32 = 3
  /// The smallest that zstd makes without long windows.
  static let smallestLevel: Int32 = 19

  static func size(of bytes: [UInt8], level: Int32 = level) -> Int {
    Zstd.compress(bytes, level: level).count
  }
}
