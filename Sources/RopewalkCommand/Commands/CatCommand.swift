import ArgumentParser
import Ropewalk

/// Prints a document.
struct CatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat", abstract: "Print a document's text, byte for byte.",
    discussion: """
      Where documents that began with different texts have one name, it is the one that the name means here; --lineage \
      prints another one.
      """)

  @OptionGroup var replica: ReplicaArgument
  @OptionGroup var document: DocumentOptions

  func run() throws {
    Console.standard.raw(try document.find(in: replica.open()).read().utf8)
  }
}
