/// A snapshot taken apart by `Spec/update-format.md`, so that a part can be damaged and all checksums still
/// be right.
struct SnapshotParts {
  var version: UInt8 = 2
  var flags: UInt8 = 0
  /// Eight bytes, or none.
  var lineage: [UInt8] = []
  var moment: [UInt8] = []
  var vector: [UInt8] = []
  var text: [UInt8] = []
  var history: [UInt8] = []
  var waiting: [[UInt8]] = []

  /// - Parameter bytes: a well-formed snapshot.
  init(_ bytes: [UInt8]) {
    version = bytes[1]
    flags = bytes[2]
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
    if flags & 2 != 0 {
      lineage = Array(bytes[at..<at + 8])
      at += 8
    }
    (moment, vector, text) = (block(), block(), block())
    for _ in 0..<varint() { waiting.append(block()) }
    history = Array(bytes[(at + 4)...])
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [0x53, version, flags]
    func append(_ block: [UInt8]) { bytes += ReferenceEncoder.varint(UInt64(block.count)) + block }
    bytes += lineage
    append(moment)
    append(vector)
    append(text)
    bytes += ReferenceEncoder.varint(UInt64(waiting.count))
    for block in waiting { append(block) }
    return Mutation.repaired(bytes + [0, 0, 0, 0]) + history
  }

  mutating func mutate(with updates: [[UInt8]], using random: inout SplitMix) {
    switch random.below(12) {
    case 0: flags = UInt8(random.below(5))
    case 1: text = Mutation.mutate(text, with: [text], using: &random)
    case 2: text = Array(String.random(random.below(20), using: &random).utf8)
    case 3...5: history = Mutation.repaired(Mutation.mutate(history, with: updates, using: &random))
    case 6: waiting.append(updates[random.below(updates.count)])
    case 7: moment = Mutation.mutate(moment, with: [vector], using: &random)
    case 8: vector = Mutation.mutate(vector, with: [moment], using: &random)
    case 9: lineage = Mutation.mutate(lineage, with: [vector], using: &random)
    case 10: version = UInt8(random.below(4))
    default:
      waiting = waiting.map { Mutation.repaired(Mutation.mutate($0, with: updates, using: &random)) }
    }
  }
}
