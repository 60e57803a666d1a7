import RopewalkCore
import RopewalkSync
import Testing

/// A relay's session: greeting, rights, limits and time.
@Suite struct RelaySessionTests {
  private let room = RoomName("team/plan")!
  private let number = RoomNumber(rawValue: 3)

  private func access(_ role: Role, expires: UInt64? = nil, subject: String = "ann") -> Access {
    Access(
      subject: Array(subject.utf8), expires: expires,
      grants: [Access.Grant(pattern: Array("team/*".utf8), role: role)])
  }

  private func opened(
    _ access: Access, now: UInt64 = 0, _ change: (inout Limits) -> Void = { _ in }
  ) -> RelaySession {
    var configuration = RelaySession.Configuration()
    change(&configuration.limits)
    var session = RelaySession(id: 1, configuration: configuration, now: now)
    _ = session.received(ClientMessage.hello(ClientMessage.Hello(codecs: [], token: [])).encoded, now: now)
    _ = session.verified(access, now: now)
    let join = ClientMessage.Join(room: room, cursor: 0, digest: .zero)
    _ = session.received(ClientMessage.join(join).encoded, now: now)
    session.entered(room, as: number)
    return session
  }

  private func push(_ count: UInt64, bytes: Int = 1) -> [UInt8] {
    let key = DocumentKey(name: DocumentName("doc")!, lineage: .blank)
    let header = EntryHeader(document: key, span: EventSpan(replica: ReplicaID(rawValue: 5), seqs: 0..<1))
    let payload = [UInt8](repeating: 0, count: bytes)
    return ClientMessage.push(
      ClientMessage.Push(room: number, number: count, header: header, payload: payload)
    ).encoded
  }

  private func refusal(_ effects: [RelaySession.Effect]) -> Refusal? {
    for case .push(_, let refusal) in effects { return refusal }
    return nil
  }

  private func closeCode(_ effects: [RelaySession.Effect]) -> ErrorCode? {
    for case .close(let error) in effects { return error.code }
    return nil
  }

  @Test func onlyAHelloMayComeFirst() {
    for message in [ClientMessage.ping(1), .token([1]), .leave(number)] {
      var session = RelaySession(id: 1, configuration: RelaySession.Configuration(), now: 0)
      #expect(closeCode(session.received(message.encoded, now: 0)) == .protocolViolation)
    }
  }

  /// It may have crossed an error or a new token on its way.
  @Test func aMessageForARoomThatOneIsNotInIsPassedOver() {
    var session = opened(access(.own))
    let left = session.received(ClientMessage.leave(number).encoded, now: 0)
    #expect(left == [.leave(number)])
    let checkpoint = ClientMessage.Checkpoint(room: number, cursor: 1, first: 0, isLast: true, parts: [])
    for message in [
      push(1), ClientMessage.leave(number).encoded, ClientMessage.presence(room: number, value: [1]).encoded,
      ClientMessage.checkpoint(checkpoint).encoded,
      ClientMessage.checkpointDigest(room: number, cursor: 1, digest: .zero).encoded,
      ClientMessage.retention(room: number, .days(1)).encoded,
    ] {
      #expect(session.received(message, now: 0).isEmpty)
    }
    #expect(session.state == .open)
  }

  @Test func aSessionThatIsPingedAloneWakesAtMostOnceAPing() {
    var session = opened(access(.edit))
    let (pause, hour) = (UInt64(Limits().silence) / 3, UInt64(3_600_000))
    var (wakings, timer) = (0, session.nextDeadline)
    for now in stride(from: pause, to: hour, by: UInt64.Stride(pause)) {
      while let deadline = timer, deadline <= now {
        wakings += 1
        #expect(session.tick(now: deadline).isEmpty)
        timer = session.nextDeadline
      }
      #expect(session.received(ClientMessage.ping(now).encoded, now: now).count == 1)
    }
    #expect(session.state == .open)
    #expect(wakings <= Int(hour / pause))
  }

  @Test func aClientOfAnotherVersionIsToldSo() {
    var session = RelaySession(id: 1, configuration: RelaySession.Configuration(), now: 0)
    let hello = ClientMessage.Hello(versions: 2...9, codecs: [], token: [])
    #expect(closeCode(session.received(ClientMessage.hello(hello).encoded, now: 0)) == .unsupportedVersion)
  }

  @Test func aConnectionThatDoesNotGreetIsClosed() {
    var session = RelaySession(id: 1, configuration: RelaySession.Configuration(), now: 100)
    #expect(session.nextDeadline == 10_100)
    #expect(session.tick(now: 10_099).isEmpty)
    #expect(closeCode(session.tick(now: 10_100)) == .timedOut)
  }

  @Test func anExpiredTokenEndsTheSessionUnlessItIsRefreshed() {
    var session = opened(access(.edit, expires: 5000))
    #expect(session.received(ClientMessage.token([7]).encoded, now: 4000) == [.verify(token: [7])])
    _ = session.verified(access(.edit, expires: 9000), now: 4000)
    #expect(session.tick(now: 5000).isEmpty)
    #expect(closeCode(session.tick(now: 9000)) == .tokenExpired)
  }

  @Test func aNewTokenMayTakeRightsAwayButNotChangeWhoItIs() {
    var session = opened(access(.edit))
    _ = session.received(ClientMessage.token([7]).encoded, now: 1)
    _ = session.verified(access(.view), now: 1)
    #expect(refusal(session.received(push(1), now: 2)) == .forbidden)
    _ = session.received(ClientMessage.token([7]).encoded, now: 3)
    let none = Access(subject: Array("ann".utf8), expires: nil, grants: [])
    #expect(session.verified(none, now: 3).contains(.leave(number)))
    _ = session.received(ClientMessage.token([7]).encoded, now: 4)
    #expect(closeCode(session.verified(access(.edit, subject: "bob"), now: 4)) == .forbidden)
  }

  @Test func pushesBeyondTheWindowOrTheRateAreRefused() {
    var session = opened(access(.edit)) {
      $0.pushWindow = 2
      $0.pushesPerSecond = 10
    }
    #expect(refusal(session.received(push(1), now: 0)) == nil)
    #expect(refusal(session.received(push(2), now: 0)) == nil)
    #expect(refusal(session.received(push(3), now: 0)) == .overloaded(retryAfter: 1000))
    session.answered(pushes: 2, bytes: 2)
    #expect(refusal(session.received(push(4), now: 0)) == .overloaded(retryAfter: 101))
    #expect(refusal(session.received(push(5), now: 101)) == nil)
  }

  @Test func payloadsBeyondTheLimitAreRefused() {
    var session = opened(access(.edit)) { $0.largestPayload = 10 }
    #expect(refusal(session.received(push(1, bytes: 11), now: 0)) == .tooLarge)
    #expect(refusal(session.received(push(2, bytes: 10), now: 0)) == nil)
  }

  @Test func theMostSpecificGrantCounts() {
    let access = Access(
      subject: [65], expires: nil,
      grants: [
        Access.Grant(pattern: Array("*".utf8), role: .view),
        Access.Grant(pattern: Array("team/*".utf8), role: .edit),
        Access.Grant(pattern: Array("team/secret".utf8), role: .view),
      ])
    #expect(access.role(in: RoomName("lobby")!) == .view)
    #expect(access.role(in: RoomName("team/plan")!) == .edit)
    #expect(access.role(in: RoomName("team/secret")!) == .view)
    #expect(Access(subject: [65], expires: nil, grants: []).role(in: room) == nil)
  }
}
