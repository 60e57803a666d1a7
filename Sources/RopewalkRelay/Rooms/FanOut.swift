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
    let outgoing = OutgoingMessage(message, compressor: takesZstd ? compressor : nil)
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
