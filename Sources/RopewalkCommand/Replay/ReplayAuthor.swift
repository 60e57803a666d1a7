import Ropewalk
import RopewalkTraces

/// One author of a trace: a replica on disk and a client, and the document as the author had seen it at each moment.
///
/// A relay hands on everything at once, while the trace says what an author had seen when it wrote. So the replica takes in
/// whatever comes; `seen` holds what the author had looked at, takes its arrivals from the replica, and
/// what is written there is committed to the replica as an edit.
final class ReplayAuthor {
  let number: Int
  private let path: String
  private let relay: String
  private let place: (room: String, document: String)
  private var session: UInt32 = 0
  private var replica: Replica?
  private var client: Client?
  private var document: ReplicaDocument?
  private var arrivals: AsyncStream<Void>?
  private var watchers: [Task<Void, Never>] = []
  private var seen: TextDocument
  private let acknowledged: AcknowledgedSpans
  private let durability: ReplicaOptions.Durability

  /// Whether it is connected, or trying to be.
  private(set) var isOnline = false

  init(
    number: Int, path: String, relay: String, room: String, document: String, start: TextDocument,
    durability: ReplicaOptions.Durability, acknowledged: AcknowledgedSpans
  ) {
    self.durability = durability
    self.number = number
    self.path = path
    self.relay = relay
    place = (room, document)
    seen = start
    self.acknowledged = acknowledged
  }

  /// The replica id of the present session.
  private var writer: ReplicaID { Trace.replica(ofAgent: number, session: session) }

  /// Opens the replica with a fresh writing session.
  func open(seed: String) throws {
    var options = ReplicaOptions()
    options.durability = durability
    let replica = try Replica(path: path, options: options)
    let document = try replica.seed(place.document, in: place.room, with: seed)
    seen.replica = writer
    self.replica = replica
    self.document = document
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let changes = try document.changes()
    arrivals = stream
    watchers = [
      Task { for await _ in changes { continuation.yield() } },
      // So that a wait for what never comes ends.
      Task {
        while !Task.isCancelled {
          try? await Task.sleep(for: .seconds(1))
          continuation.yield()
        }
      },
    ]
  }

  /// Connects, and stays connected.
  func goOnline() async throws {
    guard !isOnline, let replica else { return }
    isOnline = true
    if client == nil {
      var options = ClientOptions()
      options.firstPause = 20
      options.longestPause = 500
      let client = try Client(replica: replica, relay: relay, options: options)
      try await client.join(place.room)
      self.client = client
      let acknowledged = acknowledged
      let events = client.events()
      watchers.append(
        Task {
          for await event in events {
            if case .acknowledged(_, let header, _) = event { acknowledged.insert(header.span) }
          }
        })
    }
    await client?.connect()
  }

  func goOffline() async {
    isOnline = false
    await client?.disconnect()
  }

  /// Drops the client and the open file in the midst of whatever they do, and opens them anew. Throws if anything that
  /// was written or seen is not in the file then.
  func reopen(seed: String) async throws {
    let wasOnline = isOnline
    isOnline = false
    await client?.close()
    client = nil
    for watcher in watchers { watcher.cancel() }
    document = nil
    replica = nil
    session += 1
    try open(seed: seed)
    guard let whole = try document?.read(), let past = TextDocument(whole, at: seen.versionVector) else {
      throw Failure(.checkFailed, "author \(number) lost edits when its replica was opened anew")
    }
    seen = past
    seen.replica = writer
    if wasOnline { try await goOnline() }
  }

  /// Whether the replica holds these events.
  ///
  /// Asked inside an edit that changes nothing: a document that was read is copied as soon as the next update comes.
  func holds(_ spans: [EventSpan]) throws -> Bool {
    guard !spans.isEmpty, let document else { return true }
    return try document.edit { edit in
      let known = edit.versionVector
      return spans.allSatisfy { known[$0.replica] >= $0.seqs.upperBound }
    }
  }

  /// Waits until the relay has brought these events.
  func receive(_ spans: [EventSpan]) async throws {
    let deadline = ContinuousClock.now + Self.patience
    while try !holds(spans), let arrivals {
      guard ContinuousClock.now < deadline else {
        throw Failure(.checkFailed, "author \(number) waited in vain for what others wrote")
      }
      for await _ in arrivals { break }
    }
  }

  /// The longest wait for something that is certainly sent.
  private static let patience = Duration.seconds(120)

  /// Waits for events, and looks at them.
  func look(at spans: [EventSpan]) async throws {
    try await receive(spans)
    guard !spans.isEmpty, let document else { return }
    let updates = try document.edit { edit in spans.compactMap { edit.document.update(of: $0) } }
    for update in updates { _ = try seen.apply(update) }
  }

  /// Makes edits to what was seen and commits them to the replica, durably; returns their events.
  func write(_ patches: ArraySlice<TracePatch>, of transaction: Int) throws -> [EventSpan] {
    let before = seen.versionVector
    try seen.perform(patches) { "txns[\(transaction)].patches[\(patches.startIndex + $0)]" }
    let update = seen.update(since: before)
    guard !update.isEmpty else { return [] }
    try document?.edit { _ = try $0.apply(update) }
    return update.spans
  }

  /// Exchanges until nothing is left on either side.
  func catchUp() async throws {
    try await goOnline()
    try await client?.sync(attempts: 50)
  }

  /// The replica's text.
  func text() throws -> String? { try document?.text }

  func close() async throws {
    await client?.close()
    for watcher in watchers { watcher.cancel() }
    try replica?.close()
  }
}
