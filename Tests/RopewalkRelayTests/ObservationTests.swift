import Foundation
import NIOPosix
import RopewalkSync
import Testing

@testable import RopewalkRelay

/// What a relay tells those who watch it.
@Suite(.timeLimit(.minutes(5))) struct ObservationTests {
  private func value(_ name: String, in page: String) -> Double? {
    page.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      .flatMap { Double($0.dropFirst(name.count + 1)) }
  }

  @Test func metricsCountWhatHappens() async throws {
    try await withRelay { relay in
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      for seq in 0..<3 as Range<UInt32> {
        let push = ClientMessage.Push(
          room: number, number: UInt64(seq), header: header(seq..<seq + 1), payload: [1, 2])
        #expect(try await peer.push(push) == .cursor(UInt64(seq) + 1))
      }
      _ = try await Peer.connect(to: relay).socket.send([7])
      let page = try await relay.metricsPage()
      #expect(page.hasPrefix("HTTP/1.1 200") && page.contains("version=0.0.4"))
      #expect(page.contains("ropewalk_build_info{version=\"\(Relay.version)\"} 1\n"))
      #expect(value("ropewalk_rooms", in: page) == 1.0 && value("ropewalk_members", in: page) == 1.0)
      #expect(value("ropewalk_members_behind", in: page) == 0.0)
      #expect((value("ropewalk_messages_received_total", in: page) ?? 0) >= 5)
      #expect((value("ropewalk_messages_sent_total", in: page) ?? 0) >= 6)
      #expect((value("ropewalk_commit_seconds_count", in: page) ?? 0) >= 3)
      #expect((value("ropewalk_fsync_seconds_count", in: page) ?? 0) >= 3)
      let fsync = value("ropewalk_fsync_seconds_sum", in: page) ?? 0
      #expect(fsync > 0 && fsync <= value("ropewalk_commit_seconds_sum", in: page) ?? 0)
      #expect(value("ropewalk_commit_failures_total", in: page) == 0.0)
      #expect((value("ropewalk_compression_ratio", in: page) ?? 0) >= 1)
      #expect((value("process_resident_memory_bytes", in: page) ?? 0) > 1_000_000.0)
      // Every line is a comment or a name, perhaps labels, and a number.
      let body = page.components(separatedBy: "\r\n\r\n").dropFirst().joined()
      for line in body.split(separator: "\n") where !line.hasPrefix("# ") {
        #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
      }
    }
  }

  @Test func refusedPushesAreCountedByReason() async throws {
    try await withRelay { relay in
      let peer = try await Peer.greeted(by: relay)
      let number = try await peer.join(.test).joined.number
      func push(_ index: UInt64, _ seqs: Range<UInt32>, _ payload: [UInt8], seen: UInt64 = 0)
        -> ClientMessage.Push
      {
        ClientMessage.Push(
          room: number, number: index, refusalsSeen: seen, header: header(seqs), payload: payload)
      }
      #expect(try await peer.push(push(1, 0..<2, [1])) == .cursor(1))
      #expect(try await peer.push(push(2, 0..<2, [2])) == .refusal(.idClash(at: 1)))
      #expect(try await peer.push(push(3, 2..<3, [3])) == .refusal(.overtaken))
      #expect(
        try await peer.push(push(4, 1..<3, [4], seen: 1)) == .refusal(.covered(missing: [2..<3], through: 1)))
      let page = try await relay.metricsPage()
      for reason in ["id-clash", "overtaken", "covered"] {
        #expect(value("ropewalk_refusals_total{reason=\"\(reason)\"}", in: page) == 1.0, "\(reason)")
      }
    }
  }

  @Test func metricsAreNotForEverybody() async throws {
    let key = RelayKey.generate(.hs256)
    try await withKeyedFolder { folder in
      try folder.write("a secret of many bytes\n", to: folder.path + "/secret")
      // Beyond loopback: nobody.
      try await folder.withRelay {
        $0.key = key
        $0.host = "0.0.0.0"
      } _: { relay in
        let metrics = try await RawSocket(port: relay.port).get("/metrics")
        let health = try await RawSocket(port: relay.port).get("/healthz")
        #expect(metrics.hasPrefix("HTTP/1.1 404") && health.hasPrefix("HTTP/1.1 200"))
      }
      // With a secret: who knows it.
      try await folder.withRelay {
        $0.key = key
        $0.metricsTokenFile = folder.path + "/secret"
      } _: { relay in
        for (header, status) in [
          ("X: y", 404), ("Authorization: Bearer a secret", 404),
          ("Authorization: Bearer a secret of many bytes", 200),
        ] {
          let answer = try await RawSocket(port: relay.port).get("/metrics", headers: [header])
          #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
        }
      }
    }
  }

  /// On the main address nobody is told without the secret, whatever a proxy on this machine adds, or leaves out.
  @Test func noHeaderMakesTheMainAddressTellMetrics() async throws {
    try await withKeyedFolder { folder in
      try folder.write("a secret of many bytes\n", to: folder.path + "/secret")
      for token in [nil, folder.path + "/secret"] {
        try await folder.withRelay {
          $0.metricsAddress = token == nil ? .init(host: "127.0.0.1", port: 0) : nil
          $0.metricsTokenFile = token
        } _: { relay in
          for headers in [
            [], ["Host: localhost"], ["Host: 127.0.0.1:\(relay.port)"], ["Host: evil.example"],
            ["X-Forwarded-For: 192.0.2.1"], ["X-Real-IP: 192.0.2.1"], ["CF-Connecting-IP: 192.0.2.1"],
            ["Via: 1.1 proxy"], ["Forwarded: for=127.0.0.1"], ["Authorization: Bearer"],
            ["Authorization: Basic a secret of many bytes"],
          ] {
            for method in ["GET", "HEAD"] {
              let socket = try await RawSocket(port: relay.port)
              let answer = try await socket.get("/metrics", headers: headers, host: nil, method: method)
              #expect(answer.hasPrefix("HTTP/1.1 404"), "\(headers)")
            }
          }
        }
      }
    }
  }

  /// The address of its own tells everybody who asks for it by its name, and has no WebSocket.
  @Test func theMetricsAddressAnswersToItsOwnNameAlone() async throws {
    try await withKeyedFolder { folder in
      try await folder.withRelay {
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
      } _: { relay in
        let port = try #require(relay.metricsPort)
        #expect(try await RawSocket(port: port).get("/sync").hasPrefix("HTTP/1.1 404"))
        for (hosts, status) in [
          (["127.0.0.1:\(port)"], 200), (["localhost:\(port)"], 200), (["LOCALHOST"], 200),
          (["[::1]:\(port)"], 200),
          (["127.0.0.1"], 200),
          // A page whose site's name means 127.0.0.1 for the moment.
          (["evil.example:\(port)"], 403), (["127.0.0.1.evil.example"], 403),
          (["localhost.evil.example"], 403),
          (["127.0.0.1", "evil.example"], 403), ([], 403), ([""], 403), (["127.0.0.1:"], 403), (["::1"], 403),
          (["127.0.0.1:80:90"], 403), (["192.0.2.1"], 403), (["127.0.0.256"], 403),
        ] {
          let answer = try await RawSocket(port: port).get(
            "/metrics", headers: hosts.map { "Host: \($0)" }, host: nil)
          #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(hosts)")
        }
      }
      // With a secret the name does not count.
      try folder.write("a secret of many bytes\n", to: folder.path + "/secret")
      try await folder.withRelay {
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
        $0.metricsTokenFile = folder.path + "/secret"
      } _: { relay in
        for port in [relay.port, try #require(relay.metricsPort)] {
          for (header, status) in [("X: y", 404), ("Authorization: Bearer a secret of many bytes", 200)] {
            let answer = try await RawSocket(port: port).get("/metrics", headers: [header], host: "metrics")
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
          }
        }
      }
    }
  }

  @Test func readinessAsksTheLog() async throws {
    try await withRelay { relay in
      let answer = try await RawSocket(port: relay.port).get("/readyz")
      #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("ready\n"))
    }
    try await withDirectory { path in
      let directory = try DataDirectory(path: path)
      let log = try SQLiteLog(path: directory.logPath)
      let clock = TestClock()
      let readiness = Readiness(log: log, now: { clock.now })
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      #expect(try await readiness.check(on: loop).get() ?? "ready" == "ready")
      log.close()
      // The answer is kept for a moment, whoever asks.
      #expect(try await readiness.check(on: loop).get() ?? "ready" == "ready")
      clock.set(Readiness.interval)
      #expect(try await readiness.check(on: loop).get() == "log not writable")
      readiness.drain()
      #expect(try await readiness.check(on: loop).get() == "draining")
      directory.unlock()
    }
  }

  @Test func aRelayThatIsStoppingSaysSoBeforeItStops() async throws {
    try await withDirectory { path in
      let relay = try await startRelay(path) {
        $0.metricsAddress = .init(host: "127.0.0.1", port: 0)
        $0.drainDelay = 1000
      }
      let peer = try await Peer.greeted(by: relay)
      let metricsPort = try #require(relay.metricsPort)
      async let stopped: Void = relay.stop()
      while true {
        let answer = try await RawSocket(port: metricsPort).get("/readyz")
        if answer.hasPrefix("HTTP/1.1 503"), answer.hasSuffix("draining\n") { break }
      }
      // Nobody new is taken in, and who is there is served until the end.
      let late = try await RawSocket(port: relay.port)
      #expect(try await late.upgrade().contains("503"))
      #expect(try await peer.join(.test).joined.head == 0)
      #expect(try await peer.farewell().error?.code == .draining)
      try await peer.socket.send(opcode: 8, [0x03, 0xe8])
      await stopped
    }
  }

  @Test func commitTimesFallIntoBuckets() {
    let meter = CommitMeter()
    for microseconds in [100, 250, 251, 9_000_000] {
      meter.succeeded(after: .microseconds(microseconds), syncing: .microseconds(microseconds - 50))
    }
    meter.failed()
    let reading = meter.current
    let counts = reading.commits.counts
    #expect(counts.first == 2 && counts[1] == 1 && counts.last == 1 && reading.commits.sum == 9_000_601)
    #expect(reading.syncs.counts.first == 3 && reading.syncs.sum == 9_000_401 && reading.failures == 1)
    var text = MetricsText()
    text.add("x", "Help.", reading.commits)
    let lines = text.text.split(separator: "\n")
    #expect(
      lines.prefix(4) == [
        "# HELP x Help.", "# TYPE x histogram", "x_bucket{le=\"0.00025\"} 2", "x_bucket{le=\"0.0005\"} 3",
      ])
    #expect(
      lines.suffix(4) == [
        "x_bucket{le=\"5.0\"} 3", "x_bucket{le=\"+Inf\"} 4", "x_sum 9.000601", "x_count 4",
      ])
  }
}
