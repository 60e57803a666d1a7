extension ConformanceCase {
  /// Reads a `.json` or `.json.zst` file of cases.
  public static func read(
    path: String, maximumBytes: Int = TraceFile.standardLimit
  ) throws(TraceError) -> [ConformanceCase] {
    let bytes = try TraceFile.read(path: path, maximumBytes: maximumBytes)
    do {
      return try read(json: bytes)
    } catch {
      throw TraceError(error.reason, at: error.place.isEmpty ? path : "\(path): \(error.place)")
    }
  }

  /// Reads the JSON of a list of cases.
  public static func read(json bytes: [UInt8]) throws(TraceError) -> [ConformanceCase] {
    if TraceError.firstByte(of: bytes) == UInt8(ascii: "{") {
      throw TraceError(.otherKind(found: "an object, as traces are", expected: "a list of cases"))
    }
    let file = try TraceError.decoding([CaseJSON].self, from: bytes)
    var cases: [ConformanceCase] = []
    cases.reserveCapacity(file.count)
    for (index, item) in file.enumerated() {
      do {
        cases.append(
          try ConformanceCase(transactions: item.txns.map(\.transaction), endText: item.endContent))
      } catch {
        throw TraceError(error.reason, at: "[\(index)].\(error.place)")
      }
    }
    return cases
  }
}

/// A case as it is written.
private struct CaseJSON: Decodable {
  let txns: [TransactionJSON]
  let endContent: String
}

private struct TransactionJSON: Decodable {
  let transaction: ConformanceCase.Transaction

  private enum Field: String, CodingKey { case span, parents, agent, seqStart, ops }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Field.self)
    let span = try fields.decode([Int].self, forKey: .span)
    guard span.count == 2, span[0] >= 0, span[0] <= span[1] else {
      throw BrokenRule(path: decoder.codingPath + [Field.span], rule: "must be [start, end)")
    }
    transaction = ConformanceCase.Transaction(
      span: span[0]..<span[1], parents: try fields.decode([Int].self, forKey: .parents),
      agent: try fields.decode(String.self, forKey: .agent),
      seqStart: try fields.decode(Int.self, forKey: .seqStart),
      patches: try fields.decode([TracePatch].self, forKey: .ops))
  }
}
