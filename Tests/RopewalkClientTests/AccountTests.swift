import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Testing

@testable import RopewalkClient

/// One person, one file, and another account than before: signed in after writing without a token, called otherwise, or
/// back under a new name after the old one was revoked. All that was written gets out, once.
@Suite(.timeLimit(.minutes(2))) struct AccountTests {
  private let key: RelayKey

  init() throws { key = try RelayKey(Array("a key of thirty-two bytes at least".utf8)) }

  private func token(_ subject: String) throws -> String? {
    guard !subject.isEmpty else { return nil }
    return try RelayToken.mint(
      key: key, subject: subject, rooms: [("team", .edit)], expires: 4_000_000_000_000)
  }

  private func sync(_ replica: Replica, _ relay: Relay, as subject: String) async throws {
    let client = try await Client.joined(replica, relay, token: try token(subject))
    try await client.sync()
    await client.close()
  }

  private func write(_ word: String, _ replica: Replica) throws {
    try replica.notes.insert(word, at: try replica.notes.text.unicodeScalars.count)
  }

  /// In one program, with one replica that stays open, each account writes, and leaves something unsent to the next.
  @Test(arguments: [
    ["ann", "ann@example", "ann"], ["", "ann", ""], ["ann", "", "ben"], ["", "ann", "ben"],
  ])
  func whatOneAccountHasNotSentGetsOutUnderTheNext(_ accounts: [String]) async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key, publicRooms: [.init(pattern: "team", role: .edit)])
      let replica = try world.replica("file", ids: [1])
      var words: [String] = []
      for (index, account) in accounts.enumerated() {
        words.append("sent\(index) ")
        try write(words[words.count - 1], replica)
        try await sync(replica, relay, as: account)
        words.append("left\(index) ")
        try write(words[words.count - 1], replica)
        // Somebody else's who has the ids would like to go on under them.
        let mallory = try await HostileMember(relay, token: try token("mallory") ?? "")
        for id in Set(mallory.entries.map(\.header.span.replica)) {
          let (header, payload) = try mallory.forged("FORGED", as: id)
          #expect(try await mallory.push(header, payload) == .refusal(.ownedByAnother))
        }
      }
      try await sync(replica, relay, as: accounts[2])
      let newcomer = try world.replica("newcomer")
      try await sync(newcomer, relay, as: "cat")
      for one in [replica, newcomer] {
        let text = try one.notes.text
        #expect(text == words.joined(), "\(accounts)")
        #expect(try one.notes.receipts().unsentCount == 0)
        #expect(try one.refused().isEmpty)
      }
      // Each word is said to be of who has sent it.
      let subjects = try newcomer.notes.history().compactMap(\.subject)
      let named = Set(accounts.map { $0.isEmpty ? "anonymous" : $0 })
      #expect(Set(subjects) == named)
    }
  }

  /// The file is closed between, so that each time another id is drawn, and the relay restarted.
  @Test func whatWasLeftUnsentForLongGetsOutUnderANewName() async throws {
    try await withWorld { world in
      var relay = try await world.relay(key: key)
      var replica = try world.replica("file")
      try write("one ", replica)
      try await sync(replica, relay, as: "ann")
      for (index, word) in ["two ", "three ", "four "].enumerated() {
        try write(word, replica)
        try replica.close()
        replica = try world.replica("file")
        try write("after\(index) ", replica)
        await relay.stop()
        relay = try await world.relay(key: key)
      }
      try await sync(replica, relay, as: "ann-again")
      let newcomer = try world.replica("newcomer")
      try await sync(newcomer, relay, as: "cat")
      for one in [replica, newcomer] {
        #expect(try one.notes.text == "one two after0 three after1 four after2 ")
        #expect(try one.notes.receipts().unsentCount == 0)
      }
    }
  }
}
