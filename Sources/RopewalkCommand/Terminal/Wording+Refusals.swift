import Ropewalk

// What the relay does not take, and what to do.
extension Wording {
  /// "5 events of notes.md are not at the relay: … They are kept, and …".
  static func refused(_ events: [RefusedEvents], of name: String) -> [String] {
    RefusedEvents.Reason.allCases.compactMap { reason in
      let count = events.reduce(0) { $1.reason == reason ? $0 + $1.eventCount : $0 }
      if count == 0 { return nil }
      return sentence(count, of: name, reason)
    }
  }

  /// What is refused in a room, in sentences.
  static func refusal(_ refusal: RoomRefusal) -> String {
    switch refusal.reason {
    case .room(let error): "the relay refuses room \(refusal.room.shown): \(error.text)"
    case .events(let reason, let count): sentence(count, of: "room \(refusal.room.shown)", reason)
    }
  }

  /// What a person can do.
  static func way(out reason: RefusedEvents.Reason) -> String {
    switch reason {
    case .forbidden:
      "They are kept, and sent with a token that allows it; `ropewalk discard` takes them out"
    case .tooLarge:
      "They are kept, and sent when the relay takes more (largest-payload); `ropewalk discard` takes them out"
    case .unreadable: "`ropewalk verify` says what is damaged and what is safe"
    case .anotherLineage:
      "They are kept; `ropewalk cat --lineage` shows either text, and `ropewalk mirror --take room` or `--take file` "
        + "says which one goes on"
    case .followsRefused: "They are kept, and sent after those"
    }
  }

  private static func sentence(_ count: Int, of name: String, _ reason: RefusedEvents.Reason) -> String {
    "\(Self.count(count, "event")) of \(name) \(count == 1 ? "is" : "are") not at the relay: \(reason). "
      + way(out: reason)
  }
}
