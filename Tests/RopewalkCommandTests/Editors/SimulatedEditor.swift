@testable import RopewalkCommand

/// A program in which a person edits a file: it has a text of its own, reloads the file late or never, undoes and redoes.
///
/// A text is a list of tokens, each typed once by anybody, so that what is missing or doubled in the end can be told.
struct SimulatedEditor {
  /// The text, and the one that its person's changes count from: what was loaded or saved last.
  private struct State {
    var tokens: [Token]
    var reference: [Token]
    var saves: Int
  }

  private var state: State
  private var undone: [State] = []
  private var done: [State] = []
  private(set) var lastSaved: [Token]
  private var saves = 0
  /// How many of `done` were there at the last reload.
  private var reloadedAt = 0

  init(loading tokens: [Token]) {
    state = State(tokens: tokens, reference: tokens, saves: 0)
    lastSaved = tokens
  }

  var tokens: [Token] { state.tokens }
  var isChanged: Bool { state.tokens != state.reference }

  /// What the person has typed and taken out since the text was loaded or saved.
  var intent: (typed: Set<Token>, deleted: Set<Token>) {
    let (new, old) = (Set(state.tokens), Set(state.reference))
    return (new.subtracting(old), old.subtracting(new))
  }

  mutating func type(_ new: [Token], at place: Int) {
    change { $0.insert(contentsOf: new, at: place) }
  }

  mutating func delete(_ range: Range<Int>) {
    change { $0.removeSubrange(range) }
  }

  private mutating func change(_ body: (inout [Token]) -> Void) {
    done.append(state)
    undone = []
    body(&state.tokens)
  }

  mutating func undo() {
    guard let last = done.popLast() else { return }
    undone.append(state)
    go(to: last)
  }

  mutating func redo() {
    guard let last = undone.popLast() else { return }
    done.append(state)
    go(to: last)
  }

  /// A text from before the last save counts from that save.
  private mutating func go(to other: State) {
    state = other
    if other.saves < saves { state.reference = lastSaved }
    state.saves = saves
  }

  /// Loads what the file holds, unless there are changes. It can be undone until the next save, as in Vim.
  mutating func reload(_ tokens: [Token]) {
    guard !isChanged, tokens != state.tokens else { return }
    done.append(state)
    undone = []
    state.tokens = tokens
    state.reference = tokens
    reloadedAt = done.count
  }

  /// The text was saved.
  mutating func save() {
    done.removeFirst(min(reloadedAt, done.count))
    reloadedAt = 0
    undone = []
    saves += 1
    state.saves = saves
    state.reference = state.tokens
    lastSaved = state.tokens
  }
}

/// Something that is typed once in a session.
typealias Token = String
