import RopewalkCore
import RopewalkSync

/// Two replicas edit at once and merge; returns the merged length if both agree, else a negative number.
@_expose(wasm, "probe") @_cdecl("probe")
public func probe() -> Int32 {
  var first = TextDocument()
  first.replica = ReplicaID(rawValue: 1)
  first.insert("rope", at: 0)
  var second = TextDocument()
  second.replica = ReplicaID(rawValue: 2)
  do throws(ApplyError) {
    _ = try second.apply(first.update(since: second.versionVector))
    second.insert("walk", at: 4)
    first.insert("the", at: 0)
    _ = try first.apply(second.update(since: first.versionVector))
    _ = try second.apply(first.update(since: second.versionVector))
  } catch {
    return -1
  }
  do throws(FormatError) {
    let reopened = try TextDocument(snapshot: first.snapshot())
    guard first.utf8 == second.utf8, reopened.utf8 == first.utf8 else { return -2 }
  } catch {
    return -3
  }
  guard let past = first.text(at: Version()), past.utf8.isEmpty else { return -4 }
  return Int32(first.scalarCount)
}
