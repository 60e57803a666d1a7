/// What a few people do to one document, as a list. Places and lengths are taken modulo what there is, so that
/// every part of a plan is a plan.
struct Plan {
  enum Step {
    case insert(peer: Int, at: Int, text: String)
    /// Each scalar before the last one.
    case insertBackwards(peer: Int, at: Int, text: String)
    case delete(peer: Int, at: Int, count: Int)
    /// As the backspace key does.
    case deleteBackwards(peer: Int, at: Int, count: Int)
    case replace(peer: Int, at: Int, count: Int, text: String)
    /// `peer` gets all that `other` knows.
    case merge(peer: Int, other: Int)
    /// `peer` gets some pieces of what `other` knows, whether or not their parents are there.
    case mergePieces(peer: Int, other: Int, seed: UInt64)
    /// A snapshot is written and opened, and a new session begins.
    case reopen(peer: Int)
    case newSession(peer: Int)
    /// The document is copied over another one, and both go on.
    case fork(peer: Int, from: Int)
    /// The text of a moment in the past is read.
    case lookBack(peer: Int, seed: UInt64)
  }

  var peers: Int
  var steps: [Step]
}

extension Plan {
  /// A small random plan.
  static func random(seed: UInt64) -> Plan {
    var random = SplitMix(seed: seed)
    let peers = 2 + min(random.below(6), random.below(6))
    let count = 4 + random.below(random.chance(15) ? 90 : 30)
    // Some histories meet often, some hardly; in some all type at one place, in some all over.
    let meeting = [6, 15, 30, 50][random.below(4)]
    let spread = [1, 3, 1000][random.below(3)]
    var steps: [Step] = []
    for _ in 0..<count {
      steps.append(.random(peers: peers, meeting: meeting, spread: spread, using: &random))
    }
    return Plan(peers: peers, steps: steps)
  }
}

extension Plan.Step {
  fileprivate static func random(
    peers: Int, meeting: Int, spread: Int, using random: inout SplitMix
  ) -> Plan.Step {
    let peer = random.below(peers)
    let other = random.below(peers)
    let at = random.below(spread)
    if random.chance(meeting) {
      return random.chance(60)
        ? .merge(peer: peer, other: other) : .mergePieces(peer: peer, other: other, seed: random.next())
    }
    let count = 1 + min(random.below(6), random.below(6))
    switch random.below(100) {
    case ..<35: return .insert(peer: peer, at: at, text: .random(count, using: &random))
    case ..<50: return .insertBackwards(peer: peer, at: at, text: .random(count, using: &random))
    case ..<65: return .delete(peer: peer, at: at, count: count)
    case ..<74: return .deleteBackwards(peer: peer, at: at, count: count)
    case ..<84: return .replace(peer: peer, at: at, count: count, text: .random(count, using: &random))
    case ..<88: return .newSession(peer: peer)
    case ..<92: return .reopen(peer: peer)
    case ..<94: return .fork(peer: peer, from: other)
    default: return .lookBack(peer: peer, seed: random.next())
    }
  }
}

extension String {
  /// One to four bytes a scalar; marks that combine, line ends, joiners, the end of the planes.
  private static let alphabet = Array(
    "abcdefghijklmnopqrstuvwxyz \n\r\u{0}éß\u{301}\u{327}€한\u{200D}\u{FEFF}\u{FFFD}👩🦀𝄞\u{1F3FB}\u{10FFFF}"
      .unicodeScalars)

  static func random(_ count: Int, using random: inout SplitMix) -> String {
    var text = ""
    for _ in 0..<count {
      let narrow = random.chance(60)
      text.unicodeScalars.append(alphabet[random.below(narrow ? 26 : alphabet.count)])
    }
    return text
  }
}
