import RopewalkCore
import RopewalkReplica
import RopewalkSync

/// What a client knows of the token in use, and of the question for another one.
struct TokenKeeping {
  /// When the one in use expires, and when another one is asked for before that; by `ClientOptions.now`.
  var expiry: (end: UInt64, ask: UInt64)?
  /// A new token is on its way to the relay, over this connection.
  var isRenewing = false
  /// The relay's clock and the client's at the same moment.
  var clocks: (relay: UInt64, here: UInt64) = (0, 0)
  /// The room for which another token is sought.
  var room: RoomName?

  /// When to ask again before the token expires, and on behalf of a room.
  var renewal = Pacing()
  var seeking = Pacing()
  var timer: (due: UInt64, task: Task<Void, Never>)?

  /// Counts the questions, so that a late answer is recognised.
  var question: UInt64 = 0
  var asking: Task<Void, Never>?
  /// Waits for the answer.
  var waiter: CheckedContinuation<Void, Never>?
  /// What the last question failed with.
  var error: ClientError?
}

/// Keeps questions apart that got no answer that helped.
struct Pacing {
  /// How many there were.
  var failures = 0
  /// The next one does not come before this moment.
  var notBefore: UInt64 = 0
}

extension ErrorCode {
  /// Whether another token may help.
  var isAboutToken: Bool { self == .unauthenticated || self == .tokenExpired || self == .revoked }
}

extension Client {
  /// So much of a token's life is left when another one is asked for; of a short-lived one, a fifth.
  private static let longestLead: UInt64 = 60_000
  /// Timers are set for a day at most, whatever a relay says.
  private static let longestTimer: UInt64 = 86_400_000

  // MARK: Before a connection

  /// Asks for a token, if it is clear that the relay would refuse without another. Returns how the attempt has
  /// ended, if there is still none.
  func needToken() async -> Ending? {
    guard options.token != nil else { return nil }
    let reason: TokenReason
    if token == nil {
      reason = .first
    } else if let expiry = tokens.expiry, max(expiry.ask, tokens.renewal.notBefore) <= options.now() {
      reason = .expiring(milliseconds: expiry.end - min(expiry.end, options.now()))
    } else {
      return nil
    }
    await askAndWait(reason)
    guard isWanted else { return .closedHere }
    guard token == nil, let error = tokens.error else { return nil }
    return .failed(error, pause: 0)
  }

  /// Asks for another token than the one that was refused, again and again, until there is one or somebody
  /// wants to try for all that.
  func replaceToken(refused error: ProtocolError) async {
    let refused = token
    tokens.expiry = nil
    repeat {
      await askAndWait(.refused(error))
      guard isWanted else { return }
      if token == refused { refusedForGood(error) }
      await wait(backOff())
    } while isWanted && token == refused && failures > 0
  }

  /// What a protocol error that ends the connection means: a new token of another subject needs a new
  /// connection, and nothing else is wrong with it.
  func ending(for error: ProtocolError) -> Ending {
    guard tokens.isRenewing, error.code == .forbidden else { return Ending(error) }
    return .failed(.refused(room: nil, error), pause: 0)
  }

  // MARK: Over a connection

  /// The relay takes the token until then, by its own clock.
  func tokenHolds(until expires: UInt64?, now relay: UInt64) {
    let here = options.now()
    tokens.clocks = (relay, here)
    tokens.isRenewing = false
    tokens.expiry = expires.map { expires in
      let left = expires - min(expires, relay)
      let (end, overflow) = here.addingReportingOverflow(left)
      let lead = min(Self.longestLead, left / 5)
      return overflow ? (.max, .max) : (end, end - lead)
    }
    armToken()
  }

  /// The relay has taken a new token. What the old one did not allow is asked for again.
  func tokenAccepted(_ expires: UInt64?) {
    let passed = options.now() - min(options.now(), tokens.clocks.here)
    let (relay, overflow) = tokens.clocks.relay.addingReportingOverflow(passed)
    tokenHolds(until: expires, now: overflow ? .max : relay)
    for room in rooms.keys.sorted() where rooms[room]?.refusal?.code == .forbidden {
      rooms[room]?.refusal = nil
      rotation.want(room, now: options.now())
    }
    arrange()
  }

