import NIOCore
import RopewalkSync

/// What clients do besides writing and reading: they come and go, stall, and say how they are.
extension LoadCrew {
  /// How long a client reads nothing.
  private static let stall = TimeAmount.seconds(20)

  /// Each second one client leaves and comes back, one stalls for a while, and a tenth of them change their
  /// presence.
  func startChurning() {
    setChurn(
      loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [self] _ in
        members.randomElement()?.comeAgain()
        if let sleeper = members.randomElement(), !sleeper.isScribe, !sleeper.isStalled,
          sleeper.stage == .live
        {
          sleeper.setReading(false)
          loop.scheduleTask(in: Self.stall) { if sleeper.isStalled { sleeper.setReading(true) } }
        }
        for member in members where member.stage == .live && Int.random(in: 0..<10) == 0 {
          let value = [UInt8](repeating: UInt8.random(in: 0...255), count: 60)
          member.say(.presence(room: member.number, value: value))
        }
      })
  }

  func stopChurning() { setChurn(nil) }
}
