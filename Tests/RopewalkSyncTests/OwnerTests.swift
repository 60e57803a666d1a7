import RopewalkCore
import Testing

@testable import RopewalkSync

/// A replica id in a room is of the first who pushes under it, and nobody else's pushes under it are taken.
@Suite struct OwnerTests {
  private let number = RoomNumber(rawValue: 3)
  private let ann = Owner(subject: Array("ann".utf8))
  private let bob = Owner(subject: Array("bob".utf8))

  private func makeRoom(head: UInt64 = 0, coverageBound: Int = 1 << 12) -> RelayRoom {
    RelayRoom(
      RoomName("room")!, number: number, head: LogHead(cursor: head, digest: .zero),
      configuration: RelayRoom.Configuration(coverageBound: coverageBound))
  }

  /// Ann is in it as session 1, Bob as session 2.
  private func withBoth(_ room: RelayRoom) -> RelayRoom {
    var room = room
    for (session, owner) in [(1, ann), (2, bob)] as [(UInt64, Owner)] {
      _ = room.join(
        session, owner: owner, role: .edit, features: [], cursor: room.durable.cursor, digest: .zero)
    }
    return room
  }

  private func push(
    _ number: UInt64, _ seqs: Range<UInt32>, seen: UInt64 = 0, payload: [UInt8] = [1], replica: UInt64 = 5,
    document: String = "doc"
  ) -> ClientMessage.Push {
    let key = DocumentKey(name: DocumentName(document)!, lineage: .blank)
    let span = EventSpan(replica: ReplicaID(rawValue: replica), seqs: seqs)
    return ClientMessage.Push(
      room: self.number, number: number, refusalsSeen: seen,
      header: EntryHeader(document: key, span: span), payload: payload)
  }

  private func refusals(_ effects: [RelayRoom.Effect]) -> [Refusal] {
    effects.compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
  }

  private func appended(_ effects: [RelayRoom.Effect]) -> [RelayRoom.NewEntry] {
    effects.compactMap { if case .append(let entry) = $0 { entry } else { nil } }
  }

  @Test func theFirstToPushUnderAnIDOwnsItEvenBeforeThatIsDurable() {
    var room = withBoth(makeRoom())
    #expect(appended(room.push(push(1, 0..<2), from: 1, now: 0)).map(\.owner) == [ann])
    #expect(refusals(room.push(push(1, 2..<3), from: 2, now: 0)) == [.ownedByAnother])
    // In every document, before or after what the owner has there, and far ahead.
    for (index, document) in ["other", "doc", "third"].enumerated() {
      let far = push(
        2 + UInt64(index), 1000..<1001, seen: 1 + UInt64(index), document: document)
      #expect(refusals(room.push(far, from: 2, now: 0)) == [.ownedByAnother])
    }
    #expect(appended(room.push(push(2, 2..<3), from: 1, now: 0)).count == 1)
    _ = room.appended(through: 2)
    #expect(refusals(room.push(push(5, 3..<4, seen: 4), from: 2, now: 0)) == [.ownedByAnother])
    // It counts among the refusals that must have been seen.
    #expect(refusals(room.push(push(6, 0..<1, seen: 4, replica: 6), from: 2, now: 0)) == [.overtaken])
    #expect(appended(room.push(push(7, 0..<1, seen: 5, replica: 6), from: 2, now: 0)).map(\.owner) == [bob])
  }

