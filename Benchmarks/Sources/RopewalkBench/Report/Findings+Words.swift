/// What stands above the tables.
extension Findings {
  static let replayWords = """
    From the bytes of one update in memory to the text, nothing cached or trusted. `decode` is size, checksum and header; \
    the columns are decoded within `replay`.
    """

  static let peerWords = """
    The same histories in the peers' own bytes, from bytes to text by their Python bindings (the work is in Rust; one \
    call), measured right after Ropewalk. yrs drops deleted text, Loro and Ropewalk keep it. diamond-types has no \
    Python package: its time is yrs's, times the proportion of the two measured once on a machine of this kind; its \
    size was measured then.
    """

  static let editWords = """
    Each patch of a sequential trace for itself, as a user would make it; then the same with the update of each edit \
    encoded as it is made; then those updates applied one by one by another replica.
    """

  static let keystrokeWords = """
    One character of a peer, from update bytes to the patch for the editor, in a document of a megabyte. `current`: the \
    peer had seen everything. `crossing`: an own keystroke was on its way each time, 2,000 times in a row.
    """

  static let openWords =
    """
    Snapshot bytes to text (`UnreadDocument`), without a replay; then a character typed in the middle and its update \
    encoded. *With history* is the same to a whole `TextDocument`, which can merge at once.
    """

  static let sizeWords = """
    `history` is one update with all events and all text that ever was, deleted text included; the snapshot holds the \
    present text besides; `stored` is the snapshot as a replica keeps it.
    """

  static let memoryWords = """
    Resident memory of a process of its own, above one that only holds the bytes: at its most during a replay; afterwards, \
    with the bytes let go; and with a document opened from its snapshot.
    """

  static let otWords = """
    The baseline is the package's own `OperationalTransform`: one server that orders, transforms and keeps all operations, \
    clients with one operation in flight and a buffer, compact binary messages, composition in pairs. Neither side has \
    sockets or a disk here; Ropewalk's relay is its room logic with hashes, digest and coverage.

    **Live typing**: k users, five keystrokes a second each, latency one way. OT's clients wait for each \
    acknowledgement and send what was typed meanwhile as one operation; Ropewalk sends every keystroke at once. Receiving is per \
    client and keystroke of anybody.

    **Two offline branches**: *edits kept* sends each edit as an operation of its own, so that the server's history knows \
    what was typed when, as Ropewalk's does: n² transformations. *Composed* sends a branch as one operation: cheap, but \
    the history knows n edits as one, without order, time or a way to undo one of them.

    **Catching up**: a client was away and comes back. **Server**: single keystrokes, nothing concurrent; memory of the \
    server's state alone, history included in OT's, which needs it to transform; Ropewalk's relay keeps what it \
    covers and leaves the log on disk.
    """

  static let limits = """
    ## What this proves and what not

    - Absolute times hold for this machine; proportions within one run travel better. Neighbours on a shared machine disturb \
    caches even where processor time is counted: the medians tell how much.
    - S1, S2 and C1 repeat themselves: compressors flatter their sizes, and caches their times.
    - The peers pay a call from Python (below 0.1 ms) and make their text a Python string.
    - diamond-types was not run: its bars are proportions.
    - The OT baseline is one good design, not every product; none was measured over a network.
    - Where OT composes a branch into one operation, it is faster here than Ropewalk, which keeps every edit: that is what \
    keeping them costs.
    """
}
