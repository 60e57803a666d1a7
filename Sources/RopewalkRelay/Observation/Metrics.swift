import Dispatch
import NIOCore
import RopewalkSync

/// Gathers the figures for `/metrics`.
struct Metrics: Sendable {
  let services: RelayServices
  let directory: RoomDirectory
  let admission: Admission
  /// When the relay began, by its clock.
  let started: UInt64

  /// Where pages are put together: reading what the system says of the process takes longer than a loop
  /// should be held.
  private static let queue = DispatchQueue(label: "ropewalk.metrics", qos: .utility)

  /// The whole page. Asks each room for its lag, on the rooms' own loops.
  func page(on loop: any EventLoop) -> EventLoopFuture<String> {
    directory.lag(on: loop).flatMap { lag in
      let promise = loop.makePromise(of: String.self)
      Self.queue.async { promise.succeed(page(lag)) }
      return promise.futureResult
    }
  }

  private func page(_ lag: RoomLag) -> String {
    let meters = services.meters
    var text = MetricsText()
    text.add(
      "ropewalk_build_info", .gauge, "The release, as a label.", label: "version",
      [(Relay.version, 1)])
    text.add(
      "ropewalk_uptime_seconds", .gauge, "How long the relay has been running.",
      MetricsText.seconds((services.now() - min(started, services.now())) * 1000))
    text.add(
      "ropewalk_connections", .gauge, "Connections that were upgraded and are open.",
      services.connections.count)
    text.add("ropewalk_sockets", .gauge, "Sockets that are open, upgraded or not.", admission.open)
    text.add("ropewalk_sockets_limit", .gauge, "The most sockets the relay takes.", admission.limit)
    text.add(
      "ropewalk_sockets_accepted_total", .counter, "Sockets that were accepted.",
      meters.sum { $0.accepted.current })
    text.add(
      "ropewalk_connections_greeted_total", .counter, "Connections whose token held.",
      meters.sum { $0.greeted.current })
    traffic(meters, &text)
    text.add("ropewalk_rooms", .gauge, "Rooms that are in memory.", directory.count)
    text.add("ropewalk_members", .gauge, "Memberships of connections in rooms.", lag.members)
    text.add(
      "ropewalk_members_behind", .gauge, "Members that have not been sent everything yet.", lag.behind)
    text.add(
      "ropewalk_lag_entries", .gauge, "Entries that the slowest member has not been sent yet.", lag.most)
    let commits = meters.commits.current
    text.add(
      "ropewalk_commit_seconds", "How long a transaction of the log took, fsync included.", commits.commits)
    text.add(
      "ropewalk_fsync_seconds", "How long the ends of these took: the write-ahead log written and synced.",
      commits.syncs)
    text.add(
      "ropewalk_commit_failures_total", .counter, "Transactions of the log that failed.", commits.failures)
    text.add(
      "ropewalk_refusals_total", .counter, "What was refused.", label: "reason",
      meters.refusals.map { ($0.reason.rawValue, $0.count) })
    text.add(
      "ropewalk_revocations", .gauge, "Tokens and subjects that are revoked.",
      services.credentials.revocationCount)
    text.add(
      "ropewalk_files_stale", .gauge,
      "1 where the files as they are now are not in force: they cannot be read, or lack revocations.",
      label: "what", ReloadedFiles.Name.allCases.map { ($0.rawValue, services.files.isStale($0) ? 1 : 0) })
    process(&text)
    return text.text
  }

  private func traffic(_ meters: Meters, _ text: inout MetricsText) {
    text.add(
      "ropewalk_messages_received_total", .counter, "Messages from clients.",
      meters.sum { $0.messagesIn.current })
    text.add(
      "ropewalk_bytes_received_total", .counter, "Bytes of those messages on the wire.",
      meters.sum { $0.bytesIn.current })
    text.add(
      "ropewalk_messages_sent_total", .counter, "Frames to clients.", meters.sum { $0.messagesOut.current })
    let (sent, plain) = (meters.sum { $0.bytesOut.current }, meters.sum { $0.plainBytesOut.current })
    text.add("ropewalk_bytes_sent_total", .counter, "Bytes of those frames on the wire.", sent)
    text.add(
      "ropewalk_plain_bytes_sent_total", .counter, "What those frames would be without compression.", plain)
    text.add(
      "ropewalk_compression_ratio", .gauge, "Plain bytes per byte sent, since the start.",
      sent == 0 ? 1 : Double(plain) / Double(sent))
  }

  private func process(_ text: inout MetricsText) {
    if let bytes = ProcessFigures.residentBytes {
      text.add("process_resident_memory_bytes", .gauge, "Memory in use.", bytes)
    }
    if let files = ProcessFigures.openFiles {
      text.add("process_open_fds", .gauge, "Open files and sockets.", files)
    }
    if let limit = ProcessFigures.fileLimit {
      text.add("process_max_fds", .gauge, "The most open files and sockets.", limit)
    }
  }
}
