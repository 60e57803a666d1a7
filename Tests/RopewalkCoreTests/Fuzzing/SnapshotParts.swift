/// A snapshot taken apart by `Spec/update-format.md`, so that a part can be damaged and all checksums still be right.
struct SnapshotParts {
  var flags: UInt8 = 0
  var text: [UInt8] = []
  var history: [UInt8] = []
  var waiting: [[UInt8]] = []

  /// - Parameter bytes: a well-formed snapshot.
  init(_ bytes: [UInt8]) {
    var at = 3
    func varint() -> Int {
      var (value, shift) = (0, 0)
      repeat {
        value |= Int(bytes[at] & 0x7f) << shift
        shift += 7
        at += 1
      } while bytes[at - 1] > 0x7f
      return value
    }
    func block() -> [UInt8] {
      let size = varint()
      defer { at += size }
      return Array(bytes[at..<at + size])
    }
    flags = bytes[2]
    text = block()
    history = block()
    for _ in 0..<varint() { waiting.append(block()) }
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [0x53, 1, flags]
    func append(_ block: [UInt8]) { bytes += ReferenceEncoder.varint(UInt64(block.count)) + block }
    append(text)
    append(history)
    bytes += ReferenceEncoder.varint(UInt64(waiting.count))
    for block in waiting { append(block) }
    return Mutation.repaired(bytes + [0, 0, 0, 0])
  }

  mutating func mutate(with updates: [[UInt8]], using random: inout SplitMix) {
    switch random.below(8) {
    case 0: flags = UInt8(random.below(3))
    case 1: text = Mutation.mutate(text, with: [text], using: &random)
    case 2: text = Array(String.random(random.below(20), using: &random).utf8)
    case 3...5: history = Mutation.repaired(Mutation.mutate(history, with: updates, using: &random))
    case 6: waiting.append(updates[random.below(updates.count)])
    default:
      waiting = waiting.map { Mutation.repaired(Mutation.mutate($0, with: updates, using: &random)) }
    }
  }
}
