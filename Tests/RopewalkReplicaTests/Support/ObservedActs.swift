import RopewalkCore
import RopewalkSync
import Synchronization
import Testing

@testable import RopewalkReplica

/// Random acts on two replica files, each opened twice, while streams of all kinds watch.
final class ObservedActs {
  private struct Mishap: Error {}

  private struct Stream {
    let handle: Int
    let document: ReplicaDocument
    let watched: Watched
  }

  private let seed: UInt64
  private let room: RoomName
  private let scratch: Scratch
  private var random: SeededGenerator
  private var relay = RelayDouble()
  /// Handles 0 and 1 are on file `a`, 2 and 3 on file `b`.
  private var handles: [Replica] = []
  private var streams: [Stream] = []
  private static let name = "notes.md"

  init(seed: UInt64, room: RoomName) throws {
    self.seed = seed
    self.room = room
    scratch = try Scratch()
    random = SeededGenerator(seed: seed)
    for handle in 0..<4 { handles.append(try open(handle)) }
  }

  /// Few ids, so that some are used twice.
  private func open(_ handle: Int) throws -> Replica {
    var options = ReplicaOptions.forTests()
    options.updatesPerSnapshot = 3
    let generator = Mutex(SeededGenerator(seed: seed &+ UInt64(handle)))
    options.drawReplicaID = {
      generator.withLock { ReplicaID(rawValue: $0.next() % 4 == 0 ? 1 + $0.next() % 3 : $0.next() | 1 << 40) }
    }
    return try scratch.open(handle < 2 ? "a" : "b", options)
  }

  func run(acts: Int) async throws {
    for _ in 0..<acts { try await act() }
    for handle in handles.indices { try await close(handle) }
  }

  private func act() async throws {
    let handle = Int.random(in: 0..<4, using: &random)
    let replica = handles[handle]
    let notes = try replica.document(Self.name, in: room.text)
    switch Int.random(in: 0..<26, using: &random) {
    case 0..<9: try edit(notes)
    case 9, 10: fail(notes)
    case 11..<14: try observe(notes, handle)
    case 14..<19: try relay.exchange(with: replica, in: room)
    case 19: try replica.refresh()
    case 20:
      _ = try? replica.seed(
        Self.name, in: room.text, with: ["one", "two"].randomElement(using: &random) ?? "")
    case 21:
      let how = [CarryOver.nothing, .replacing, .appending].randomElement(using: &random) ?? .nothing
      _ = try? notes.adoptRoomLineage(carryingOver: how)
    case 22: _ = try replica.merge(from: scratch.path(handle < 2 ? "b" : "a"))
    case 23: relay.restore(entries: Int.random(in: 0...relay.entries.count, using: &random))
    case 24:
      try scratch.execute("UPDATE documents SET generation = generation + 1", in: handle < 2 ? "a" : "b")
    default:
      try await close(handle)
      handles[handle] = try open(handle)
    }
  }

  private func edit(_ notes: ReplicaDocument) throws {
    let letters = ["", "a", "é", "xyz", "\u{1F600}"]
    let (starts, lengths) = (
      UInt32.random(in: 0 ... .max, using: &random), Int.random(in: 0..<4, using: &random)
    )
    let (word, more) = (letters.randomElement(using: &random) ?? "", Bool.random(using: &random))
    try notes.edit { text in
      let start = Int(starts) % (text.scalarCount + 1)
      try text.replace(start..<min(text.scalarCount, start + lengths), with: word)
      if more { try text.append(word) }
    }
  }

  private func fail(_ notes: ReplicaDocument) {
    let edits = Bool.random(using: &random)
    try? notes.edit { text in
      if edits { try text.append("lost") }
      throw Mishap()
    }
  }

  private func observe(_ notes: ReplicaDocument, _ handle: Int) throws {
    var document = notes
    if Bool.random(using: &random), let lineage = try notes.lineages().randomElement(using: &random)?.lineage
    {
      document = try handles[handle].document(DocumentKey(name: notes.name, lineage: lineage), in: room)
    }
    streams.append(Stream(handle: handle, document: document, watched: Watched(try document.observe())))
  }

  /// Compares what the streams of a handle show with what it holds.
  private func close(_ handle: Int) async throws {
    let ending = streams.filter { $0.handle == handle }
    streams.removeAll { $0.handle == handle }
    let texts = try ending.map { try $0.document.text }
    try handles[handle].close()
    for (stream, text) in zip(ending, texts) {
      #expect(await stream.watched.drained() == text, "ROPEWALK_SEED=\(seed)")
    }
  }
}
