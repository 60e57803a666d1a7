import RopewalkCore
import RopewalkSync

/// A change on its way to the observers.
struct NotedChange {
  enum Content {
    /// What happened, in order.
    case patches([TextPatch])
    /// What the text is now, where it is not known what happened.
    case whole([UInt8])
  }

  enum Audience {
    /// Those who watch the document itself, and those of its name.
    case all
    /// Those who watch the document itself.
    case pinned
    /// Those who watch whatever the name means.
    case names
  }

  let origin: DocumentChange.Origin
  let room: RoomName
  let key: DocumentKey
  let content: Content
  /// How long the text is afterwards.
  let scalarCount: Int
  var audience: Audience

  /// What to do to a text of so many scalars.
  func patches(toScalars count: Int) -> [TextPatch] {
    switch content {
    case .patches(let patches): patches
    case .whole(let text):
      count == 0 && text.isEmpty ? [] : [TextPatch(position: 0, deleted: count, inserted: text)]
    }
  }
}
