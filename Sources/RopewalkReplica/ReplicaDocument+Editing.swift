import RopewalkCore

// Each call is one transaction, and durable when it returns.
extension ReplicaDocument {
  /// Inserts before scalar `index` (0 … the text's length in scalars).
  public func insert(_ text: String, at index: Int) throws(ReplicaError) {
    try replace(index..<index, with: text)
  }

  /// Deletes scalars.
  public func delete(_ range: Range<Int>) throws(ReplicaError) { try replace(range, with: "") }

  /// Deletes scalars and inserts in their place.
  public func replace(_ range: Range<Int>, with text: String) throws(ReplicaError) {
    try replica.write { transaction in
      if range.isEmpty, text.isEmpty {
        let count = try id(transaction).map { try transaction.loaded($0).document.scalarCount } ?? 0
        guard (0...count).contains(range.lowerBound) else {
          throw ReplicaError.outOfBounds(scalarCount: count)
        }
        return
      }
      try transaction.edit(try idMakingIt(transaction)) { try $0.replace(range, with: text) }
    }
  }

  /// Changes the document in one transaction with its outbox entry: any number of edits, and updates that
  /// were made elsewhere. Whatever events are new afterwards are pushed to the relay.
  ///
  /// ```swift
  /// try notes.edit { text in
  ///   try text.delete(0..<5)
  ///   try text.insert("Good morning", at: 0)
  /// }
  /// ```
  ///
  /// An edit that does nothing to a document that is not there does not make it.
  ///
  /// - Parameter localValues: stored in the same transaction (see `localValue`); nil removes.
  /// - Parameter body: edits what it is given, and nothing else: the replica cannot be used meanwhile, by this
  ///   thread (its calls throw `insideEdit`) or by others (they wait). If it throws, nothing has happened, and
  ///   this throws the same.
  public func edit<Result>(
    localValues: [String: [UInt8]?] = [:], _ body: (inout TextEdit) throws -> Result
  ) throws -> Result {
    try edit(localValues: localValues, in: nil, body)
  }

  /// As `edit`, for what was made from an earlier reading (`readWithGeneration`).
  ///
  /// - Parameter generation: throws `RewrittenDocument`, and changes nothing, if the document has another one
  ///   now.
  package func edit<Result>(
    localValues: [String: [UInt8]?] = [:], in generation: Int64?,
    _ body: (inout TextEdit) throws -> Result
  ) throws -> Result {
    var unchanged: Result?
    do {
      return try replica.perform(.durable) { transaction in
        let isNew = try id(transaction) == nil
        let id = try idMakingIt(transaction)
        if let generation, try transaction.loaded(id).generation != generation {
          throw CallersError(error: RewrittenDocument())
        }
        for (key, value) in localValues { try transaction.setLocalValue(value, for: key, of: id) }
        let result = try transaction.edit(id) { text in
          do { return try body(&text) } catch { throw CallersError(error: error) }
        }
        if isNew, localValues.values.allSatisfy({ $0 == nil }),
          try transaction.loaded(id).document.isUntouched
        {
          unchanged = result
          throw NothingDone()
        }
        return result
      }
    } catch let error as CallersError {
      throw error.error
    } catch {
      if error is NothingDone, let unchanged { return unchanged }
      throw ReplicaError(error)
    }
  }

  /// Rolls back a transaction that would have made a document and nothing in it.
  private struct NothingDone: Error {}

  /// What the caller's closure threw, on its way out.
  private struct CallersError: Error {
    let error: any Error
  }

  // MARK: Local values

  /// A small value that an application keeps beside the document in this file only.
  ///
  /// A key that begins with `moment.` is for a value that starts with version vectors: a varint count, then for each
  /// a varint length and `VersionVector.encoded`. When events of the document are given another replica id, because
  /// somebody else has used theirs, these vectors are rewritten with them.
  public func localValue(_ key: String) throws(ReplicaError) -> [UInt8]? {
    try replica.read { transaction in
      try id(transaction).flatMap { try transaction.localValue(key, of: $0) }
    }
  }

  /// Sets a local value; nil removes it. A transaction of its own: see also `edit(localValues:)`.
  public func setLocalValue(_ value: [UInt8]?, for key: String) throws(ReplicaError) {
    try replica.write { try $0.setLocalValue(value, for: key, of: try idMakingIt($0)) }
  }
}

/// The document's events were given other ids, or taken out, since it was read.
package struct RewrittenDocument: Error {}

extension TextDocument {
  /// Whether it knows nothing, and nothing waits in it.
  fileprivate var isUntouched: Bool { eventCount == 0 && pendingEventCount == 0 }
}
