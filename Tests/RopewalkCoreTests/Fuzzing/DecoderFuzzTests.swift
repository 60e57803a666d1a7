import RopewalkCore
import Testing

/// Truncated, flipped, spliced and made-up bytes give a value or an error, never a trap.
@Suite struct DecoderFuzzTests {
  @Test(arguments: DecoderFuzz.Target.allCases)
  func damagedBytesGiveAValueOrAnError(target: DecoderFuzz.Target) throws {
    let seeds = RandomSeeds(default: 4000)
    var fuzz = DecoderFuzz(target, corpus: try Corpus(seed: seeds.first >> 20))
    for seed in seeds {
      var random = SplitMix(seed: seed)
      let input = fuzz.input(using: &random)
      do { try fuzz.run(input, using: &random) } catch {
        Issue.record("ROPEWALK_SEED=\(seed): \(error)")
        return
      }
    }
    #expect(target != .update || seeds.count < 1000 || (fuzz.canonical > 100 && fuzz.malformed > 100))
    #expect(seeds.count < 1000 || (fuzz.accepted > 0 && fuzz.refused > 0), "the inputs reach both outcomes")
  }

  @Test func everyTruncationIsRefused() throws {
    let corpus = try Corpus(seed: 1)
    for bytes in corpus.updates.prefix(20) {
      for length in 0..<bytes.count {
        #expect(throws: FormatError.self) { try Update(bytes: Array(bytes[..<length])) }
      }
    }
    for bytes in corpus.snapshots.prefix(10) {
      for length in 0..<bytes.count {
        #expect(throws: FormatError.self) { try TextDocument(snapshot: Array(bytes[..<length])) }
        #expect(throws: FormatError.self) { try UnreadDocument(snapshot: Array(bytes[..<length])).read() }
      }
    }
  }

  @Test func whatIsLargerThanTheBudgetIsRefused() throws {
    let corpus = try Corpus(seed: 2)
    let budget = DecodingBudget(maximumBytes: 4)
    #expect(throws: FormatError.self) { try Update(bytes: corpus.updates[0], budget: budget) }
    #expect(throws: FormatError.self) { try TextDocument(snapshot: corpus.snapshots[0], budget: budget) }
  }
}
