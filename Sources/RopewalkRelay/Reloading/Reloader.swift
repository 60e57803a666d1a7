import Logging

/// Reads files anew when they change, or when asked to. What cannot be read leaves the old in force.
///
/// A file that was replaced (by rename) is whole and is read at once. One that is written in place may be half
/// written: it is read when it is the same at two looks in a row.
actor Reloader {
  /// Why files are read.
  enum Occasion: Sendable {
    case start
    /// By an operator: SIGHUP.
    case asked
    /// The files are other ones than before.
    case replaced
    /// A file was written in place, or is gone.
    case rewritten
  }

  /// Some files that belong together.
  struct Item: Sendable {
    let name: ReloadedFiles.Name
    let paths: [String]
    /// Reads the files and puts what they hold in force. Returns how much of what was in force the files
    /// lack, and stays in force.
    let load: @Sendable (Occasion) async throws(RelayError) -> Int
  }

  private struct Watched {
    let item: Item
    var signatures: [FileSignature?]
    /// What a file was at the last look, that was being written then.
    var unsettled: [FileSignature?]?
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
      let signatures = watched[index].item.paths.map { FileSignature($0) }
      guard let occasion = all ? .asked : occasion(index, signatures) else { continue }
      watched[index].signatures = signatures
      watched[index].unsettled = nil
      await load(watched[index].item, occasion)
    }
  }

  private func occasion(_ index: Int, _ signatures: [FileSignature?]) -> Occasion? {
    let old = watched[index].signatures
    guard signatures != old else {
      watched[index].unsettled = nil
      return nil
    }
    let isReplaced = zip(old, signatures).allSatisfy { old, new in
      old == new || new.map { old?.isSameFile(as: $0) != true } ?? false
    }
    if isReplaced { return .replaced }
    if watched[index].unsettled == signatures { return .rewritten }
    watched[index].unsettled = signatures
    return nil
  }

  private func load(_ item: Item, _ occasion: Occasion) async {
    var record = AuditRecord(time: services.now(), act: .reloaded)
    record.detail = item.name.rawValue
    do {
      let kept = try await item.load(occasion)
      services.files.note(item.name, isStale: kept > 0)
      if kept > 0 {
        record.act = .reloadFailed
        record.count = UInt64(kept)
        services.logger.error(
          "A file that was written in place lacks what was in force, which stays; SIGHUP takes it as it is.",
          metadata: ["what": "\(item.name)", "count": "\(kept)"])
      } else {
        services.logger.notice("Files were read anew.", metadata: ["what": "\(item.name)"])
      }
    } catch {
      record.act = .reloadFailed
      services.files.note(item.name, isStale: true)
      services.logger.error(
        "Files could not be read; the old ones stay in force.",
        metadata: ["what": "\(item.name)", "reason": "\(error)"])
    }
    services.audit.record(record)
  }
}
