import Foundation

/// Who may read and write a file: its mode and owner. What only its owner may read stays so, in whatever is
/// written in its place or beside it.
struct FileAccess: Equatable, Sendable {
  private let mode: mode_t
  private let user: uid_t
  private let group: gid_t

  /// That of a file; nil if it is not there.
  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (mode, user, group) = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
  }

  /// What `encoded` gave; nil if it is something else.
  init?(_ encoded: [UInt8]) {
    let fields = String(decoding: encoded, as: UTF8.self).split(separator: " ")
    guard fields.count == 3, let mode = mode_t(fields[0], radix: 8), mode <= 0o7777,
      let user = uid_t(fields[1]), let group = gid_t(fields[2])
    else { return nil }
    (self.mode, self.user, self.group) = (mode, user, group)
  }

  /// To be kept in the replica: `640 1000 1000`.
  var encoded: [UInt8] { Array("\(String(mode, radix: 8)) \(user) \(group)".utf8) }

  /// Gives another file the same, as far as this process may.
  func give(to descriptor: Int32) {
    fchown(descriptor, user, group)
    fchmod(descriptor, mode)
  }
}
