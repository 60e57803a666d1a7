import Foundation
import Testing

@testable import RopewalkCommand

@Suite struct FilePlaceTests {
  @Test(arguments: [
    ("notes.md", "/home/me", "notes.md"), ("/notes.md", "/", "notes.md"), ("a/b/c", "/home/me/a/b", "c"),
    ("a//b///", "/home/me/a", "b"), ("../x", "/home/me/..", "x"), ("-rf", "/home/me", "-rf"),
    (" a b ", "/home/me", " a b "), ("a\nb", "/home/me", "a\nb"), ("%41", "/home/me", "%41"),
    ("e\u{301}", "/home/me", "e\u{301}"), ("~", "/home/me", "~"),
  ]) func aNameIsItsBytes(path: String, folder: String, name: String) {
    let place = FilePlace(path, in: "/home/me")
    #expect(place.folder == folder)
    #expect(place.name.utf8.elementsEqual(name.utf8))
  }

  @Test(arguments: ["", ".", "..", "a/..", "/"]) func whatNamesNoFileIsRefused(path: String) {
    #expect(throws: Failure.self) { try FilePlace.named(path) }
  }

  @Test func theFilesBesideALongNameHaveNamesThatFit() throws {
    for letter in ["x", "é", "世", "😀"] {
      let count = 255 / letter.utf8.count
      let name = String(repeating: letter, count: count)
      let place = FilePlace(folder: "/", name: name)
      let other = FilePlace(folder: "/", name: String(name.dropLast()) + (letter == "x" ? "y" : ""))
      for suffix in [".ropewalk-new", ".ropewalk-lock", ".ropewalk"] {
        let beside = place.beside(suffix, room: 8)
        #expect(beside.name.utf8.count <= 255 - 8)
        #expect(beside.name.hasPrefix("." + letter) && beside.name.hasSuffix(suffix))
        #expect(beside != other.beside(suffix, room: 8))
      }
    }
    #expect(FilePlace(folder: "/", name: "a").beside(".ropewalk").path == "/.a.ropewalk")
  }

  @Test func linksAreFollowedToTheirEnd() throws {
    let folder = try TestFolder()
    try FileManager.default.createDirectory(atPath: folder["sub"], withIntermediateDirectories: false)
    symlink("sub/middle", folder["first"])
    symlink("../last", folder["sub/middle"])
    let chain = try FilePlace(folder["first"], in: "/").followed()
    #expect(chain.map(\.path) == [folder["first"], folder["sub/middle"], folder["sub/../last"]])
  }

  @Test func linksThatLeadBackToThemselvesAreRefused() throws {
    let folder = try TestFolder()
    symlink("b", folder["a"])
    symlink("a", folder["b"])
    let failure = #expect(throws: Failure.self) { try FilePlace(folder["a"], in: "/").followed() }
    #expect(failure?.message.contains("symbolic link that leads back to itself") == true)
  }

  @Test func namesAreShownOnOneLine() {
    #expect(FilePlace.shown("a\nb\u{1b}[2J\u{7f}é") == "a\\u{a}b\\u{1b}[2J\\u{7f}é")
  }
}
