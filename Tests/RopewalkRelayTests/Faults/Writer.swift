import Foundation
import RopewalkCore
import RopewalkSync

@testable import RopewalkRelay

/// A client that pushes one event after another, remembers what was acknowledged, and pushes the rest
/// again, unchanged, after a reconnection.
actor Writer {
  let replica: UInt64
  private(set) var payloads: [[UInt8]] = []
  /// The cursor of each push that was acknowledged.
  private(set) var acknowledged: [UInt32: UInt64] = [:]
  private(set) var faults: [String] = []
  private let payloadBytes: Int

  init(replica: UInt64, payloadBytes: Int) {
    self.replica = replica
    self.payloadBytes = payloadBytes
  }

  /// Pushes over one connection until it ends or so many are acknowledged; each acknowledgement is told.
  func work(port: Int, window: Int, limit: Int = .max, _ onAcknowledgement: @Sendable () -> Void) async {
    // The ids stay the writer's over all its connections.
    let identity = [UInt8](repeating: UInt8(truncatingIfNeeded: replica), count: 16)
    guard let peer = try? await Peer.greeted(onPort: port, identity: identity),
      let number = try? await peer.join(.test).joined.number
    else { return }
    var waiting = (0..<UInt32(payloads.count)).filter { acknowledged[$0] == nil }[...]
    var inFlight: Set<UInt32> = []
    var done = 0
    while done < limit {
      while inFlight.count < window {
        let seq = waiting.popFirst() ?? UInt32(payloads.count)
        if seq == payloads.count { payloads.append(payload(seq)) }
        let push = ClientMessage.Push(
          room: number, number: UInt64(seq), header: header(seq..<seq + 1, replica: replica),
          payload: payloads[Int(seq)])
        guard (try? await peer.say(.push(push))) != nil else { return }
        inFlight.insert(seq)
      }
      guard let message = try? await peer.hear() else { return }
      switch message {
      case .acknowledged(_, let all):
        for one in all {
          let seq = UInt32(one.push)
          if let known = acknowledged[seq], known != one.cursor { faults.append("\(seq) has two cursors") }
          acknowledged[seq] = one.cursor
          inFlight.remove(seq)
          done += 1
          onAcknowledgement()
        }
      case .refused(_, let push, let refusal): faults.append("\(push) was refused: \(refusal)")
      case .error(_, let error):
        if error.code != .unavailable { faults.append(error.text) }
        await peer.socket.drop()
        return
      default: break
      }
    }
    await peer.socket.drop()
  }

  private func payload(_ seq: UInt32) -> [UInt8] {
    (0..<payloadBytes).map { UInt8(truncatingIfNeeded: replica &* 31 &+ UInt64(seq) &* 7 &+ UInt64($0 / 5)) }
  }

  /// What is wrong with a log, from this writer's view.
  func check(_ log: [LogEntry]) -> [String] {
    var wrong = faults
    let own = log.filter { $0.header.span.replica.rawValue == replica }
    for (index, entry) in own.enumerated() {
      let seq = entry.header.span.seqs.lowerBound
      if seq != UInt32(index) { wrong.append("\(replica): \(seq) is at place \(index)") }
      if Int(seq) >= payloads.count || entry.payload != payloads[Int(seq)] {
        wrong.append("\(replica): \(seq) has another payload")
      }
    }
    for (seq, cursor) in acknowledged {
      let entry = cursor >= 1 && cursor <= UInt64(log.count) ? log[Int(cursor) - 1] : nil
      if entry?.header != header(seq..<seq + 1, replica: replica) {
        wrong.append("\(replica): \(seq), acknowledged at \(cursor), is not there")
      }
    }
    return wrong
  }
}

extension Peer {
  static func greeted(onPort port: Int, identity: [UInt8] = []) async throws -> Peer {
    let socket = try await RawSocket(port: port)
    try await socket.upgrade()
    let peer = Peer(socket)
    try await peer.say(.hello(ClientMessage.Hello(codecs: .zstd, token: [], identity: identity)))
    guard case .welcome = try await peer.hear() else { throw RawSocket.Failure.ended }
    return peer
  }
}

/// Reads a whole log, and says what is wrong with it.
func readLog(port: Int, _ writers: [Writer]) async throws -> (entries: [LogEntry], wrong: [String]) {
  let peer = try await Peer.greeted(onPort: port)
  let (_, entries, digest) = try await peer.join(.test)
  await peer.socket.drop()
  var wrong: [String] = []
  if entries.map(\.cursor) != (0..<UInt64(entries.count)).map({ $0 + 1 }) { wrong.append("not dense") }
  if entries.reduce(LogDigest.zero, { $1.digest(after: $0) }) != digest { wrong.append("wrong digest") }
  for writer in writers { wrong += await writer.check(entries) }
  return (entries, wrong)
}
