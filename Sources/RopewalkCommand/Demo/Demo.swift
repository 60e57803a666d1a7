import Foundation
import Logging
import RopewalkRelay

/// Two people, a relay on this machine, and what happens between them, step by step.
struct Demo {
  let folder: String
  let console: Console
  /// The pause after each step.
  let pause: Duration
  private let quiet = Logger(label: "ropewalk.demo") { _ in SwiftLogNoOpLogHandler() }

  func run() async throws {
    var relay = try await startRelay(port: 0)
    await step("A relay starts on this machine: \(relay.url)")
    let ada = try await DemoPerson("Ada", folder: folder, relay: relay.url)
    let ben = try await DemoPerson("Ben", folder: folder, relay: relay.url)

    try ada.document.insert("The fox jumps over the dog.\n", at: 0)
    try await meet(ada, ben)
    await step("Ada writes, and Ben has it:", try text(ben))

    await ada.client.disconnect()
    await ben.client.disconnect()
    try ada.write("quick brown ", before: "fox")
    try ben.replace("the dog", with: "the lazy dog 🐕")
    try ben.write("Once upon a time.\n", before: "The")
    await step(
      "Both go offline and edit at the same time.", "Ada sees  \(try text(ada))",
      "Ben sees  \(try text(ben))",
      try ada.receipt(), try ben.receipt())

    await ada.client.connect()
    await ben.client.connect()
    try await meet(ada, ben)
    await step(
      "Both are back. Neither edit is lost, and no one had to choose:", "Ada sees  \(try text(ada))",
      "Ben sees  \(try text(ben))", try ada.receipt(), try ben.receipt())

    let port = relay.port
    await relay.stop()
    try? FileManager.default.removeItem(atPath: "\(folder)/relay")
    relay = try await startRelay(port: port)
    try await meet(ada, ben)
    let cleo = try await DemoPerson("Cleo", folder: folder, relay: relay.url)
    try await cleo.client.sync(attempts: 20)
    await step(
      "The relay loses its disk. Ada and Ben fill it again, and Cleo, who is new, gets all from it:",
      "Cleo sees \(try text(cleo))")

    let texts = Set([try ada.document.text, try ben.document.text, try cleo.document.text])
    for person in [ada, ben, cleo] { try await person.close() }
    await relay.stop()
    guard texts.count == 1 else { throw Failure(.checkFailed, "the texts differ; this should never happen") }
    console.line("")
    console.line("Three replicas, one text. Try it with your own file: ropewalk serve --data relay &")
    console.line("                                    ropewalk mirror notes.md --room team")
  }

  private func startRelay(port: Int) async throws -> Relay {
    try await Relay.start(
      Relay.Configuration(dataDirectory: "\(folder)/relay", port: port, threads: 1, grace: 100), logger: quiet
    )
  }

  /// Lets both exchange until both have everything.
  private func meet(_ a: DemoPerson, _ b: DemoPerson) async throws {
    for person in [a, b] { try await person.client.sync(attempts: 20) }
    try await a.receive(from: b)
    try await b.receive(from: a)
  }

  private func text(_ person: DemoPerson) throws -> String {
    try person.document.text.split(separator: "\n").joined(separator: " / ")
  }

  private func step(_ title: String, _ lines: String...) async {
    console.line("")
    console.line("• \(title)")
    for line in lines { console.line("    \(line)") }
    if pause > .zero { try? await Task.sleep(for: pause) }
  }
}