  @Test func whatTheLogHasAlreadyIsAnsweredAsThatWhoeverPushesIt() {
    var room = withBoth(makeRoom())
    _ = room.push(push(1, 0..<4), from: 1, now: 0)
    _ = room.appended(through: 1)
    let again = room.push(push(1, 0..<4), from: 2, now: 0)
    #expect(refusals(again).isEmpty && appended(again).isEmpty)
    #expect(refusals(room.push(push(2, 0..<4, payload: [2]), from: 2, now: 0)) == [.idClash(at: 1)])
    #expect(
      refusals(room.push(push(3, 2..<6, seen: 1), from: 2, now: 0)) == [
        .covered(missing: [4..<6], through: 1)
      ])
  }

  @Test func whoOwnsAnIDIsLookedUpWithWhatTheLogHolds() {
    var room = withBoth(makeRoom(head: 9))
    let first = push(1, 0..<1, document: "new")
    let key = CoverageKey(first.header)
    #expect(room.push(first, from: 2, now: 0) == [.findCoverage(key)])
    #expect(refusals(room.foundCoverage([], owner: ann, of: key)) == [.ownedByAnother])
    #expect(room.tail.cursor == 9)
    // Nothing of that is kept, so that nobody can fill the memory by trying.
    #expect(room.coverage.isEmpty)
    let nobodys = push(2, 0..<1, seen: 1, replica: 6)
    _ = room.push(nobodys, from: 2, now: 0)
    #expect(appended(room.foundCoverage([], of: CoverageKey(nobodys.header))).map(\.owner) == [bob])
  }

  @Test func whoWasFirstWhileTheLogWasBeingAskedIsTheOwner() {
    var room = withBoth(makeRoom(head: 9))
    let (early, late) = (push(1, 0..<1, document: "a"), push(1, 0..<1, document: "b"))
    _ = room.push(early, from: 1, now: 0)
    _ = room.push(late, from: 2, now: 0)
    #expect(appended(room.foundCoverage([], of: CoverageKey(late.header))).map(\.owner) == [bob])
    // The log was asked before that, and knew nobody.
    #expect(refusals(room.foundCoverage([], of: CoverageKey(early.header))) == [.ownedByAnother])
  }

  @Test func whatCouldNotBeStoredIsNobodysAgain() {
    var room = withBoth(makeRoom())
    _ = room.push(push(1, 0..<1), from: 1, now: 0)
    _ = room.logFailed()
    #expect(room.owners.isEmpty)
    room = withBoth(makeRoom())
    #expect(appended(room.push(push(1, 0..<1), from: 2, now: 0)).map(\.owner) == [bob])
  }

  /// However little is kept in memory, and in whichever order documents and ids come.
  @Test func nothingIsForgottenOfOwnersButWhatTheLogKnows() {
    for seed in seeds(20, "owners") {
      var random = SeededRandom(seed: seed)
      var room = withBoth(makeRoom(coverageBound: 8))
      var log: [RelayRoom.NewEntry] = []
      var next: [CoverageKey: UInt32] = [:]
      var owners: [ReplicaID: Owner] = [:]
      var seen: [UInt64] = [0, 0, 0]
      func perform(_ effects: [RelayRoom.Effect]) {
        for effect in effects {
          switch effect {
          case .append(let entry):
            let replica = entry.entry.header.span.replica
            #expect(owners[replica, default: entry.owner] == entry.owner, "seed \(seed)")
            owners[replica] = entry.owner
            log.append(entry)
          case .findCoverage(let key):
            let found = log.filter { CoverageKey($0.entry.header) == key }.map {
              CoveredRange(
                seqs: $0.entry.header.span.seqs, cursor: $0.entry.cursor, payloadHash: $0.payloadHash)
            }
            let owner = log.first { $0.entry.header.span.replica == key.replica }?.owner
            perform(room.foundCoverage(found, owner: owner, of: key))
          case .answer(let session, let message, _, _):
            if case .refused(_, _, let refusal)? = try? RelayMessage(decoding: message), refusal != .overtaken
            {
              seen[Int(session)] += 1
            }
          default: break
          }
        }
      }
      for count: UInt64 in 1...400 {
        let who = UInt64.random(in: 1...2, using: &random)
        let replica = UInt64.random(in: 0..<12, using: &random)
        let document = "doc \(UInt64.random(in: 0..<4, using: &random))"
        let key = CoverageKey(push(0, 0..<1, replica: replica, document: document).header)
        let first = next[key, default: 0]
        next[key] = first + 1
        perform(
          room.push(
            push(
              count, first..<first + 1, seen: seen[Int(who)], replica: replica, document: document),
            from: who, now: count * 1000))
        if random.chance(0.5) { perform(room.appended(through: room.tail.cursor)) }
      }
      #expect(log.count > 100 && owners.count == 12, "seed \(seed)")
      #expect(room.owners.count <= 16, "seed \(seed)")
    }
  }

  // MARK: Who is who

  private func owner(of id: UInt64, identity: [UInt8] = [], _ access: Access) -> Owner? {
    var session = RelaySession(id: id, configuration: RelaySession.Configuration(), now: 0)
    let hello = ClientMessage.Hello(codecs: [], token: [], identity: identity)
    _ = session.received(ClientMessage.hello(hello).encoded, now: 0)
    _ = session.verified(access, now: 0)
    return session.owner
  }

  @Test func thoseWithoutATokenAreToldApartByTheirIdentitiesAndElseByTheirConnections() throws {
    let open = Access(subject: [65], expires: nil, grants: [], isAnonymous: true)
    let secret = [UInt8](repeating: 7, count: 16)
    let known = try #require(owner(of: 1, identity: secret, open))
    #expect(known == owner(of: 2, identity: secret, open))
    #expect(known != owner(of: 1, identity: secret + [7], open))
    let unknown = owner(of: 1, open)
    #expect(unknown != known && unknown == owner(of: 1, open) && unknown != owner(of: 2, open))
    // Nobody can say another connection's number for an identity, nor learn one from what is stored.
    let session: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
    #expect(owner(of: 2, identity: session + session, open) != unknown)
    #expect(known.identity?.bytes != secret)
    // A token says who it is; what else the client says does not count.
    let ann = Access(subject: [65], expires: nil, grants: [])
    #expect(owner(of: 1, identity: secret, ann) == owner(of: 2, ann))
    #expect(owner(of: 1, ann) == Owner(subject: [65]))
    #expect(owner(of: 1, ann) != known)
  }
}
