import RopewalkCore

/// The relay's side of one room: who is in it, what its log holds, what may be added, and how far each
/// member has been fed. Inputs in, effects out; payloads are opaque.
///
/// A room lives in memory while it has members, and is made from the head of its log alone: coverage and
/// old digests are looked up in the log when they are needed first, so that even a long log opens at once.
/// The caller performs the effects in order, and answers each look-up and each append by the input that is
/// named at `Effect`.
///
/// ```
///           place (per member)        durable           tail
///   1 ─────────────┼─────────────────────┼────────────────┤
///      sent        │  read from the log  │ being appended │
/// ```
/// `now` is the relay's clock in milliseconds since 1970, and must never go back.
public struct RelayRoom: Sendable {
  /// What a room goes by.
  public struct Configuration: Sendable {
    /// The limits in the welcome.
    public var limits: Limits
    /// About how many bytes of entries go into one message, in bytes.
    public var batchBytes: Int
    /// How many covered ranges are kept in memory before those that are durable are merged, and if that does
    /// not help, left to the log.
    public var coverageBound: Int
    /// How many entries of the log may be read for one subject's look-ups of coverage, per second over a
    /// longer time; a burst of five seconds' worth is free.
    public var examinedPerSecond: UInt32 = 50_000
    /// How many replica ids a subject may begin at once, and how many a second over a longer time. Each may be a
    /// branch of its own, which all others have to merge.
    public var newIDs: (atOnce: UInt32, perSecond: UInt32) = (1024, 8)

    /// How many entries come after a checkpoint before another is asked for.
    public var checkpointInterval: UInt64
    /// The largest checkpoint, in bytes.
    public var largestCheckpoint = 256 << 20
    /// How long members that were asked for a checkpoint's digest are waited for, in milliseconds.
    public var checkpointPatience: UInt64 = 60_000
    /// How long a checkpoint is announced at least before it comes into use, in milliseconds; a room's retention may be
    /// longer.
    public var checkpointGrace: UInt64 = 7 * 86_400_000
    /// When the relay began to serve, milliseconds since 1970: before that nobody could object.
    public var started: UInt64 = 0
    /// The subject of all who have no token, who may be many: they neither make nor confirm a checkpoint.
    public var strangers: [UInt8] = []

    /// Makes a configuration.
    public init(
      limits: Limits = Limits(), batchBytes: Int = 256 << 10, coverageBound: Int = 1 << 12,
      checkpointInterval: UInt64 = 4096
    ) {
      self.checkpointInterval = checkpointInterval
      self.limits = limits
      self.batchBytes = batchBytes
      self.coverageBound = coverageBound
    }
  }

  let configuration: Configuration
  /// What people call the room.
  public let name: RoomName
  /// What this relay calls it.
  public let number: RoomNumber
  /// How far the log is durable.
  public internal(set) var durable: LogHead
  /// The room has failed (`logFailed`) and must be dropped; the next join makes it anew from the log.
  public internal(set) var hasFailed = false

  /// What has been handed out for appending and is not durable yet: cursors from `durable` on.
  var pending: [Pending] = []
  var coverage: [CoverageKey: Coverage] = [:]
  /// Whose replica ids are; complete for those whose coverage is in memory. What is being appended counts.
  var owners: [ReplicaID: Owner] = [:]
  var coveredRanges = 0
  /// Coverage that is not in memory does not exist.
  var isCoverageComplete: Bool
  /// Coverage that is being looked up, and the push that it is looked up for.
  var lookingUp: [CoverageKey: Unjudged] = [:]
  /// What each subject has used lately, and each network of those without a token.
  public internal(set) var budgets: RoomBudgets

  var members: [UInt64: Member] = [:]
  /// The members in the order in which they came, so that runs are reproducible.
  var order: [UInt64] = []
  /// Joins that wait for a digest, by cursor.
  var checks: [UInt64: [UInt64]] = [:]
  /// Members that wait for entries, by the first cursor they lack.
  var reads: [UInt64: [UInt64]] = [:]
  var presence = RoomPresence()

  /// Where the log stands besides its head, which is `durable`.
  var log: LogState
  var attempt: CheckpointAttempt?
  /// A checkpoint that is confirmed, until the log says whether it is announced.
  var announcing: (note: CheckpointNote, change: UInt64)?
  /// How many changes the log was asked for, and has answered.
  var changesAsked: UInt64 = 0
  var changesAnswered: UInt64 = 0
  /// The log was asked to take what is announced into use.
  var isComingIntoUse = false
  /// How many checkpoints were asked for, so that each time another member is.
  var attempts = 0
  /// Nobody is asked before the log is as long as this.
  var noAttemptBefore: UInt64 = 0
  /// Something may have become forgettable since it was last looked.
  var mayForget = false
  var retentionRequests = RetentionRequests()

  /// A room as its log has it.
  public init(_ name: RoomName, number: RoomNumber, head: LogHead, configuration: Configuration) {
    self.init(name, number: number, log: LogState(head: head), configuration: configuration)
  }

  /// A room as its log has it.
  ///
  /// - Parameter budgets: what was left when the room was in memory before.
  public init(
    _ name: RoomName, number: RoomNumber, log: LogState, budgets: RoomBudgets = RoomBudgets(),
    configuration: Configuration
  ) {
    self.budgets = budgets
    self.name = name
    self.number = number
    self.configuration = configuration
    self.log = log
    durable = log.head
    isCoverageComplete = log.head.cursor == 0
  }

