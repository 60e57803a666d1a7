import Foundation

/// Everything in a folder, to the byte: what is refused is left as it is.
public struct FolderContent: Equatable, CustomStringConvertible {
  private let files: [String: Data]

  /// - Parameter without: the ends of names that do not count.
  public init(_ path: String, without suffixes: [String] = []) throws {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      if suffixes.contains(where: { name.hasSuffix($0) }) { continue }
      files[name] = FileManager.default.contents(atPath: path + "/" + name) ?? Data()
    }
    self.files = files
  }

  /// The names, and how large each file is.
  public var description: String {
    files.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.count)" }.joined(separator: ", ")
  }
}
