extension Trace {
  /// Reads a `.json` or `.json.zst` file.
  public init(path: String, maximumBytes: Int = TraceFile.standardLimit) throws(TraceError) {
    let bytes = try TraceFile.read(path: path, maximumBytes: maximumBytes)
    do {
      try self.init(json: bytes)
    } catch {
      throw TraceError(error.reason, at: error.place.isEmpty ? path : "\(path): \(error.place)")
    }
  }

  /// Reads JSON. Fields that the format does not name are ignored.
  public init(json bytes: [UInt8]) throws(TraceError) {
    if TraceError.firstByte(of: bytes) == UInt8(ascii: "[") {
      throw TraceError(.otherKind(found: "a list, as conformance files are", expected: "a trace"))
    }
    let file = try TraceError.decoding(TraceJSON.self, from: bytes)
    switch file.kind {
    case nil, "sequential":
      // Each transaction follows the one before it.
      try self.init(
        kind: .sequential, startText: file.startContent ?? "", endText: file.endContent, agentCount: 1,
        transactions: file.txns.enumerated().map { index, transaction in
          Transaction(agent: 0, parents: index == 0 ? [] : [index - 1], patches: transaction.patches)
        })
    case "concurrent":
      var transactions: [Transaction] = []
      transactions.reserveCapacity(file.txns.count)
      for (index, transaction) in file.txns.enumerated() {
        guard let agent = transaction.agent else {
          throw TraceError(.missing, at: "txns[\(index)].agent")
        }
        guard let parents = transaction.parents else {
          throw TraceError(.missing, at: "txns[\(index)].parents")
        }
        transactions.append(Transaction(agent: agent, parents: parents, patches: transaction.patches))
      }
      guard let agentCount = file.numAgents else { throw TraceError(.missing, at: "numAgents") }
      guard (file.startContent ?? "").isEmpty else {
        throw TraceError(.badValue("must be empty in a concurrent trace"), at: "startContent")
      }
      try self.init(
        kind: .concurrent, endText: file.endContent, agentCount: agentCount, transactions: transactions)
    case .some:
      throw TraceError(.badValue("must be sequential or concurrent"), at: "kind")
    }
  }
}

/// The file as it is written.
private struct TraceJSON: Decodable {
  struct Transaction: Decodable {
    let agent: Int?
    let parents: [Int]?
    let patches: [TracePatch]
  }
  let kind: String?
  let startContent: String?
  let endContent: String
  let numAgents: Int?
  let txns: [Transaction]
}
