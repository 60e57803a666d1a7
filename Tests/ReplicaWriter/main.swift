import Foundation
import RopewalkReplica

// Writes numbers into a replica until it is killed, and says each when the edit has returned.
//
//   ReplicaWriter PATH DOCUMENT MARK

let arguments = CommandLine.arguments
guard arguments.count == 4 else { exit(64) }
let (path, name, mark) = (arguments[1], arguments[2], arguments[3])

var options = ReplicaOptions()
// Snapshots are written often, so that they are interrupted too.
options.updatesPerSnapshot = 5
do {
  let replica = try Replica(path: path, options: options)
  let document = try replica.document(name, in: "room")
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