  /// Nobody is in the room and nothing is under way: it may be dropped from memory.
  public var isIdle: Bool {
    members.isEmpty && pending.isEmpty && lookingUp.isEmpty && !presence.hasChanges
  }

  /// How many sessions are members, or about to be.
  public var memberCount: Int { members.count }

  /// The head that the log has when everything handed out is durable.
  var tail: LogHead { pending.last.map { LogHead(cursor: $0.entry.cursor, digest: $0.digest) } ?? durable }
}

extension RelayRoom {
  /// What the caller does, in order.
  public enum Effect: Hashable, Sendable {
    /// Send one message to each of these sessions; encoded and compressed once. Sessions that are gone are
    /// skipped.
    case send(to: [UInt64], [UInt8])
    /// As `send`; and when a session's socket has taken the message and can take more, call `ready`.
    case feed(to: [UInt64], [UInt8])
    /// As `feed`, an `entries` message that is `segment.messageHead` and the segment's content: as it is
    /// stored to those who take that, otherwise unfolded.
    case feedSegment(to: [UInt64], LogSegment)
    /// As `send`, to one session; and count this many pushes and payload bytes of it as answered
    /// (`RelaySession.answered`), also when the session has left the room meanwhile.
    case answer(UInt64, [UInt8], pushes: Int, bytes: Int)
    /// The session is no member any more: forget it (`RelaySession.left`), and only then send it this
    /// message, since it may come back as soon as it has read that.
    case remove(UInt64, ErrorCode, [UInt8])
    /// Count a refusal of a push. The answer is an effect of its own.
    case refused(Refusal)
    /// Append to the log; call `appended` when it is durable, in the order of cursors, or `logFailed`.
    case append(NewEntry)
    /// Look up the log's digest at a cursor; call `foundDigest`, or `logFailed`.
    case findDigest(at: UInt64)
    /// Look up who has pushed all entries up to a cursor, if that is one subject; call `foundSoleAuthor`, or
    /// `logFailed`.
    case findSoleAuthor(through: UInt64)
    /// Look up what the log holds of one replica and document, and whose the replica id is; call
    /// `foundCoverage`, with how many entries were read for that, or `logFailed`.
    case findCoverage(CoverageKey)
    /// Read entries from a cursor on, at least one, else up to so many bytes; call `found`, or
    /// `logFailed`.
    case read(from: UInt64, maximumBytes: Int)
    /// Write down what happened to a checkpoint, for the owner to see.
    case note(CheckpointNote)
    /// Change the log; call `changed`, in the order of changes, or `logFailed`.
    case change(LogChange)
    /// Read parts of the checkpoint in use, at least one, else up to so many bytes; call
    /// `foundCheckpoint`, with nil if there is another checkpoint now, or `logFailed`.
    case readCheckpoint(cursor: UInt64, from: UInt64, maximumBytes: Int, for: UInt64)
  }

  /// An entry to be appended, with what the log stores beside it.
  public struct NewEntry: Hashable, Sendable {
    /// The entry; its cursor is the next in the room.
    public let entry: LogEntry
    /// The hash of its payload.
    public let payloadHash: PayloadHash
    /// The log's digest after it.
    public let digest: LogDigest
    /// Whose its replica id is from this entry on, if it was nobody's before. The log stores that with the
    /// first entry under an id.
    public let owner: Owner

    /// Makes an entry as a room would.
    ///
    /// - Parameter owner: nil for somebody whom a token names, and who is the entry's subject.
    public init(entry: LogEntry, payloadHash: PayloadHash, digest: LogDigest, owner: Owner? = nil) {
      self.owner = owner ?? Owner(subject: entry.subject)
      self.entry = entry
      self.payloadHash = payloadHash
      self.digest = digest
    }
  }

  struct Pending: Sendable {
    let entry: LogEntry
    let digest: LogDigest
    var waiters: [Waiter]
  }

  /// A push that waits for an entry to become durable.
  struct Waiter: Sendable {
    let session: UInt64
    let push: UInt64
    let bytes: Int
  }

  struct Unjudged: Sendable {
    let session: UInt64
    let owner: Owner
    let payer: [UInt8]
    let push: ClientMessage.Push
    /// What it is refused as in its turn, whatever the log holds.
    let refusal: Refusal?
    let time: UInt64
  }

  struct Member: Sendable {
    /// Whose the replica ids are that it is the first to push under.
    let owner: Owner
    /// Who pays for what its pushes cost.
    let payer: [UInt8]
    var role: Role
    let features: Features
    /// Nil once admitted: what the join presented, until its digest was looked up.
    var claim: LogHead?
    /// The last entry that was sent.
    var place: UInt64 = 0
    /// The socket takes more.
    var isReady = true
    var isReading = false
    var isCaughtUp = false
    /// What is sent before the log: a checkpoint.
    var checkpoint: CheckpointProgress?
    /// What it was told last of checkpoints to come.
    var announcement: AnnouncedCheckpoint?
    /// Presence changed while the socket took nothing.
    var presenceIsStale = false
    /// Its pushes that were not judged yet, in order: the first waits for a look-up.
    var unjudged: [Unjudged] = []
    /// How often one of its pushes was refused, other than as `overtaken`.
    var refusals: UInt64 = 0

    /// Who it is.
    var subject: [UInt8] { owner.subject }
  }
}
