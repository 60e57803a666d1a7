import Foundation
import Ropewalk

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

  let file: PlainFile
  let replica: Replica
  let name: String
  let room: String
  let take: Mirror.Side?
  let client: Client
  let report: MirrorReporter

  /// Runs until `stop` ends.
  func run(until stop: some AsyncSequence<some Sendable, Never> & Sendable) async throws {
    var mirror = try await open()
    let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
    let watcher = FileWatcher(
      folder: file.folder, names: [file.name, URL(fileURLWithPath: file.temporaryPath).lastPathComponent])
    let changes = try mirror.document.changes()
    let events = client.events()
    let tasks = [
      Task { for await _ in watcher.changes { signal.yield(.moved) } },
      Task { for await _ in changes { signal.yield(.moved) } },
      Task { for await event in events { signal.yield(.client(event)) } },
      Task {
        for await _ in stop { break }
        signal.yield(.stop)
      },
    ]
    defer { for task in tasks { task.cancel() } }

    var retry: Task<Void, Never>?
    var missingSince: ContinuousClock.Instant?
    func settle() throws {
      retry?.cancel()
      let isPatient = missingSince.map { ContinuousClock.now - $0 < Self.grace } ?? true
      let settled = try mirror.settle(restoresMissing: !isPatient)
      missingSince = settled.standing == .missing ? missingSince ?? .now : nil
      report.settled(settled)
      if let pause = Self.pause(settled.standing) {
        retry = Task {
          try? await Task.sleep(for: pause)
          if !Task.isCancelled { signal.yield(.moved) }
        }
      }
    }

    report.begun(try mirror.document.read().scalarCount)
    await client.connect()
    try settle()
    for await next in signals {
      switch next {
      case .moved: try settle()
      case .client(.lineageClash(_, mirror.document.name)):
        let adopted = try Mirror.adopt(file: file, replica: replica, name: name, room: room, take: take)
        mirror = adopted.mirror
        report.kept(adopted.kept)
        try settle()
      case .client(.left(_, let error)) where !error.code.isTransient:
        throw ClientError.refused(room: mirror.document.room, error)
      case .client(.state(.refused(let error))): throw ClientError.refused(room: nil, error)
      case .client(let event): report.happened(event)
      case .stop:
        try settle()
        return
      }
    }
  }

  /// How long a file must be gone before it is written again: some editors remove a file before they write it.
  private static let grace = Duration.milliseconds(500)

  /// When to look again though nothing was heard.
  private static func pause(_ standing: Mirror.Standing) -> Duration? {
    switch standing {
    case .equal, .notText: nil
    case .busy: .milliseconds(50)
    case .open, .missing: grace
    }
  }

  /// Opens the mirror. The first time the room is read before, if the relay can be reached, so that a text which is
  /// there already is found.
  private func open() async throws -> Mirror {
    let document = try replica.document(name, in: room)
    try await client.join(room)
    if try document.localValue(Mirror.baseKey) == nil {
      do {
        try await client.sync()
      } catch .unreachable(let words) {
        report.happened(.state(.offline(.unreachable(words))))
      } catch .connectionLost {
        report.happened(.state(.offline(.connectionLost)))
      }
    }
    // A save that is just being made.
    let deadline = ContinuousClock.now + .seconds(5)
    while try file.read() == .busy, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    let opened = try Mirror.adopt(file: file, replica: replica, name: name, room: room, take: take)
    report.kept(opened.kept)
    return opened.mirror
  }
}
