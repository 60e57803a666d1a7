import Foundation
import Testing

/// Recorded data that is not part of the repository.
enum SharedData {
  /// The `shared` folder beside the package, if there is one.
  static let folder: String? = {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = package.deletingLastPathComponent().appendingPathComponent("shared").path
    return FileManager.default.fileExists(atPath: folder + "/traces") ? folder : nil
  }()

  static let isThere = folder != nil

  static let howToGet: Comment = """
    no recorded traces in ../shared/traces: get them from https://github.com/josephg/editing-traces \
    (and the merge-order cases from https://github.com/josephg/eg-walker-reference)
    """
}
