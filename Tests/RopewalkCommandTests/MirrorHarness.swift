import Foundation
import Ropewalk
import Synchronization
import Testing

@testable import RopewalkCommand

/// A mirror that runs in this process, without a relay, on a file in a folder of its own. Others write into its replica,
/// as programs do that have the same replica open.
final class MirrorHarness: Sendable {
  let folder: TestFolder
  let output = CollectedOutput()
  let problems = CollectedOutput()
  let rounds: MirrorSession.Rounds
  private let replica: Replica
  private let others: Replica
  private let client: Client
  private let running: Task<MirrorSession.Ending, any Error>
  private let stop: AsyncStream<Void>.Continuation
  private let ends: [FileHandle]

  static let patience = FileReading.Patience(quiet: 0.2, doubt: 0.2, moment: 0.02, failing: 0.5)

  /// Starts a mirror.
  ///
  /// - Parameter replica: where the replica is, in the folder.
  init(
    _ folder: TestFolder, name: String = "notes.md", replica: String = "replica", take: Mirror.Side? = nil,
    system: PlainFile.System = .init(), patience: FileReading.Patience = MirrorHarness.patience
  ) throws {
    self.folder = folder
    let (outputEnd, problemsEnd) = (try Self.pipe(into: output), try Self.pipe(into: problems))
    ends = [outputEnd, problemsEnd]
    let clock = Skipping()
    self.clock = clock
    let file = PlainFile(at: FilePlace(folder[name], in: "/"), patience: patience, system: system) {
      clock.now
    }
    let opened = try Replica(path: folder[replica])
    self.replica = opened
    others = try Replica(path: folder[replica])
    var options = ClientOptions()
    options.watchInterval = 5
    client = try Client(replica: opened, relay: "ws://127.0.0.1:1/sync", token: nil, options: options)
    let report = MirrorReporter(
      file: FilePlace.shown(file.name), place: "here",
      console: Console(output: outputEnd, problems: problemsEnd))
    let session = MirrorSession(
      file: file, replica: opened, name: "notes", room: "team", take: take, client: client, report: report,
      lock: try #require(try FileLock(for: file)))
    rounds = session.rounds
    let (stops, stop) = AsyncStream.makeStream(of: Void.self)
    self.stop = stop
    running = Task { try await session.run(until: stops) }
  }

  private let clock: Skipping

  private final class Skipping: Sendable {
    private let skipped = Mutex(0.0)
    var now: Double { PlainFile.monotonic() + skipped.withLock { $0 } }
    func skip(_ seconds: Double) { skipped.withLock { $0 += seconds } }
  }

  private static func pipe(into output: CollectedOutput) throws -> FileHandle {
    var ends: [Int32] = [-1, -1]
    #expect(Foundation.pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    output.collect(ends[0])
    return FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
  }

  /// Time passes for the mirror.
  func skip(_ seconds: Double) { clock.skip(seconds) }

  /// Ends the mirror as a person does.
  @discardableResult
  func finish() async throws -> MirrorSession.Ending {
    stop.yield()
    return try await ended()
  }

  /// Waits for the mirror's end.
  func ended() async throws -> MirrorSession.Ending {
    defer { for end in ends { try? end.close() } }
    let ending = await running.result
    await client.close()
    try? replica.close()
    return try ending.get()
  }

  /// What the document holds.
  var text: String { get throws { try others.document("notes", in: "team").text } }

  /// How many events its history has.
  var eventCount: Int { get throws { try others.document("notes", in: "team").read().eventCount } }

  /// Somebody else edits.
  func other(_ body: (inout TextDocument) -> Void) throws {
    let document = try others.document("notes", in: "team")
    var theirs = try document.read()
    theirs.replica = ReplicaID(rawValue: UInt64.random(in: 1 ... .max))
    let before = theirs.versionVector
    body(&theirs)
    let update = theirs.update(since: before)
    try document.edit { _ = try $0.apply(update) }
  }

  /// Waits until something holds. The suite's time limit is the deadline.
  func wait(until isSo: () throws -> Bool) async throws {
    while try !isSo() {
      // What did not end the mirror shows in what is awaited.
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// Waits for the mirror to have begun, and for the document to hold a text.
  func wait(for text: String) async throws {
    try await wait { output.text.contains("mirroring ") }
    try await wait { try self.text == text }
  }

  /// Waits for the file to hold a text.
  func wait(forFile text: String, _ name: String = "notes.md") async throws {
    try await wait { folder.text(name) == text }
  }

  /// Waits for the mirror to have looked at the file once more.
  func waitForARound() async throws {
    let before = rounds.value
    try await wait { rounds.value > before }
  }
}
