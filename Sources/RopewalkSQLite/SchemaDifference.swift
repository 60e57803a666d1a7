/// Why a database is not one that this package has made: the first thing that was found.
package enum SchemaDifference: Error, Hashable, Sendable, CustomStringConvertible {
  /// A table, index, view or trigger that does not belong there.
  case foreign(String)
  /// One of ours that was made otherwise.
  case altered(String, name: String)
  /// One of ours that is not there.
  case missing(String, name: String)

  /// A sentence without the file's content, to follow "the file is damaged:".
  package var description: String {
    switch self {
    case .foreign(let kind): "there is a \(kind) that does not belong there"
    case .altered(let kind, let name): "the \(kind) \(name) is defined otherwise"
    case .missing(let kind, let name): "the \(kind) \(name) is missing"
    }
  }
}
