import RopewalkCore

/// How a message lies in a binary WebSocket message: a byte 0 and the message; or a byte 1, the message's
/// size (varint) and a zstd frame; or a byte 2, the message's beginning (block), the size of its rest
/// (varint) and a zstd frame of that, which may have been made long before.
///
/// The state machines see messages; envelopes are made and opened at the socket's edge, by whoever has a
/// codec there.
public enum Envelope {
  /// Wraps a message as it is.
  public static func plain(_ message: [UInt8]) -> [UInt8] { [0] + message }

  /// Wraps a zstd frame of a message that has `size` bytes.
  public static func zstd(frame: [UInt8], size: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.reserve(frame.count + 6)
    writer.byte(1)
    writer.varint(UInt64(size))
    writer.append(frame)
    return writer.bytes
  }

  /// Wraps a message whose beginning is plain and whose rest, of `size` bytes, is a zstd frame.
  public static func partly(_ beginning: [UInt8], frame: [UInt8], size: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.reserve(beginning.count + frame.count + 12)
    writer.byte(2)
    writer.block(beginning)
    writer.varint(UInt64(size))
    writer.append(frame)
    return writer.bytes
  }

  /// Opens an envelope.
  ///
  /// - Parameters:
  ///   - largestMessage: larger messages are `overLimit`, before anything is decompressed.
  ///   - takesSegments: the third form may come, which only a relay sends, to those who have agreed on
  ///     `Features.segments`.
  ///   - inflate: decompresses a zstd frame into at most the given number of bytes; nil if it is damaged or
  ///     larger.
  public static func open(
    _ bytes: [UInt8], largestMessage: Int, takesSegments: Bool,
    inflate: (_ frame: ArraySlice<UInt8>, _ maximumBytes: Int) -> [UInt8]?
  ) throws(FormatError) -> [UInt8] {
    var reader = ByteReader(bytes)
    switch try reader.byte("envelope") {
    case 0:
      guard reader.remaining <= largestMessage else {
        throw FormatError(.overLimit, at: 0, field: "envelope")
      }
      return Array(try reader.bytes(reader.remaining, "message"))
    case 1: return try rest(of: &reader, after: [], largestMessage, inflate)
    case 2 where takesSegments:
      let beginning = Array(try reader.block("message"))
      return try rest(of: &reader, after: beginning, largestMessage, inflate)
    default: throw FormatError(.badValue, at: 0, field: "envelope")
    }
  }

  private static func rest(
    of reader: inout ByteReader, after beginning: [UInt8], _ largestMessage: Int,
    _ inflate: (_ frame: ArraySlice<UInt8>, _ maximumBytes: Int) -> [UInt8]?
  ) throws(FormatError) -> [UInt8] {
    let start = reader.offset
    let size = try reader.varint("message size")
    guard beginning.count <= largestMessage, size <= UInt64(largestMessage - beginning.count) else {
      throw FormatError(.overLimit, at: start, field: "message size")
    }
    let place = reader.offset
    let frame = try reader.bytes(reader.remaining, "zstd frame")
    guard let message = inflate(frame, Int(size)), UInt64(message.count) == size else {
      throw FormatError(.badValue, at: place, field: "zstd frame")
    }
    return beginning.isEmpty ? message : beginning + message
  }
}
