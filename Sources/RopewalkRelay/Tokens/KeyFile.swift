import RopewalkPlainText

/// A file that should hold keys.
struct KeyFile {
  let path: String
  let content: [UInt8]

  init(path: String) throws(RelayError) {
    self.path = path
    do { content = try TextFile.content(of: path, isRegular: true) } catch {
      if error.problem == .isNoRegularFile { throw .keyFileDamaged(path: path, reason: error.reason) }
      throw .keyUnreadable(path: path)
    }
  }

  /// Its text, with what was read from it.
  ///
  /// - Throws: `RelayError.keyFileDamaged`, which calls what belongs elsewhere by its name.
  func reading<Value>(
    as place: KeyForm.Place, _ read: (TextFile) throws(TextFileError) -> Value
  ) throws(RelayError) -> Value {
    do { return try read(try TextFile(path: path, content: content)) } catch {
      guard let form = KeyForm(content) else {
        throw damaged((place == .keySet ? "it is not a JSON Web Key Set; " : "") + error.reason)
      }
      if !form.belongs(in: place) { throw damaged(form.refusal(in: place)) }
      throw damaged("it is \(form.name) that cannot be read: \(error.reason)")
    }
  }

  func damaged(_ reason: String) -> RelayError { .keyFileDamaged(path: path, reason: reason) }

  /// What is in it instead of what should be.
  func misplaced(as place: KeyForm.Place, damaged problem: String, otherwise reason: String) -> RelayError {
    guard let form = KeyForm(content) else { return damaged(reason) }
    guard form.belongs(in: place), form != .json else { return damaged(form.refusal(in: place)) }
    return damaged("it is \(form.name) that cannot be read: \(problem)")
  }
}
