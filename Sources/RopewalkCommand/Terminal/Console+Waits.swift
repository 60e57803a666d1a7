import Ropewalk
import RopewalkSync

extension Console {
  /// Says at once, on standard error, what a command waits for: otherwise it seems to hang.
  ///
  /// - Returns: the task that does, to be cancelled.
  func tellWaits(_ events: AsyncStream<ClientEvent>) -> Task<Void, Never> {
    Task {
      for await event in events {
        switch event {
        case .putOff(let room, let error): problem(Wording.putOff(room, error))
        case .waitsForAuthor(let room, let time): problem(Wording.waitsForAuthor(room, milliseconds: time))
        default: break
        }
      }
    }
  }
}

extension Wording {
  /// That a relay has put a room off, why, and for how long.
  static func putOff(_ room: RoomName, _ error: ProtocolError) -> String {
    var wait = ""
    if case .after(let milliseconds) = error.retry {
      wait = "; waiting \(seconds(UInt64(milliseconds)))"
    }
    let reason = error.text.hasSuffix(".") ? String(error.text.dropLast()) : error.text
    return "room \(room.shown): the relay puts this off: \(reason)\(wait)"
  }

  /// That somebody else is waited for, whose events are here.
  static func waitsForAuthor(_ room: RoomName, milliseconds: UInt64) -> String {
    "room \(room.shown): some of what is unsent was written by somebody else, who has yet to send it; "
      + "waiting up to \(seconds(milliseconds)) for them, then it is sent from here"
  }

  private static func seconds(_ milliseconds: UInt64) -> String {
    count(Int(clamping: milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0)), "second")
  }
}
