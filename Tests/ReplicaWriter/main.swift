import Foundation
import RopewalkReplica

// Writes numbers into a replica until it is killed, and says each when the edit has returned. With COUNT it makes
// so many single edits instead, with pauses between them, and prints how long they took in milliseconds: beside
// another ReplicaWriter on the same file, how long an edit waits for a busy writer.
//
//   ReplicaWriter PATH DOCUMENT MARK [COUNT]

let arguments = CommandLine.arguments
guard arguments.count == 4 || arguments.count == 5 else { exit(64) }
let (path, name, mark) = (arguments[1], arguments[2], arguments[3])

func measure(_ count: Int, _ edit: () throws -> Void) throws {
  var waits: [Double] = []
  for _ in 0..<count {
    usleep(20_000)
    let start = ContinuousClock.now
    try edit()
    let parts = start.duration(to: .now).components
    waits.append(Double(parts.seconds) * 1e3 + Double(parts.attoseconds) / 1e15)
  }
  waits.sort()
  guard let longest = waits.last else { return }
  print("median \(waits[count / 2]) p99 \(waits[count * 99 / 100]) longest \(longest)")
}

var options = ReplicaOptions()
// Snapshots are written often, so that they are interrupted too.
options.updatesPerSnapshot = 5
do {
  let replica = try Replica(path: path, options: options)
  let document = try replica.document(name, in: "room")
  if arguments.count == 5 {
    try measure(Int(arguments[4]) ?? 0) { try document.edit { try $0.append(mark) } }
    exit(0)
  }
  var number = 0
  while true {
    let word = "\(mark)\(number) "
    try document.edit { try $0.append(word) }
    FileHandle.standardOutput.write(Data("\(word)\n".utf8))
    number += 1
  }
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
