import NIOCore
import RopewalkSync
import RopewalkZstd

/// Sends one message to many connections: made and compressed once, and handed to each event loop once.
///
/// A class because it owns a zstd context; used on one event loop.
final class FanOut {
  private let loop: any EventLoop
  private lazy var compressor = ZstdCompressor(level: 1)

  init(loop: any EventLoop) { self.loop = loop }

  /// - Parameter host: set if the room wants to be told when a socket takes more.
  func send(_ message: [UInt8], to connections: [Connection], feedFrom host: RoomHost?) {
    guard !connections.isEmpty else { return }
    let takesZstd = connections.contains { $0.codecs.contains(.zstd) }
    write(OutgoingMessage(message, compressor: takesZstd ? compressor : nil), connections, host)
  }

  /// Sends a part of the log as it is stored, and unfolded to those who do not take that. False if it is
  /// damaged.
  func send(
    _ segment: LogSegment, in room: RoomNumber, to connections: [Connection], feedFrom host: RoomHost
  ) -> Bool {
    guard !connections.isEmpty else { return true }
    var content: [UInt8]?
    if !connections.allSatisfy({ $0.takesSegments }) {
      content = try? Zstd.decompress(segment.frame, maximumBytes: segment.size)
      guard content?.count == segment.size else { return false }
    }
    write(OutgoingMessage(segment, in: room, content: content, compressor: compressor), connections, host)
    return true
  }

  private func write(_ outgoing: OutgoingMessage, _ connections: [Connection], _ host: RoomHost?) {
    var elsewhere: [ObjectIdentifier: [Connection]] = [:]
    for connection in connections {
      if connection.loop === loop {
        connection.write(outgoing, feedFrom: host)
      } else {
        elsewhere[ObjectIdentifier(connection.loop), default: []].append(connection)
      }
    }
    for group in elsewhere.values {
      group[0].loop.execute {
        for connection in group { connection.write(outgoing, feedFrom: host) }
      }
    }
  }
}
