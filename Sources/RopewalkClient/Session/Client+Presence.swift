import RopewalkCore
import RopewalkReplica
import RopewalkSync

extension Client {
  /// The largest presence value, in bytes: what the relay allowed when it last said so, less what is sent with it.
  /// Before a connection was made, what relays allow by default.
  public var largestPresence: Int { max(0, Int(knownLimits.largestPresence) - PresenceEnvelope.reserve) }

  /// What others in the room see of this session; nil withdraws it. Kept over reconnections, until the room is
  /// left. Joins the room if need be.
  ///
  /// Others see it when they have the text that it belongs to: what is in the room's documents here when this is
  /// called. Until then they see the value before it. So a position in a text is a position in theirs.
  ///
  /// Throws `presenceTooLarge` if it has more than `largestPresence` bytes; the value before it stays then. If the
  /// relay turns out to allow less once connected, `ClientEvent.presenceTooLarge` reports it.
  public func setPresence(_ value: [UInt8]?, in room: String) throws(ClientError) {
    if let value, value.count > largestPresence {
      throw .presenceTooLarge(byteCount: value.count, limit: largestPresence)
    }
    try join(room)
    guard let room = RoomName(room) else { throw .invalidRoomName }
    rooms[room]?.presence = value
    rooms[room]?.hasToldPresence = false
    rotation.attend(room, value != nil)
    rotation.touch(room, now: options.now())
    sendPresence(in: room)
    arrange()
    arm()
  }

  /// Sends what others in a room shall see, with the text that it belongs to.
  func sendPresence(in room: RoomName) {
    rooms[room]?.holdsPresence = false
    guard var session, session.state == .open, let value = rooms[room]?.presence else {
      return withdrawPresence(in: room)
    }
    guard value.count <= largestPresence else {
      if rooms[room]?.hasToldPresence == true { return }
      rooms[room]?.hasToldPresence = true
      return hub.publish(.presenceTooLarge(room, byteCount: value.count, limit: largestPresence))
    }
    let basis: PresenceBasis
    do {
      basis = try replica.presenceBasis(of: room, mostEvents: PresenceEnvelope.mostEvents)
    } catch { return fail(error) }
    let bytes = PresenceEnvelope(cursor: basis.cursor, events: basis.events, value: value).encoded
    guard !basis.isPremature, basis.events.count <= PresenceEnvelope.mostEvents,
      bytes.count <= Int(session.limits.largestPresence)
    else {
      // What it belongs to is not worth more room than the value, or has an id that others do not know yet: it is sent
      // when that is at the relay.
      rooms[room]?.holdsPresence = true
      return
    }
    let effects = session.setPresence(bytes, in: room, now: options.now())
    self.session = session
    perform(effects)
  }

  private func withdrawPresence(in room: RoomName) {
    guard var session, rooms[room]?.presence == nil else { return }
    let effects = session.setPresence(nil, in: room, now: options.now())
    self.session = session
    perform(effects)
  }

  /// What this session's value belongs to has changed its name, or will not come.
  func renewPresence(in room: RoomName) {
    if rooms[room]?.presence != nil { sendPresence(in: room) }
  }

  /// Others show something else.
  func presence(_ values: [RelayMessage.PresenceValue], _ isComplete: Bool, in room: RoomName) {
    guard rooms[room] != nil else { return }
    rooms[room]?.others.receive(values, isComplete: isComplete)
    showPresence(in: room)
  }

  /// Shows what others show, as far as the text is there that it belongs to.
  func showPresence(in room: RoomName) {
    guard var others = rooms[room]?.others else { return }
    if others.isHolding {
      do throws(ReplicaError) {
        let known = try replica.known(others.awaitedDocuments, in: room)
        others.release { envelope in
          envelope.cursor <= known.cursor
            && envelope.events.allSatisfy { (known.vectors[$0.document]?[$0.replica] ?? 0) >= $0.count }
        }
      } catch { return fail(error) }
      rooms[room]?.others = others
    }
    hub.setPresence(
      others.shown.map {
        Presence(
          session: $0.session, subject: String(decoding: $0.subject, as: UTF8.self), value: $0.value)
      }, in: room)
  }
}
