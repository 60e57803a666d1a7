import Foundation
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What tests of checkpoints and forgetting play with: a room of which everything may be forgotten.
protocol ForgettableRoom {}

extension ForgettableRoom {
  /// A relay whose room may be forgotten at once, with Ann and Ben in it, who may edit, and four entries of Ann's.
  func withFullRoom(
    grace: UInt64 = 0, others: [String] = [], isOpen: Bool = false,
    _ body: (Relay, KeyedFolder, RelayKey, [Peer], RoomNumber) async throws -> Void
  ) async throws {
    let key = RelayKey.generate(.hs256)
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.key = key
        $0.checkpointInterval = 4
        $0.checkpointGrace = grace
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
        if isOpen { $0.publicRooms = [.init(pattern: "*", role: .edit)] }
      } _: { relay in
        let owner = try await Self.peer("owner", key, relay, .own)
        var number = try await owner.join(.test).joined.number
        _ = try await Self.state(owner, number, setting: .days(0))
        try await owner.say(.leave(number))
        try await owner.say(.ping(1))
        while try await owner.hear() != .pong(1) {}
        var peers: [Peer] = []
        for subject in ["ann", "ben"] + others {
          peers.append(try await Self.peer(subject, key, relay))
          number = try await peers[peers.count - 1].join(.test).joined.number
        }
        for index in 0..<4 as Range<UInt32> {
          let push = ClientMessage.Push(
            room: number, number: UInt64(index), header: header(index..<index + 1), payload: [UInt8(index)])
          #expect(try await peers[0].push(push) == .cursor(UInt64(index) + 1))
        }
        try await body(relay, folder, key, peers, number)
      }
    }
  }

  static func peer(
    _ subject: String, _ key: RelayKey, _ relay: Relay, _ role: Role = .edit
  ) async throws -> Peer {
    let token = subject.isEmpty ? "" : try await token(key, ["*": role], subject: subject)
    let peer = try await Peer.connect(to: relay)
    try await peer.say(
      .hello(
        ClientMessage.Hello(
          codecs: [], token: Array(token.utf8), identity: [UInt8](repeating: 9, count: 16))))
    guard case .welcome = try await peer.hear() else { throw RawSocket.Failure.ended }
    return peer
  }

  func wanted(_ peer: Peer) async throws -> Bool {
    while true {
      if case .checkpointWanted(_, let cursor, let isWhole) = try await peer.hear() {
        #expect(cursor == 4)
        return isWhole
      }
    }
  }

  static func state(
    _ peer: Peer, _ number: RoomNumber, setting retention: Retention? = nil
  ) async throws -> RelayMessage.Retention {
    try await peer.say(.retention(room: number, retention))
    while true { if case .retention(let answer) = try await peer.hear() { return answer } }
  }

  func state(_ peer: Peer, _ number: RoomNumber) async throws -> RelayMessage.Retention {
    try await Self.state(peer, number)
  }

  /// What the audit log says of checkpoints, when it says so much: it is written beside.
  func notes(_ folder: KeyedFolder, count: Int) async throws -> [String] {
    while true {
      let notes = try folder.audit.filter { $0.act == .checkpoint }.map {
        "\($0.code ?? "") \($0.subject ?? "-") \($0.room ?? ""): \($0.detail ?? "")"
      }
      if notes.count >= count { return notes }
      await Task.yield()
    }
  }

  var part: CheckpointPart { CheckpointPart(cursor: 1, header: header(0..<4), payload: [0, 1, 2, 3]) }

  func upload(_ number: RoomNumber, _ parts: [CheckpointPart]) -> ClientMessage {
    .checkpoint(ClientMessage.Checkpoint(room: number, cursor: 4, first: 0, isLast: true, parts: parts))
  }

  func upload(_ number: RoomNumber, _ part: CheckpointPart? = nil) -> ClientMessage {
    upload(number, [part ?? self.part])
  }

  func digest(_ number: RoomNumber, _ parts: [CheckpointPart]) -> ClientMessage {
    .checkpointDigest(room: number, cursor: 4, digest: Checkpoint.digest(of: parts))
  }

  func digest(_ number: RoomNumber, _ part: CheckpointPart? = nil) -> ClientMessage {
    digest(number, [part ?? self.part])
  }
}
