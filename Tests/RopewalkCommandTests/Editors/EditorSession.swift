import Foundation
import Ropewalk
import Synchronization
import Testing

@testable import RopewalkCommand

/// Two people with a file, an editor, a replica and a mirror each, and a third who types into the second's replica.
struct EditorSession {
  /// What tokens are.
  enum Alphabet: CaseIterable {
    /// Single scalars.
    case scalars
    /// Words with a blank.
    case words
    /// Short lines.
    case lines

    func token(_ number: Int) -> Token {
      // Words that have next to nothing in common, so that none looks like a correction of another.
      let word = String(((UInt64(number) + 1) &* 0x9e37_79b9_7f4a_7c15) >> 31 | 1 << 33, radix: 36)
      switch self {
      case .scalars: return String(Unicode.Scalar(UInt32(0x4e00 + number)) ?? "?")
      case .words: return word + " "
      case .lines: return word + "\n"
      }
    }

    func tokens(_ text: String) -> [Token] {
      switch self {
      case .scalars: return text.unicodeScalars.map { String($0) }
      case .words, .lines:
        var (tokens, token) = ([Token](), Token())
        for scalar in text.unicodeScalars {
          token.unicodeScalars.append(scalar)
          if scalar == " " || scalar == "\n" {
            tokens.append(token)
            token = ""
          }
        }
        return token.isEmpty ? tokens : tokens + [token]
      }
    }
  }

  final class Clock: Sendable {
    private let now = Mutex(UInt64(1_000_000_000_000))
    var milliseconds: UInt64 { now.withLock { $0 } }
    func pass(_ milliseconds: UInt64) { now.withLock { $0 += milliseconds } }
  }

  private struct Person {
    let folder: TestFolder
    var replica: Replica
    var mirror: Mirror
    var editor: SimulatedEditor
    /// Whether the editor ever reloads.
    let reloads: Bool
    /// What was taken out on purpose, and never once more.
    var lastDeleted: Set<Token> = []
  }

  let alphabet: Alphabet
  let seed: UInt64
  private var random: SplitMix
  private let clock = Clock()
  private var people: [Person] = []
  private var next = 0
  /// Everything typed, and what somebody took out and nobody put back.
  private var typed: Set<Token> = []
  private var deleted: Set<Token> = []
  private var deletedBy: [Token: Set<Int>] = [:]
  /// Taken out by both: each may have put it back, or the other meanwhile, so it may be there or not, and twice.
  private var contested: Set<Token> = []
  /// Taken out, and back for the time being, of which a person was told.
  private var told: Set<Token> = []
  /// Whether a person was told that others' text came back.
  private var isTold = false
  /// Taken out by saving once more.
  private var insisted: Set<Token> = []
  /// What happened, for the report of a failure.
  private(set) var log: [String] = []

  init(seed: UInt64) throws {
    self.seed = seed
    random = SplitMix(seed: seed)
    alphabet = Alphabet.allCases[Int(seed % 3)]
    let begin = fresh(Int.random(in: 0...12, using: &random))
    typed = Set(begin)
    for number in 0...1 {
      let folder = try TestFolder()
      let replica = try Replica(path: folder["replica"])
      try folder.write(begin.joined(), to: "a")
      let reloads = number == 1 || Int.random(in: 0..<3, using: &random) > 0
      people.append(
        Person(
          folder: folder, replica: replica, mirror: try Self.open(folder, replica, clock),
          editor: SimulatedEditor(loading: begin), reloads: reloads))
    }
  }

  private static func open(_ folder: TestFolder, _ replica: Replica, _ clock: Clock) throws -> Mirror {
    var mirror = try Mirror.open(
      file: PlainFile(path: folder["a"]), replica: replica, name: "a", room: "team", take: nil
    ).mirror
    mirror.now = { clock.milliseconds }
    return mirror
  }

  private mutating func fresh(_ count: Int) -> [Token] {
    defer { next += count }
    return (next..<next + count).map { alphabet.token($0) }
  }

  private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  // MARK: Steps

  /// Plays the session; what is wrong at its end.
  mutating func play(steps: Int = 60) throws -> [String] {
    for _ in 0..<steps {
      let who = pick(2)
      clock.pass(UInt64(pick(3_000)))
      switch pick(16) {
      case 0...3: edit(who)
      case 4: people[who].editor.undo()
      case 5: people[who].editor.redo()
      case 6...8: try save(who)
      case 9...10: if people[who].reloads { try reload(who) }
      case 11: try typeIntoReplica()
      case 12: _ = try settle(who)
      case 13: try restart(who)
      default: try meet(who)
      }
    }
    for who in 0...1 where people[who].editor.isChanged { try save(who) }
    for _ in 0..<3 {
      for who in 0...1 {
        _ = try settle(who)
        try meet(1 - who)
        _ = try settle(1 - who)
      }
    }
    return try verdict()
  }

  private mutating func edit(_ who: Int) {
    let count = people[who].editor.tokens.count
    if count > 0, pick(3) == 0 {
      let start = pick(count)
      let end = min(count, start + 1 + (pick(8) == 0 ? pick(count) : pick(3)))
      people[who].editor.delete(start..<end)
    } else {
      let new = fresh(1 + pick(4))
      people[who].editor.type(new, at: pick(count + 1))
    }
  }

