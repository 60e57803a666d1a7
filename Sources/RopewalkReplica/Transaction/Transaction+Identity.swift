import Foundation
import GRDB
import RopewalkCore
import RopewalkSync

extension Transaction {
  /// By what a relay at this address knows the file again.
  func identity(at address: String) throws -> [UInt8] {
    if let known = try knownIdentity(at: address) { return known }
    var generator = SystemRandomNumberGenerator()
    let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    try db.run("INSERT INTO identity (id, secret) VALUES (1, ?)", [Data(secret)])
    return Self.identity(secret, address)
  }

  /// Nil if the file has never needed one.
  func knownIdentity(at address: String) throws -> [UInt8]? {
    try db.row("SELECT secret FROM identity").map { Self.identity(try $0.bytes(0), address) }
  }

  /// A relay that learns it must not be able to use it elsewhere.
  private static func identity(_ secret: [UInt8], _ address: String) -> [UInt8] {
    PayloadHash(of: secret + Array(address.utf8)).bytes
  }
}
