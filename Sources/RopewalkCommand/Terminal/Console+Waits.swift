import Ropewalk
import RopewalkSync

extension Console {
  /// Says at once, on standard error, what a command waits for when the relay puts it off: otherwise it seems to hang.
  ///
  /// - Returns: the task that does, to be cancelled.
  func tellWaits(_ events: AsyncStream<ClientEvent>) -> Task<Void, Never> {
    Task {
      for await event in events {
        if case .putOff(let room, let error) = event { problem(Wording.putOff(room, error)) }
      }
    }
  }
}

extension Wording {
  /// That a relay has put a room off, why, and for how long.
  static func putOff(_ room: RoomName, _ error: ProtocolError) -> String {
    var wait = ""
    if case .after(let milliseconds) = error.retry {
      wait = "; waiting \(count(Int(milliseconds / 1000) + (milliseconds % 1000 > 0 ? 1 : 0), "second"))"
    }
    let reason = error.text.hasSuffix(".") ? String(error.text.dropLast()) : error.text
    return "room \(room.shown): the relay puts this off: \(reason)\(wait)"
  }
}
