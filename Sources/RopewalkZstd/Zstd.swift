import CZstd

/// Why bytes could not be compressed or decompressed.
public struct ZstdError: Error, Hashable, Sendable {
  /// What went wrong.
  public enum Code: Sendable {
    /// Not a zstd frame, or a damaged one.
    case malformed
    /// The content would be larger than the caller allows.
    case overLimit
  }
  /// What went wrong.
  public let code: Code
}

/// zstd frames by libzstd.
public enum Zstd {
  /// Compresses into one frame that carries its content size.
  ///
  /// - Parameter level: 1 (fast) to 19 (small).
  public static func compress(_ bytes: [UInt8], level: Int32 = 3) -> [UInt8] {
    let bound = ZSTD_compressBound(bytes.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      let written = bytes.withUnsafeBytes {
        ZSTD_compress(buffer.baseAddress, bound, $0.baseAddress, $0.count, level)
      }
      precondition(ZSTD_isError(written) == 0, "the destination is as large as ZSTD_compressBound asks")
      count = written
    }
  }

  /// Decompresses concatenated frames, whether or not they declare their content size.
  ///
  /// Memory grows with what is really decoded, never with what a header claims.
  /// - Parameter maximumBytes: the largest content accepted, in bytes.
  public static func decompress(_ bytes: [UInt8], maximumBytes: Int) throws(ZstdError) -> [UInt8] {
    guard let stream = ZSTD_createDStream() else { throw ZstdError(code: .overLimit) }
    defer { ZSTD_freeDStream(stream) }
    ZSTD_initDStream(stream)
    var output: [UInt8] = []
    let chunk = ZSTD_DStreamOutSize()
    var position = 0
    var isMidFrame = false
    var failure: ZstdError?
    bytes.withUnsafeBytes { source in
      while position < source.count || isMidFrame {
        var written = 0
        let room = min(chunk, max(1, maximumBytes - output.count))
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
          var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: position)
          var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: room, pos: 0)
          let hint = ZSTD_decompressStream(stream, &target, &input)
          if ZSTD_isError(hint) != 0 { failure = ZstdError(code: .malformed) }
          if target.pos == 0 && input.pos == position && hint != 0 && failure == nil {
            failure = ZstdError(code: .malformed)  // truncated
          }
          isMidFrame = hint != 0
          position = input.pos
          written = target.pos
          count = target.pos
        }
        if failure != nil { return }
        if output.count + written > maximumBytes {
          failure = ZstdError(code: .overLimit)
          return
        }
        output.append(contentsOf: piece)
      }
    }
    if let failure { throw failure }
    return output
  }
}