  /// From now on this token; what was refused with the old one is tried again.
  func use(_ token: String?) {
    self.token = token
    tokens.expiry = nil
    tokens.renewal = Pacing(notBefore: options.now() + options.firstPause)
    guard var session, session.state == .open, let token else { return }
    let effects = session.refreshToken(Array(token.utf8), now: options.now())
    self.session = session
    tokens.isRenewing = true
    perform(effects)
  }

  /// Something is refused in a room that another token may allow; nil for nothing.
  func seekRights(_ room: RoomName?) {
    guard tokens.room != room else { return }
    tokens.room = room
    if room == nil { tokens.seeking = Pacing() }
    armToken()
  }

  /// Sets the timer for the next question.
  private func armToken() {
    guard options.token != nil, tokens.asking == nil, session?.state == .open else { return }
    let expiring = tokens.expiry.map { max($0.ask, tokens.renewal.notBefore) } ?? .max
    let wanted = min(expiring, tokens.room == nil ? .max : tokens.seeking.notBefore)
    guard wanted < .max else {
      tokens.timer?.task.cancel()
      tokens.timer = nil
      return
    }
    let now = options.now()
    let due = min(max(wanted, now), now + Self.longestTimer)
    if let timer = tokens.timer, timer.due == due { return }
    tokens.timer?.task.cancel()
    let (epoch, sleep) = (epoch, options.sleep)
    let task = Task { [weak self] in
      do { try await sleep(due - now) } catch { return }
      await self?.tokenIsDue(epoch, due)
    }
    tokens.timer = (due, task)
  }

  private func tokenIsDue(_ epoch: UInt64, _ due: UInt64) {
    guard epoch == self.epoch, tokens.timer?.due == due, session?.state == .open else { return }
    tokens.timer = nil
    let now = options.now()
    if let expiry = tokens.expiry, max(expiry.ask, tokens.renewal.notBefore) <= now {
      ask(.expiring(milliseconds: expiry.end - min(expiry.end, now)))
    } else if let room = tokens.room, tokens.seeking.notBefore <= now {
      // Any token may be as little help as the last.
      putOff(&tokens.seeking)
      ask(.forbidden(room))
    } else {
      armToken()
    }
  }

  // MARK: Asking

  private func askAndWait(_ reason: TokenReason) async {
    // Meanwhile the client can be closed, as while a connection is being made.
    isOpening = true
    await withCheckedContinuation { continuation in
      tokens.waiter = continuation
      ask(reason)
    }
    isOpening = false
  }

  private func ask(_ reason: TokenReason) {
    guard let source = options.token else { return answerWaiter() }
    guard tokens.asking == nil else { return }
    tokens.question += 1
    let question = tokens.question
    tokens.error = nil
    tokens.asking = Task { [weak self] in
      let answer: Result<String?, ClientError>
      do { answer = .success(try await source(reason)) } catch {
        answer = .failure(.tokenUnavailable("\(error)"))
      }
      await self?.answered(question, answer)
    }
  }

  private func answered(_ question: UInt64, _ answer: Result<String?, ClientError>) {
    guard question == tokens.question, tokens.asking != nil else { return }
    tokens.asking = nil
    switch answer {
    case .success(let new?) where new.utf8.count > WireProtocol.maximumTokenBytes:
      failed(.tokenUnavailable("a token has at most \(WireProtocol.maximumTokenBytes) bytes"))
    case .success(let new?) where new != token: use(new)
    case .success: putOff(&tokens.renewal)
    case .failure(let error): failed(error)
    }
    answerWaiter()
    armToken()
  }

  private func failed(_ error: ClientError) {
    tokens.error = error
    if case .tokenUnavailable(let words) = error { hub.publish(.tokenUnavailable(words)) }
    putOff(&tokens.renewal)
  }

  private func putOff(_ pacing: inout Pacing) {
    pacing.notBefore = options.now() + pause(after: pacing.failures)
    pacing.failures += 1
  }

  private func answerWaiter() {
    tokens.waiter?.resume()
    tokens.waiter = nil
  }

  /// Nobody wants a token any more.
  func stopAskingForTokens() {
    tokens.asking?.cancel()
    tokens.asking = nil
    tokens.timer?.task.cancel()
    tokens.timer = nil
    answerWaiter()
  }
}
