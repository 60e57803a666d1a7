import Testing

@testable import RopewalkClient

@Suite struct WatchPaceTests {
  @Test func looksBecomeRareUntilSomethingIsFound() {
    var (pace, looks, time) = (WatchPace(50), 0, UInt64(0))
    while time < 60_000 {
      time += pace.interval
      pace.looked(found: false)
      looks += 1
    }
    #expect(pace.interval == 1000)
    #expect(looks < 90)
    pace.looked(found: true)
    #expect(pace.interval == 50)
  }

  @Test func aClientThatNeverLooksNeverDoes() {
    var pace = WatchPace(.max)
    pace.looked(found: false)
    #expect(pace.interval == .max)
  }
}
