import Logging

/// Reads files anew when they change, or when asked to. What cannot be read leaves the old in force.
actor Reloader {
  /// Some files that belong together.
  struct Item: Sendable {
    /// For logs: "keys", "revocations", "certificate".
    let name: String
    let paths: [String]
    /// Reads the files and puts what they hold in force.
    let load: @Sendable () async throws(RelayError) -> Void
  }

  private struct Watched {
    let item: Item
    var signatures: [FileSignature?]
  }

  private var watched: [Watched]
  private let services: RelayServices

  /// The items have just been loaded.
  init(_ items: [Item], services: RelayServices) {
    watched = items.map { Watched(item: $0, signatures: $0.paths.map { FileSignature($0) }) }
    self.services = services
  }

  /// Reads what has changed, or everything.
  func reload(all: Bool) async {
    for index in watched.indices {
      let item = watched[index].item
      let signatures = item.paths.map { FileSignature($0) }
      guard all || signatures != watched[index].signatures else { continue }
      watched[index].signatures = signatures
      var record = AuditRecord(time: services.now(), act: .reloaded)
      record.detail = item.name
      do {
        try await item.load()
        services.logger.notice("Files were read anew.", metadata: ["what": "\(item.name)"])
      } catch {
        record.act = .reloadFailed
        services.logger.error(
          "Files could not be read; the old ones stay in force.",
          metadata: ["what": "\(item.name)", "reason": "\(error)"])
      }
      services.audit.record(record)
    }
  }
}
