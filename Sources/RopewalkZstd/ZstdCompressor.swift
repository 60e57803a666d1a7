import CZstd

/// Compresses many messages with one context, which costs much less per message than `Zstd.compress`.
///
/// A class because it owns the context; not for use on several threads at once.
public final class ZstdCompressor {
  private let context: OpaquePointer?
  private let level: Int32

  /// - Parameter level: 1 (fast) to 19 (small).
  public init(level: Int32 = 3) {
    context = ZSTD_createCCtx()
    self.level = level
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Compresses into one frame that carries its content size; nil if the frame would not be smaller than `bytes`.
  public func compress(_ bytes: [UInt8]) -> [UInt8]? {
    guard let context, bytes.count > 1 else { return nil }
    var isSmaller = false
    let frame = [UInt8](unsafeUninitializedCapacity: bytes.count - 1) { buffer, count in
      let written = bytes.withUnsafeBytes {
        ZSTD_compressCCtx(context, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count, level)
      }
      isSmaller = ZSTD_isError(written) == 0
      count = isSmaller ? written : 0
    }
    return isSmaller ? frame : nil
  }
}
