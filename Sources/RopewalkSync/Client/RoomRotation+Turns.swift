// Who makes way for whom, and when.
extension RoomRotation {
  /// Moves that are due.
  public mutating func moves(now: UInt64) -> [Move] {
    guard places > 0 else { return [] }
    var waiting: [(room: RoomName, claim: Claim)] = []
    var free = places
    let rest = rest(now)
    for (name, room) in rooms {
      if room.seatedSince != nil {
        free -= 1
      } else if room.refusedUntil <= now {
        waiting.append((name, claim(of: room, rest, now)))
      }
    }
    if waiting.isEmpty { return [] }
    if waiting.count > free {
      tryMorePlaces(now)
      free = places - rooms.values.count { $0.seatedSince != nil }
    }
    let hasPlace = free > 0
    waiting = waiting.filter { hasPlace || $0.claim.wantsPlace }
    if waiting.isEmpty { return [] }
    waiting.sort { $0.claim != $1.claim ? $0.claim < $1.claim : $0.room < $1.room }
    return give(free, to: waiting, now)
  }

  /// When `moves` must be asked for next; nil for not before something happens.
  public func nextDeadline(now: UInt64) -> UInt64? {
    guard places > 0 else { return nil }
    var deadline = UInt64.max
    func at(_ time: UInt64) { if time > now { deadline = min(deadline, time) } }
    let rest = rest(now)
    var (seats, waiting, wanting) = (0, 0, 0)
    for room in rooms.values {
      guard room.seatedSince == nil else {
        seats += 1
        continue
      }
      at(room.refusedUntil)
      guard room.refusedUntil <= now else { continue }
      waiting += 1
      if claim(of: room, rest, now).wantsPlace { wanting += 1 }
      at(room.waitingSince + rest)
      at(room.waitingSince + rest + pace.longest)
    }
    if waiting > 0 { at(morePlacesAt) }
    if waiting > 0, seats < places { at(max(joins.next(now), now + 1)) }
    if wanting > 0, seats >= places {
      at(joins.next(now))
      for room in rooms.values {
        at(leavingTime(of: room, atOnce: true) ?? 0)
        at(leavingTime(of: room, atOnce: false) ?? 0)
      }
    }
    return deadline == .max ? nil : deadline
  }

  // MARK: Who waits

  /// How much a room that waits wants a place; what comes first is less.
  struct Claim: Hashable, Comparable {
    let isOverdue: Bool
    let isUrgent: Bool
    let isHurried: Bool
    let isRested: Bool
    let lastTurn: UInt64

    /// Whether another room shall make way.
    var wantsPlace: Bool { atOnce || isRested }
    /// Whether it shall do so if nothing happened in it just now.
    var atOnce: Bool { isOverdue || isUrgent || isHurried }

    static func < (a: Claim, b: Claim) -> Bool {
      if a.isOverdue != b.isOverdue { return a.isOverdue }
      if !a.isOverdue, a.isUrgent != b.isUrgent { return a.isUrgent }
      return a.lastTurn < b.lastTurn
    }
  }

  private func claim(of room: Room, _ rest: UInt64, _ now: UInt64) -> Claim {
    let waited = now - min(now, room.waitingSince)
    return Claim(
      isOverdue: waited >= rest + pace.longest, isUrgent: room.hasUnsent || room.isAwaited,
      isHurried: room.lastSettled <= hurriedSince || room.isAttended, isRested: waited >= rest,
      lastTurn: room.lastTurn)
  }

  /// How long a room waits that has nothing to send. Changes by steps, so that a deadline holds when it has come.
  func rest(_ now: UInt64) -> UInt64 {
    let waiting = rooms.values.count { $0.seatedSince == nil && $0.refusedUntil <= now }
    let crowd = UInt64(min(max(waiting, 20), 100))
    let idle = min((now - min(now, lastActive)) / 60_000, 3)
    return pace.rest * crowd / 20 * (1 + idle)
  }

  // MARK: Who makes way

  /// Gives free places, and those of rooms that can leave, to rooms that wait.
  private mutating func give(_ places: Int, to waiting: [(room: RoomName, claim: Claim)], _ now: UInt64)
    -> [Move]
  {
    var (moves, free): ([Move], Int) = ([], places)
    var seated = waiting.count > free ? leaving(now) : []
    for next in waiting {
      if free > 0 {
        guard joins.take(now) else { break }
        free -= 1
      } else {
        let place = seated.firstIndex { (next.claim.atOnce ? $0.atOnce : $0.rested) <= now }
        guard let place else {
          if next.claim.atOnce { break }
          continue
        }
        guard joins.take(now) else { break }
        let room = seated.remove(at: place).room
        endTurn(of: room, now)
        moves.append(.leave(room))
      }
      beginTurn(of: next.room, now)
      moves.append(.join(next.room))
    }
    return moves
  }

  /// The rooms that hold a place and can leave it now, with when they could first; who leaves first is first.
  private func leaving(_ now: UInt64) -> [(room: RoomName, atOnce: UInt64, rested: UInt64)] {
    var seated: [(room: RoomName, isBusy: Bool, lastActive: UInt64, atOnce: UInt64, rested: UInt64)] = []
    for (name, room) in rooms {
      guard let atOnce = leavingTime(of: room, atOnce: true), atOnce <= now,
        let rested = leavingTime(of: room, atOnce: false)
      else { continue }
      seated.append(
        (name, !room.isSettled || room.isAttended || room.isAwaited, room.lastActive ?? 0, atOnce, rested))
    }
    seated.sort {
      if $0.isBusy != $1.isBusy { return $1.isBusy }
      return $0.lastActive != $1.lastActive ? $0.lastActive < $1.lastActive : $0.room < $1.room
    }
    return seated.map { ($0.room, $0.atOnce, $0.rested) }
  }

  /// When a room that holds a place can make way: for one that wants its place at once, or for one that has only
  /// rested. Nil if it holds none.
  private func leavingTime(of room: Room, atOnce: Bool) -> UInt64? {
    guard let since = room.seatedSince else { return nil }
    let lastActive = room.lastActive ?? 0
    let last = (room.isPartway ? max(since, lastActive) : since) + pace.longest
    guard room.isSettled, !room.isAttended, !room.isAwaited else { return last }
    if room.lastActive == nil { return atOnce ? since : since + pace.turn }
    let quiet = atOnce ? lastActive + pace.turn : max(since + pace.turn, lastActive + pace.quiet)
    return min(last, quiet)
  }
}
