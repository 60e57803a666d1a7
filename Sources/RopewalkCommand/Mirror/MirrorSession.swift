import Foundation
import Ropewalk
import Synchronization

/// A running mirror: watches the file, the document and the relay, and settles whenever one of them moves.
///
/// One task goes through the signals, so the file is never read and written at the same time.
struct MirrorSession {
  /// What may make a difference.
  private enum Signal: Sendable {
    case moved
    case client(ClientEvent)
    case stop
  }

  /// How a session ends.
  enum Ending: Equatable {
    case stopped
    /// The replica is not where it was, as after its folder was moved.
    case replicaMoved
  }

  let file: PlainFile
  let replica: Replica
  let name: String
  let room: String
  let take: Mirror.Side?
  let client: Client
  let report: MirrorReporter
  /// Of the file.
  let lock: FileLock
  /// Whether the token is read anew: what was allowed once may be allowed again.
  var renewsToken = false
  /// How often the file was looked at because something had moved.
  let rounds = Rounds()
  private var mark: FileMark { FileMark(of: file) }

  /// Runs until `stop` ends.
  func run(until stop: some AsyncSequence<some Sendable, Never> & Sendable) async throws -> Ending {
    let home = ReplicaHome(replica.path)
    if take == .file { file.memory.takeEmptyFile() }
    let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
    let move = Move { signal.yield(.moved) }
    var round = MirrorRound(mirror: try await open(), report: report, lock: lock)
    let watcher = watcher()
    let changes = try round.mirror.document.changes()
    let events = client.events()
    let tasks = [
      Task { for await _ in watcher.changes { move.raise() } },
      Task { for await _ in changes { move.raise() } },
      Task { for await event in events { signal.yield(.client(event)) } },
      Task {
        for await _ in stop { break }
        signal.yield(.stop)
      },
    ]
    defer { for task in tasks { task.cancel() } }

    var retry: Task<Void, Never>?
    var isFinal = true
    defer { retry?.cancel() }
    func lookAgain(in seconds: Double?) {
      retry?.cancel()
      retry = seconds.map { seconds in
        Task {
          try? await Task.sleep(for: .seconds(seconds))
          if !Task.isCancelled { move.raise() }
        }
      }
    }
    func settle() throws {
      rounds.add()
      lookAgain(in: try round.settle())
    }

    report.begun(try round.mirror.document.read().scalarCount)
    await client.connect()
    try settle()
    for await next in signals {
      switch next {
      case .moved:
        move.take()
        if home.hasMoved { return .replicaMoved }
        if let delay = round.delay { lookAgain(in: delay) } else { try settle() }
      case .client(.lineageClash(_, round.mirror.document.name)):
        // Whether the own text came into the log as well, shows when everything is answered.
        _ = try await readRoom()
        let adopted = try Mirror.adopt(
          file: file, replica: replica, name: name, room: room, take: take, mark: mark)
        round.mirror = adopted.mirror
        file.memory.remember(adopted.mirror.held)
        report.kept(adopted.kept)
        try settle()
      case .client(.left(_, let error)) where !error.code.isTransient && isFinal:
        throw ClientError.refused(room: round.mirror.document.room, error)
      case .client(.state(.refused(let error))) where isFinal: throw ClientError.refused(room: nil, error)
      case .client(let event):
        if case .joined = event { isFinal = !renewsToken }
        report.happened(event)
        if case .caughtUp(round.mirror.document.room) = event, round.mirror.isBehind {
          try round.mirror.catchUp()
          file.memory.remember(round.mirror.held)
          try settle()
        }
      case .stop:
        try round.finish()
        return .stopped
      }
    }
    return .stopped
  }

  /// Watches the name, what it leads to, and the file that was replaced, which a program may still be writing.
  private func watcher() -> FileWatcher {
    let file = file
    return FileWatcher(
      polls: !file.system.events,
      hears: { place, isWritten in if place == file.place { file.memory.hear(isBeingWritten: isWritten) } },
      places: {
        let places = (try? file.given.followed()) ?? file.memory.places
        return places + [file.place.beside(".ropewalk-new")]
      })
  }

  /// Opens the mirror.
  ///
  /// The room is read before, if the relay can be reached, where a text that is there already may explain the file: the first
  /// time, and when the file is not as the last mirror left it.
  private func open() async throws -> Mirror {
    let document = try replica.document(name, in: room)
    try await client.join(room)
    var isRead = false
    if try document.localValue(Mirror.seenKey) == nil { isRead = try await readRoom() }
    // A save that is just being made.
    let deadline = ContinuousClock.now + .seconds(5)
    while try file.read() == .busy, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    var opened = try adopt()
    if try !isRead && opened.differs() {
      isRead = try await readRoom()
      if isRead {
        opened = try adopt()
        try opened.catchUp()
        file.memory.remember(opened.held)
      }
    }
    return opened
  }

  private func adopt() throws -> Mirror {
    let adopted = try Mirror.adopt(
      file: file, replica: replica, name: name, room: room, take: take, mark: mark)
    file.memory.remember(adopted.mirror.held)
    report.kept(adopted.kept)
    return adopted.mirror
  }

  /// Whether the room was read to its end.
  private func readRoom() async throws -> Bool {
    do {
      try await client.sync()
      return true
    } catch .unreachable(let words) {
      report.happened(.state(.offline(.unreachable(words))))
    } catch .connectionLost {
      report.happened(.state(.offline(.connectionLost)))
    } catch .pushRefused {
      // It is told when the connection is made.
    }
    return false
  }

  /// Counts.
  final class Rounds: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  /// Something moved, and nobody has looked yet; however much moves until then, one look finds it.
  private final class Move: Sendable {
    private let isRaised = Mutex(false)
    private let signal: @Sendable () -> Void

    init(_ signal: @escaping @Sendable () -> Void) { self.signal = signal }

    func raise() {
      let isNew = isRaised.withLock { isRaised in
        defer { isRaised = true }
        return !isRaised
      }
      if isNew { signal() }
    }

    func take() { isRaised.withLock { $0 = false } }
  }
}

/// Where a replica is, and whether it still is there.
private struct ReplicaHome {
  let path: String
  let signature: FileLook.Signature?

  init(_ path: String) {
    self.path = path
    signature = FileLook.Signature(of: path)
  }

  /// Whether its folder is there, but not the replica that was opened. A folder that is gone may come back.
  var hasMoved: Bool {
    guard let signature else { return false }
    var folder = stat()
    guard stat(FilePlace(path, in: ".").folder, &folder) == 0 else { return false }
    return FileLook.Signature(of: path)?.isSameFile(as: signature) != true
  }
}
