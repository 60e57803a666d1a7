import RopewalkCore
import RopewalkRelay
import RopewalkReplica
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkClient

/// Tokens that the application supplies on demand.
@Suite(.timeLimit(.minutes(2))) struct TokenTests {
  private struct Broken: Error, CustomStringConvertible {
    var description: String { "the test says so" }
  }

  private let team = RoomName("team")!
  private let key: RelayKey

  init() throws { key = try RelayKey(Array("a key of thirty-two bytes at least".utf8)) }

  private func token(_ role: Role = .edit, expires: UInt64 = 4_000_000_000_000) async throws -> String {
    try RelayToken.mint(key: key, subject: "ann", rooms: [("team", role)], expires: expires)
  }

  /// Notes why it is asked, and answers in turn; the last answer for ever.
  private final class Source: Sendable {
    private let state: Mutex<(answers: [Result<String?, Broken>], reasons: [TokenReason])>

    init(_ answers: Result<String?, Broken>...) { state = Mutex((answers, [])) }

    var reasons: [TokenReason] { state.withLock { $0.reasons } }

    func next(_ reason: TokenReason) throws -> String? {
      try state.withLock { state in
        state.reasons.append(reason)
        return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
      }.get()
    }
  }

  private func client(_ replica: Replica, _ relay: Relay, _ source: Source, clock: ManualClock? = nil)
    async throws -> Client
  {
    var options = ClientOptions.forTests
    options.token = { try source.next($0) }
    if let clock {
      options.now = { clock.now }
      options.sleep = { try await clock.sleep($0) }
      options.watchInterval = 1_000_000_000
    }
    let client = try Client(replica: replica, relay: relay.url, options: options)
    try await client.join("team")
    return client
  }

  @Test func aTokenIsAskedForBeforeTheFirstConnectionAndBeforeItExpires() async throws {
    try await withWorld { world in
      let now: UInt64 = 1_900_000_000_000
      let relay = try await world.relay(key: key, silence: .max, now: { now })
      let hour: UInt64 = 3_600_000
      let source = Source(
        .success(try await token(expires: now + hour)), .success(try await token(expires: now + 3 * hour)))
      let clock = ManualClock()
      let client = try await client(try world.replica("a"), relay, source, clock: clock)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      #expect(source.reasons == [.first])
      await clock.someoneSleeps(hour - 60_000)
      clock.advance(by: hour - 60_000)
      // The relay has taken the second: from its clock, which stands, an hour of the first had passed.
      await clock.someoneSleeps(2 * hour)
      #expect(source.reasons == [.first, .expiring(milliseconds: 60_000)])
      #expect(client.state == .caughtUp)
      await client.close()
    }
  }

  @Test func aTokenThatIsNotRenewedInTimeIsAskedForAgain() async throws {
    try await withWorld { world in
      let now: UInt64 = 1_900_000_000_000
      let relay = try await world.relay(key: key, silence: .max, now: { now })
      let old = try await token(expires: now + 100_000)
      let source = Source(
        .success(old), .success(old), .failure(Broken()),
        .success(try await token(expires: now + 10_000_000)))
      let clock = ManualClock()
      let replica = try world.replica("a")
      let client = try await client(replica, relay, source, clock: clock)
      let events = client.events()
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      await clock.someoneSleeps(80_000)
      clock.advance(by: 80_000)
      // Whatever the pauses are.
      while source.reasons.count < 4 {
        await Task.yield()
        clock.advance(by: 1)
      }
      await client.reaches { $0 == .caughtUp }
      await client.close()
      var failures: [String] = []
      for await event in events { if case .tokenUnavailable(let words) = event { failures.append(words) } }
      #expect(failures == ["the test says so"])
      #expect(source.reasons.count == 4)
    }
  }

  @Test func aTokenThatIsRefusedIsReplaced() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let replica = try world.replica("a")
      try replica.notes.insert("abc", at: 0)
      let source = Source(
        .failure(Broken()), .success("nonsense"), .success("other nonsense"), .success(try await token()))
      let client = try await client(replica, relay, source)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(source.reasons.prefix(2) == [.first, .first])
      let codes = source.reasons.dropFirst(2).map { reason in
        if case .refused(let error) = reason { error.code } else { ErrorCode.forbidden }
      }
      #expect(codes == [.unauthenticated, .unauthenticated])
      await client.close()
    }
  }

  @Test func whereThereIsNoOtherTokenTheRefusalIsSaidAndAskedAgain() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let source = Source(
        .success("nonsense"), .success("nonsense"), .success(nil), .success("nonsense"),
        .success(try await token()))
      let client = try await client(try world.replica("a"), relay, source)
      let states = client.states()
      await #expect {
        try await client.sync()
      } throws: { error in
        if case ClientError.refused(nil, let error) = error { error.code == .unauthenticated } else { false }
      }
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      await client.close()
      var refusals = 0
      for await state in states { if case .refused = state { refusals += 1 } }
      #expect(refusals > 0)
    }
  }

  @Test func rightsThatAreGivenLaterAreFound() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      let replica = try world.replica("a")
      let view = try await token(.view)
      let source = Source(
        .success(view), .success(view), .success(try await token(.view, expires: 3_900_000_000_000)),
        .success(nil), .success(try await token(.edit)))
      let client = try await client(replica, relay, source)
      await client.connect()
      await client.reaches { $0 == .caughtUp }
      #expect(source.reasons == [.first])
      let states = client.states()
      try replica.notes.insert("abc", at: 0)
      for await state in states { if case .partlyRefused = state { break } }
      await client.reaches { $0 == .caughtUp }
      #expect(try replica.notes.receipts().unsentCount == 0)
      #expect(source.reasons.dropFirst().allSatisfy { $0 == .forbidden(team) })
      await client.close()
    }
  }

  @Test func aSourceThatNeverAnswersHoldsNothingUp() async throws {
    try await withWorld { world in
      let relay = try await world.relay(key: key)
      var options = ClientOptions.forTests
      let (asked, asking) = AsyncStream.makeStream(of: Void.self)
      options.token = { _ in
        asking.yield()
        // Deaf to being cancelled.
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        return nil
      }
      let client = try Client(replica: try world.replica("a"), relay: relay.url, options: options)
      try await client.join("team")
      await client.connect()
      for await _ in asked { break }
      await client.renew(token: try await token())
      await client.reaches { $0 == .caughtUp }
      await client.close()
      await #expect(throws: ClientError.closed) { try await client.sync() }
    }
  }
}
