import RopewalkCore

/// How somebody edits while offline.
enum EditingStyle: String, CaseIterable, Encodable {
  /// Types some sixty characters at a place, now and then deletes some, then goes elsewhere.
  case runs
  /// Every edit at another place: three insertions to one deletion, one character each.
  case random
  /// Types at the one place where the other types too.
  case same
  /// Puts every character before the last one, at the one index where the other does so too.
  case backwards
}

/// Edits of one author, drawn from a seed: `count` events, as steps of one character.
struct Branch {
  /// One step: a deletion where `inserted` is nil.
  struct Step {
    let position: Int
    let inserted: String?
  }

  let steps: [Step]

  init(_ style: EditingStyle, count: Int, onLength base: Int, seed: UInt64) {
    var random = SplitMix(seed: seed)
    var length = base
    var caret = base / 2
    var leftInRun = 0
    var steps: [Step] = []
    steps.reserveCapacity(count)
    while steps.count < count {
      var deletes = false
      switch style {
      case .runs:
        if leftInRun == 0 {
          caret = random.below(length + 1)
          leftInRun = 20 + random.below(80)
        }
        leftInRun -= 1
        deletes = random.below(12) == 0
      case .random:
        caret = random.below(length + 1)
        deletes = random.below(4) == 0
      case .same: break
      case .backwards: caret = base / 2
      }
      if deletes, caret > 0 {
        caret -= 1
        length -= 1
        steps.append(Step(position: caret, inserted: nil))
      } else {
        steps.append(Step(position: caret, inserted: random.letter()))
        caret += 1
        length += 1
      }
    }
    self.steps = steps
  }
}

extension TextDocument {
  /// Makes all edits of a branch.
  mutating func perform(_ branch: Branch) {
    for step in branch.steps {
      if let text = step.inserted {
        insert(text, at: step.position)
      } else {
        delete(step.position..<step.position + 1)
      }
    }
  }
}
