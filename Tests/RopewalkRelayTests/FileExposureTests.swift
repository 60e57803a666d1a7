import Foundation
import Testing

@testable import RopewalkRelay

/// Warns when other users can read a secret, or write a trusted file.
@Suite struct FileExposureTests {
  private static let secret = "yz4McpGQXG-_g6SpNYjQ8m3QBTCeic__XJxsvaMQBWs"

  @Test(
    arguments: [
      (0o600, nil, nil), (0o640, nil, nil), (0o604, "Everybody on this machine may read", nil),
      (0o620, nil, "Others than its owner may write"), (0o602, nil, "Others than its owner may write"),
      (0o666, "Everybody on this machine may read", "Others than its owner may write"),
    ] as [(UInt16, String?, String?)])
  func whatOthersMayDoIsTold(_ mode: UInt16, _ reading: String?, _ writing: String?) async throws {
    let privateKey = try #require(RelayKey.generate(.es256).privateText)
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for content in [Self.secret, privateKey] {
        let file = path + "/key"
        try Data(content.utf8).write(to: URL(fileURLWithPath: file))
        #expect(chmod(file, mode_t(mode)) == 0)
        let told = FileExposure.sentences(secrets: [file], trusted: [file])
        #expect(told.count == [reading, writing].compactMap { $0 }.count)
        for (sentence, beginning) in zip(told, [reading, writing].compactMap { $0 }) {
          #expect(sentence.hasPrefix(beginning) && sentence.contains(file))
        }
      }
    }
  }

  @Test func aPublicKeyIsNoSecret() async throws {
    try await withDirectory { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let file = path + "/key"
      let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQ==\n-----END PUBLIC KEY-----\n"
      try Data(pem.utf8).write(to: URL(fileURLWithPath: file))
      #expect(chmod(file, 0o644) == 0)
      #expect(FileExposure.sentences(secrets: [file], trusted: [file]) == [])
    }
  }
}
