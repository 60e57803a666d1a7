import RopewalkReplica
import RopewalkSync

extension Client {
  /// Why a connection ended.
  enum Ending {
    /// It was not wanted any more.
    case closedHere
    /// It failed, and may be tried again, at the earliest after so many milliseconds.
    case failed(ClientError, pause: UInt64)
    /// The relay does not want it.
    case refused(ProtocolError)
  }

  /// Connects, again and again, until nobody wants it or the relay refuses.
  func run() async {
    defer {
      running = nil
      evaluate()
    }
    while isWanted {
      hub.setConnectionState(.connecting)
      var ending = await needToken()
      if ending == nil { ending = await runOnce() }
      guard isWanted else { break }
      switch ending {
      case .closedHere, nil: continue
      case .refused(let error):
        guard options.token != nil, error.code.isAboutToken else {
          refusedForGood(error)
          return
        }
        await replaceToken(refused: error)
      case .failed(let error, let least):
        hub.setConnectionState(.offline(error))
        attemptFailed(error)
        failRetention(error)
        guard isWanted else { break }
        await wait(max(least, backOff()))
      }
    }
    hub.setConnectionState(.offline(offlineReason))
  }

  /// The relay does not want the connection.
  func refusedForGood(_ error: ProtocolError) {
    hub.setConnectionState(.refused(error))
    for waiter in waiters.keys { resume(waiter, .failure(.refused(room: nil, error))) }
    failRetention(.refused(room: nil, error))
  }

  /// Makes a connection and serves it to its end.
  private func runOnce() async -> Ending {
    let connection: any TransportConnection
    isOpening = true
    defer { isOpening = false }
    do { connection = try await transport.connect(to: address, timeout: options.connectTimeout) } catch {
      // A relay that is full says when to come back.
      if case .refused(nil, let refusal) = error { return Ending(refusal) }
      return .failed(error, pause: 0)
    }
    guard isWanted else {
      connection.close(code: 1000)
      return .closedHere
    }
    isOpening = false
    self.connection = connection
    epoch += 1
    ending = nil
    begin()
    var closeCode: UInt16?
    for await event in connection.incoming {
      switch event {
      case .message(let bytes):
        await received(bytes)
        connection.consumed(bytes: bytes.count)
      case .closed(let code): closeCode = code
      }
    }
    return finish(closeCode)
  }

  /// Forgets the connection, and says why it ended.
  private func finish(_ closeCode: UInt16?) -> Ending {
    session = nil
    connection = nil
    timer?.task.cancel()
    timer = nil
    rotation.disconnected(now: options.now())
    (nextMoves, evaluation, gathering) = (nil, (0, false), [])
    for room in rooms.keys {
      rooms[room]?.disconnected()
      hub.setPresence([], in: room)
      hub.setRole(nil, in: room)
    }
    if let ending { return ending }
    if let code = closeCode.flatMap({ ErrorCode(closeCode: $0) }) {
      let error = ProtocolError(
        code, retry: code.isTransient ? .after(milliseconds: 0) : .never, "The relay closed the connection.")
      return self.ending(for: error)
    }
    return .failed(.connectionLost, pause: 0)
  }

  /// Closes the connection from this side.
  func end(_ ending: Ending, code: UInt16 = 1000) {
    guard let connection, self.ending == nil else { return }
    self.ending = ending
    session?.disconnected()
    connection.close(code: code)
  }

  /// Waits until the connection that was given up is gone. One that is still being made is dropped when it
  /// is.
  func connectionIsGone() async {
    if !isOpening { await running?.value }
  }

  // MARK: Pausing

  /// A random part of a span that doubles with each failure, so that clients of a relay that comes back do
  /// not come all at once.
  func backOff() -> UInt64 {
    defer { failures += 1 }
    return pause(after: failures)
  }

  /// A pause after so many failures.
  func pause(after failures: Int) -> UInt64 {
    let longest = min(
      Double(options.longestPause),
      Double(options.firstPause) * Double(UInt64(1) << UInt64(min(failures, 30))))
    return UInt64(longest * (0.5 + 0.5 * options.random()))
  }

  func wait(_ milliseconds: UInt64) async {
    let sleep = options.sleep
    let task = Task { _ = try? await sleep(milliseconds) }
    pause = task
    await task.value
    pause = nil
  }

  // MARK: Beside the connection

  /// Pushes what is edited here or in other processes, and looks for what those wrote.
  func startBackground() {
    let signals = replica.outboxSignals()
    background = [
      Task { [weak self] in
        for await _ in signals { await self?.pushEverything() }
      },
      Task { [weak self, options, replica] in
        var watching = WatchPace(options.watchInterval)
        while !Task.isCancelled {
          try? await options.sleep(watching.interval)
          if Task.isCancelled { return }
          guard self != nil else { return }
          // Delivers what it finds, and signals that the outbox may have grown.
          do throws(ReplicaError) { watching.looked(found: try replica.refresh()) } catch .closed {
            await self?.fail(.closed)
            return
          } catch {
            watching.looked(found: false)
          }
        }
      },
    ]
  }
}

extension Client.Ending {
  /// What a protocol error means for the next attempt.
  init(_ error: ProtocolError) {
    switch error.retry {
    case .never where !error.code.isTransient: self = .refused(error)
    case .never: self = .failed(.refused(room: nil, error), pause: 0)
    case .after(let pause): self = .failed(.refused(room: nil, error), pause: UInt64(pause))
    }
  }
}

/// How often a client looks for what other processes write: less and less while they write nothing.
struct WatchPace {
  private let shortest: UInt64
  private(set) var interval: UInt64

  /// The first interval, which is the shortest, in milliseconds.
  init(_ shortest: UInt64) { (self.shortest, interval) = (shortest, shortest) }

  mutating func looked(found: Bool) {
    let longest = shortest.multipliedReportingOverflow(by: 20)
    let next = interval.addingReportingOverflow(interval / 8 + 1)
    interval =
      found || next.overflow
      ? shortest : min(next.partialValue, longest.overflow ? .max : longest.partialValue)
  }
}
