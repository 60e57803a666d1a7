import Foundation
import RopewalkZstd

/// The bytes of a trace or conformance file, decompressed.
public enum TraceFile {
  /// The largest content read unless told otherwise: 1 GiB.
  public static let standardLimit = 1 << 30

  /// Reads a `.json` or `.json.zst` file. What counts is the zstd magic at the start, not the name.
  ///
  /// - Parameter maximumBytes: the largest content accepted, after decompression.
  public static func read(path: String, maximumBytes: Int = standardLimit) throws(TraceError) -> [UInt8] {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      var isFolder: ObjCBool = false
      let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let code = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      let words = isFolder.boolValue ? "it is a folder" : isThere ? "permission denied" : "no such file"
      throw TraceError(.unreadable(code?.localizedDescription ?? words), at: path)
    }
    return try unpack([UInt8](data), name: path, maximumBytes: maximumBytes)
  }

  /// Decompresses if the bytes are a zstd frame, else returns them as they are.
  public static func unpack(
    _ bytes: [UInt8], name: String = "", maximumBytes: Int = standardLimit
  ) throws(TraceError) -> [UInt8] {
    guard bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) else {
      guard bytes.count <= maximumBytes else { throw TraceError(.tooLarge(limit: maximumBytes), at: name) }
      return bytes
    }
    do {
      return try Zstd.decompress(bytes, maximumBytes: maximumBytes)
    } catch {
      throw TraceError(error.code == .overLimit ? .tooLarge(limit: maximumBytes) : .badCompression, at: name)
    }
  }
}
