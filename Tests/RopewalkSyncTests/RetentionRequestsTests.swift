import Testing

@testable import RopewalkSync

/// Of what owners want to be forgotten one rule at a time is stored.
@Suite struct RetentionRequestsTests {
  @Test func whatComesMeanwhileIsOneChange() {
    var requests = RetentionRequests()
    #expect(requests.add(nil, from: 1) == nil && requests.takeAnswered() == [1])
    #expect(requests.add(.days(1), from: 1) == .days(1))
    for days in 2...1000 as ClosedRange<UInt32> { #expect(requests.add(.days(days), from: 2) == nil) }
    #expect(requests.add(nil, from: 3) == nil && requests.takeAnswered().isEmpty)
    // Another change of the log, made before.
    #expect(requests.stored(.everything) == nil && requests.takeAnswered().isEmpty)
    #expect(requests.stored(.days(1)) == .days(1000) && requests.takeAnswered().isEmpty)
    #expect(requests.stored(.days(1000)) == nil && requests.takeAnswered() == [1, 2, 3])
    #expect(requests.takeAnswered().isEmpty && requests.add(.everything, from: 4) == .everything)
  }
}
