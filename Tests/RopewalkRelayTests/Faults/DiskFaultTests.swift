import Foundation
import RopewalkSync
import Testing

@testable import RopewalkCommand
@testable import RopewalkRelay

/// A disk that is full, read-only, or fails: what cannot be stored is refused, and the relay goes on when
/// it can again.
@Suite(.timeLimit(.minutes(5))) struct DiskFaultTests {
  @Test(arguments: DiskFaults.Kind.allCases)
  func whatCannotBeStoredIsRefusedAndTakenLater(_ kind: DiskFaults.Kind) async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      guard let faults = try await DiskFaults(in: path) else {
        print("disk faults: skipped, there is no C compiler")
        return
      }
      let process = try ChildProcess(
        relayExecutable, ["serve", "--data", path + "/data", "--listen", "127.0.0.1:0"],
        environment: faults.environment)
      let line = try #require(await process.output.line(beginning: "listening on "))
      let port = try #require(line.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) })
      let writer = Writer(replica: 1, payloadBytes: 300)
      // One at a time, so that nothing is on its way when the disk fails.
      await writer.work(port: port, window: 1, limit: 20) {}
      let before = await writer.acknowledged
      #expect(before.count >= 20)

      try faults.set(kind)
      let ready = try await RawSocket(port: port).get("/readyz")
      #expect(ready.hasPrefix("HTTP/1.1 503") && ready.hasSuffix("log not writable\n"), "\(kind): \(ready)")
      #expect(try await RawSocket(port: port).get("/healthz").hasPrefix("HTTP/1.1 200"))
      let peer = try await Peer.greeted(onPort: port)
      for _ in 0..<3 {
        // Reading goes on.
        let joined = try await peer.join(.test)
        #expect(joined.entries.count >= before.count)
        let push = ClientMessage.Push(
          room: joined.joined.number, number: 1, header: header(0..<1, replica: 2), payload: [1, 2, 3])
        try await peer.say(.push(push))
        var answer = try await peer.hear()
        while case .presence = answer { answer = try await peer.hear() }
        guard case .error(RoomName.test, let error) = answer else {
          Issue.record("\(kind): \(answer)")
          return
        }
        #expect(error.code == .unavailable && error.retry == .after(milliseconds: 2000))
      }
      // Others as well, and nothing of theirs is acknowledged.
      await writer.work(port: port, window: 4) { Issue.record("\(kind): acknowledged without a disk") }

      try faults.set(nil)
      // The old answer is kept for a second.
      while try await !RawSocket(port: port).get("/readyz").hasPrefix("HTTP/1.1 200") {}
      let joined = try await peer.join(.test)
      let push = ClientMessage.Push(
        room: joined.joined.number, number: 1, header: header(0..<1, replica: 2), payload: [1, 2, 3])
      guard case .cursor = try await peer.push(push) else {
        Issue.record("\(kind): not taken when the disk was back")
        return
      }
      await writer.work(port: port, window: 4, limit: 20) {}
      let after = await writer.acknowledged
      #expect(after.count >= before.count + 20)
      let log = try await readLog(port: port, [writer])
      #expect(log.wrong.isEmpty, "\(kind): \(log.wrong)")
      process.signal(SIGKILL)
      _ = await process.end()
      let report = try RelayStore(directory: path + "/data").verify()
      #expect(report.isSound, "\(report)")
    }
  }
}