  private mutating func save(_ who: Int) throws {
    let intent = people[who].editor.intent
    let tokens = people[who].editor.tokens
    // The text of the last save once more, after a doubt, means that what came back shall go.
    let mirror = people[who].mirror
    let saved = TextDocument(try mirror.document.read(), at: mirror.seen.saved)?.text
    guard people[who].editor.isChanged, tokens.joined() != saved else { return }
    log.append("\(who) saves +\(intent.typed.sorted()) -\(intent.deleted.sorted())")
    people[who].lastDeleted.formUnion(intent.deleted)
    let backAgain = try write(tokens.joined(), who)
    people[who].editor.save()
    typed.formUnion(intent.typed)
    for token in intent.deleted {
      deleted.insert(token)
      deletedBy[token, default: []].insert(who)
      if deletedBy[token]?.count == 2 { contested.insert(token) }
    }
    deleted.subtract(intent.typed)
    guard backAgain else { return }
    let text = Set(alphabet.tokens(people[who].folder.text("a") ?? ""))
    if !text.isDisjoint(with: intent.deleted) {
      // Its person sees that something came back which was meant to go, and does it again.
      // Whatever is there now beside that text is meant to go, and what others took out of it comes back.
      log.append("\(who) insists")
      for token in text.subtracting(tokens) {
        deleted.insert(token)
        deletedBy[token, default: []].insert(who)
        if deletedBy[token]?.count == 2 { contested.insert(token) }
      }
      contested.formUnion(Set(tokens).subtracting(text))
      insisted.formUnion(text.subtracting(tokens))
      clock.pass(2_000)
      people[who].lastDeleted = []
      _ = try write(tokens.joined(), who)
      _ = try settle(who)
    }
  }

  /// Saves in one of the ways of editors; whether the mirror says that others' text came back.
  private mutating func write(_ text: String, _ who: Int) throws -> Bool {
    let folder = people[who].folder
    let way = pick(5)
    switch way {
    case 0: try folder.write(text, to: "a")
    case 1:
      let descriptor = Foundation.open(folder["a"], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      let bytes = Array(text.utf8)
      let half = pick(bytes.count + 1)
      _ = try people[who].mirror.settle()
      #expect(FileBytes.write(Array(bytes[..<half]), to: descriptor))
      _ = try people[who].mirror.settle()
      #expect(FileBytes.write(Array(bytes[half...]), to: descriptor))
      close(descriptor)
    default: try folder.replace("a", by: text)
    }
    if pick(4) == 0 { return false }
    var backAgain = try settle(who)
    if way == 4 {
      try folder.replace("a", by: text)
      backAgain = try settle(who) || backAgain
    }
    return backAgain
  }

  private mutating func settle(_ who: Int) throws -> Bool {
    let report = try people[who].mirror.settle()
    if !report.saved.isNothing || report.savedOfThePast {
      log.append("\(who) settles \(report.saved) \(report.savedOfThePast)")
    }
    if report.savedOfThePast {
      isTold = true
      // It may be that its person does not insist.
      let text = Set(alphabet.tokens(people[who].folder.text("a") ?? ""))
      told.formUnion(people[who].lastDeleted.intersection(text))
    }
    return report.savedOfThePast
  }

  private mutating func reload(_ who: Int) throws {
    let tokens = alphabet.tokens(people[who].folder.text("a") ?? "")
    if !people[who].editor.isChanged, tokens != people[who].editor.tokens { log.append("\(who) reloads") }
    people[who].editor.reload(tokens)
  }

  /// The third person.
  private mutating func typeIntoReplica() throws {
    let new = fresh(1 + pick(4))
    let document = people[1].mirror.document
    let tokens = alphabet.tokens(try document.text)
    let place = tokens[..<pick(tokens.count + 1)].reduce(0) { $0 + $1.unicodeScalars.count }
    log.append("third types \(new)")
    try document.insert(new.joined(), at: place)
    typed.formUnion(new)
  }

  private mutating func restart(_ who: Int) throws {
    let folder = people[who].folder
    try people[who].replica.close()
    people[who].replica = try Replica(path: folder["replica"])
    people[who].mirror = try Self.open(folder, people[who].replica, clock)
  }

  private mutating func meet(_ who: Int) throws {
    _ = try people[who].replica.merge(from: people[1 - who].replica.path)
  }

  // MARK: The end

  private func verdict() throws -> [String] {
    let texts = people.map { $0.folder.text("a") ?? "" }
    var wrong: [String] = []
    if texts[0] != texts[1] { wrong.append("two texts: \(texts)") }
    if try people[0].mirror.document.text != texts[0] { wrong.append("file and document differ") }
    var counts: [Token: Int] = [:]
    for token in alphabet.tokens(texts[0]) { counts[token, default: 0] += 1 }
    // A single scalar of others is no proof that its editor had read it: it is kept twice then, and its person is told.
    var unproven = alphabet == .scalars && isTold ? 1 : 0
    for token in typed.subtracting(contested) {
      let expected = deleted.contains(token) ? 0 : 1
      if told.contains(token) && !insisted.contains(token) && counts[token, default: 0] <= 1 { continue }
      if unproven > 0, counts[token, default: 0] == expected + 1 {
        unproven -= 1
        continue
      }
      if counts[token, default: 0] != expected {
        wrong.append("\(token.debugDescription) is there \(counts[token, default: 0]) times, not \(expected)")
      }
    }
    for token in counts.keys where !typed.contains(token) {
      wrong.append("nobody typed \(token.debugDescription)")
    }
    return wrong
  }
}
