import Foundation
import Testing

@testable import RopewalkPlainText

/// JSON is read as bytes, and nothing in it is lost.
@Suite struct JSONValueTests {
  private func read(_ text: String) throws -> JSONValue { try JSONValue(Array(text.utf8)) }

  @Test func namesThatAreCanonicallyEquivalentAreTwo() throws {
    let value = try read("{\"\u{e9}\": \"a\", \"e\u{301}\": \"b\", \"\\u0065\\u0302\": 1}")
    guard case .object(let members) = value else {
      Issue.record("no object")
      return
    }
    #expect(members.map(\.name) == [[0xc3, 0xa9], [0x65, 0xcc, 0x81], [0x65, 0xcc, 0x82]])
  }

  @Test(arguments: [
    ("{\"a\":1,\"a\":2}", "a JSON object names a member twice"),
    ("{\"a\":1,\"\\u0061\":2}", "a JSON object names a member twice"),
    ("[1] 2", "there is more after the JSON value"), ("\"\\ud800\"", "half a surrogate"),
    ("\"\\udc00\"", "half a surrogate"), ("\"\n\"", "control character"), ("\"\\x\"", "unknown escape"),
    ("\"a", "does not end"), ("01", "it is no JSON"), ("1.", "it is no JSON"), ("1e999", "it is no JSON"),
    ("nul", "it is no JSON"), ("", "it is no JSON"), ("{\"a\" 1}", "a colon"), ("[1 2]", "a comma"),
    (String(repeating: "[", count: 40), "nested too deeply"),
  ])
  func whatIsNoJSONIsRefused(_ text: String, _ reason: String) throws {
    do throws(JSONError) {
      _ = try JSONValue(Array(text.utf8))
      Issue.record("\(text) was taken")
    } catch { #expect(error.reason.contains(reason), "\(text): \(error.reason)") }
  }

  /// Whatever Foundation writes is read with the same meaning, and what is read is never more than it takes.
  @Test func randomValuesAreReadAsFoundationWroteThem() throws {
    let seed = testSeed()
    var random = SplitMix(seed)
    for _ in 0..<300 {
      let value = Self.value(4, &random)
      let data = try JSONSerialization.data(withJSONObject: [value], options: [.fragmentsAllowed])
      let mine = try JSONValue([UInt8](data))
      #expect(Self.isSame(mine, [value]), "seed \(seed): \(String(decoding: data, as: UTF8.self))")
      var damaged = [UInt8](data)
      damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      let isTaken = (try? JSONValue(damaged)) != nil
      if isTaken {
        let theirs = try? JSONSerialization.jsonObject(with: Data(damaged), options: [.fragmentsAllowed])
        #expect(theirs != nil, "seed \(seed): \(damaged)")
      }
    }
  }

  private static func value(_ depth: Int, _ random: inout SplitMix) -> Any {
    switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
    case 0: return Int.random(in: -1000...1000, using: &random)
    case 1: return Bool.random(using: &random)
    case 2: return NSNull()
    case 3: return ["", "a\"b\\", "é\u{1}\n", "👩\u{200d}💻", "/x"].randomElement(using: &random) ?? ""
    case 4: return (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth - 1, &random) }
    default:
      var members: [String: Any] = [:]
      for name in ["a", "b", "é"].prefix(Int.random(in: 0...3, using: &random)) {
        members[name] = value(depth - 1, &random)
      }
      return members
    }
  }

  private static func isSame(_ mine: JSONValue, _ theirs: Any) -> Bool {
    switch mine {
    case .null: return theirs is NSNull
    case .string(let bytes): return (theirs as? String).map { Array($0.utf8) == bytes } ?? false
    case .number(let number): return (theirs as? NSNumber)?.doubleValue == number
    case .boolean(let flag): return (theirs as? Bool) == flag
    case .array(let values):
      guard let others = theirs as? [Any], others.count == values.count else { return false }
      return zip(values, others).allSatisfy { isSame($0, $1) }
    case .object(let members):
      guard let others = theirs as? [String: Any], others.count == members.count else { return false }
      return members.allSatisfy { member in
        others[String(decoding: member.name, as: UTF8.self)].map { isSame(member.value, $0) } ?? false
      }
    }
  }
}
