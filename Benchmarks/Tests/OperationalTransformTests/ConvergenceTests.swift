import OperationalTransform
import Testing

@Suite struct ConvergenceTests {
  /// A server, its clients, and what is on the way between them, delivered in random turns.
  private struct Room {
    var server: Server
    var clients: [Client]
    var toServer: [[Submission]]
    var toClient: [[Revision]]
    var random: SplitMix

    init(seed: UInt64) {
      random = SplitMix(seed: seed)
      server = Server(random.text(maximum: 30))
      let text = server.text
      let count = UInt32.random(in: 2...5, using: &random)
      clients = (0..<count).map { author in
        Client(author: author, text: text, buffering: author % 2 == 0 ? .composed : .separate)
      }
      toServer = clients.map { _ in [] }
      toClient = clients.map { _ in [] }
    }

    mutating func send(_ submission: Submission?, from client: Int) {
      guard let submission else { return }
      toServer[client].append(submission)
      if Int.random(in: 0..<8, using: &random) == 0 { toServer[client].append(submission) }
    }

    mutating func deliver(from client: Int) throws {
      guard !toServer[client].isEmpty else { return }
      guard let revision = try server.receive(toServer[client].removeFirst()) else { return }
      for other in toClient.indices { toClient[other].append(revision) }
    }

    mutating func deliver(to client: Int) {
      guard !toClient[client].isEmpty else { return }
      send(clients[client].receive(toClient[client].removeFirst()).submission, from: client)
    }

    mutating func step() throws {
      let client = Int.random(in: clients.indices, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: send(clients[client].edit(random.edit(ofLength: clients[client].text.count)), from: client)
      case 4..<6: try deliver(from: client)
      case 6..<9: deliver(to: client)
      default:
        clients[client].isConnected.toggle()
        send(clients[client].flush(), from: client)
      }
    }

    mutating func settle() throws {
      for client in clients.indices {
        clients[client].isConnected = true
        send(clients[client].flush(), from: client)
      }
      while !toServer.allSatisfy(\.isEmpty) || !toClient.allSatisfy(\.isEmpty) {
        for client in clients.indices {
          try deliver(from: client)
          deliver(to: client)
        }
      }
    }
  }

  @Test func `all clients and the server come to one text, however messages are delayed or doubled`() throws {
    for seed in suiteSeed..<suiteSeed + 150 {
      var room = Room(seed: seed)
      for _ in 0..<Int.random(in: 10...200, using: &room.random) { try room.step() }
      try room.settle()
      for client in room.clients {
        #expect(client.text.string == room.server.text.string, "seed \(seed)")
        #expect(client.isSynchronized, "seed \(seed)")
        #expect(client.revision == room.server.revision, "seed \(seed)")
      }
    }
  }

  @Test func `two who were offline keep what both typed`() throws {
    for buffering in [Client.Buffering.composed, .separate] {
      var server = Server("()")
      var clients = [0, 1].map { Client(author: $0, text: server.text, buffering: buffering) }
      for (client, word) in zip(clients.indices, ["left", "right"]) {
        clients[client].isConnected = false
        for (index, letter) in word.enumerated() {
          #expect(clients[client].edit(TextOperation(inserting: String(letter), at: 1 + index)) == nil)
        }
      }
      for client in clients.indices {
        for revision in server.history { _ = clients[client].receive(revision) }
        clients[client].isConnected = true
        var next = clients[client].flush()
        while let submission = next {
          let received = try server.receive(submission)
          let revision = try #require(received)
          next = clients[client].receive(revision).submission
        }
      }
      for revision in server.history[clients[0].revision...] { _ = clients[0].receive(revision) }
      #expect(server.text.string == "(leftright)")
      #expect(clients.allSatisfy { $0.text.string == server.text.string })
    }
  }

  @Test func `the server refuses what cannot be`() throws {
    var server = Server("abc")
    var ahead = Client(author: 1, text: server.text, revision: 7)
    let early = ahead.edit(TextOperation(inserting: "x", at: 0))
    let earlySubmission = try #require(early)
    #expect(throws: SubmissionError.unknownRevision) { try server.receive(earlySubmission) }
    var longer = Client(author: 2, text: ChunkedText("abcdef"))
    let beyond = longer.edit(TextOperation(deleting: 4..<5))
    let beyondSubmission = try #require(beyond)
    #expect(throws: SubmissionError.beyondEnd) { try server.receive(beyondSubmission) }
    #expect(server.text.string == "abc")
  }
}
