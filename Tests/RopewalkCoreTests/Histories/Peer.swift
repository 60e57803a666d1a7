import RopewalkCore

/// One participant: the engine's document, and what must be true of it by simpler means.
struct Peer {
  var document = TextDocument()
  /// The text, kept up by edits and patches alone.
  var shadow: [Unicode.Scalar] = []
  /// By number in the reference: what the document must know.
  var known: [Bool] = []
  /// What it was ever given.
  var given = Set<EventID>()
  /// The heads at some moments of the past.
  var moments: [Version] = [Version()]

  /// How many events were given and cannot be known yet.
  var waitingCount: Int { given.count - known.count { $0 } }

  /// Makes `known` what follows from what was given: an event counts when its parents and its replica's event before do.
  mutating func settle(in reference: ReferenceHistory) {
    known += Array(repeating: false, count: reference.events.count - known.count)
    for (number, event) in reference.events.enumerated() where !known[number] && given.contains(event.id) {
      var needs = event.parents
      if event.id.seq > 0 { needs.append(EventID(replica: event.id.replica, seq: event.id.seq - 1)) }
      known[number] = needs.allSatisfy { reference.numbers[$0].map { known[$0] } ?? false }
    }
  }

  /// Merges an update and makes its patches to the shadow.
  mutating func apply(_ update: Update, in reference: ReferenceHistory) throws {
    for patch in try document.apply(update) {
      let range = patch.position..<patch.position + patch.deleted
      guard range.lowerBound >= 0, range.upperBound <= shadow.count else {
        throw Mismatch("a patch at \(range) leaves the text of \(shadow.count)")
      }
      shadow.replaceSubrange(range, with: Array(patch.insertedText.unicodeScalars))
    }
    for span in update.spans {
      for seq in span.seqs { given.insert(EventID(replica: span.replica, seq: seq)) }
    }
    settle(in: reference)
  }
}

/// The engine and the reference say different things.
struct Mismatch: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  static func check<Value: Equatable>(_ name: String, _ engine: Value, _ reference: Value) throws {
    guard engine != reference else { return }
    throw Mismatch("\(name): the engine says \(engine), the reference \(reference)")
  }
}
