import NIOConcurrencyHelpers
import NIOCore
import RopewalkSync

/// Which rooms are in memory, and on which event loop each of them lives.
final class RoomDirectory: Sendable {
  private struct Entry {
    let host: RoomHost
    /// Sessions that are in the room or on their way into it.
    var users: Int
  }

  private struct Rooms {
    var entries: [RoomName: Entry] = [:]
    /// What was used in rooms that are not in memory any more.
    var budgets: [RoomName: RoomBudgets] = [:]
    var nextNumber: UInt32 = 1
  }

  private let rooms = NIOLockedValueBox(Rooms())
  private let loops: [any EventLoop]
  private let services: RelayServices

  init(loops: [any EventLoop], services: RelayServices) {
    self.loops = loops
    self.services = services
  }

  /// The room, which stays in memory until `exit` was called as often.
  func enter(_ name: RoomName) -> RoomHost {
    rooms.withLockedValue { rooms in
      if let entry = rooms.entries[name] {
        rooms.entries[name]?.users += 1
        return entry.host
      }
      let number = RoomNumber(rawValue: rooms.nextNumber)
      // A process that opens four thousand million rooms begins anew; the old ones are gone by then.
      rooms.nextNumber = rooms.nextNumber == .max ? 1 : rooms.nextNumber + 1
      let loop = loops[Int(number.rawValue) % loops.count]
      let host = RoomHost(name, number: number, loop: loop, directory: self, services: services)
      rooms.entries[name] = Entry(host: host, users: 1)
      return host
    }
  }

  /// One session less.
  func exit(_ host: RoomHost) {
    rooms.withLockedValue { rooms in
      guard rooms.entries[host.name]?.host === host else { return }
      rooms.entries[host.name]?.users -= 1
    }
  }

  /// Forgets the room if nobody uses it, but for what its members have used lately. True if it is forgotten.
  ///
  /// - Complexity: O(subjects that have used something in the room); O(those of all rooms) now and then.
  func retire(_ host: RoomHost, leaving budgets: RoomBudgets, now: UInt64) -> Bool {
    var budgets = budgets
    budgets.forgetFull(now: now, services.roomConfiguration)
    return rooms.withLockedValue { rooms in
      guard let entry = rooms.entries[host.name], entry.host === host else { return true }
      guard entry.users <= 0 else { return false }
      rooms.entries[host.name] = nil
      if budgets.isEmpty { return true }
      if rooms.budgets.count.isMultiple(of: 1024) {
        rooms.budgets = rooms.budgets.compactMapValues { old in
          var old = old
          old.forgetFull(now: now, services.roomConfiguration)
          return old.isEmpty ? nil : old
        }
      }
      rooms.budgets[host.name] = budgets
      return true
    }
  }

  /// What was used in a room when it was in memory before.
  func takeBudgets(of name: RoomName) -> RoomBudgets {
    rooms.withLockedValue { $0.budgets.removeValue(forKey: name) ?? RoomBudgets() }
  }

  /// Forgets a room that has failed: whoever comes next gets a new one.
  func drop(_ host: RoomHost) {
    rooms.withLockedValue { rooms in
      if rooms.entries[host.name]?.host === host { rooms.entries[host.name] = nil }
    }
  }

  /// How far all members are behind their rooms' logs: asks each loop for its rooms once.
  func lag(on loop: any EventLoop) -> EventLoopFuture<RoomLag> {
    let hosts = rooms.withLockedValue { $0.entries.values.map(\.host) }
    let asked = loops.map { other in
      let own = hosts.filter { $0.loop === other }
      return other.submit {
        own.reduce(into: RoomLag()) { $0.add($1.lag) }
      }
    }
    return EventLoopFuture.reduce(into: RoomLag(), asked, on: loop) { $0.add($1) }
  }

  /// How many rooms are in memory.
  var count: Int { rooms.withLockedValue { $0.entries.count } }
}
