/// A change between two sequences: what stands at `old` in one stands at `new` in the other. One of the ranges may
/// be empty, not both.
struct Edit: Hashable {
  var old: Range<Int>
  var new: Range<Int>

  init(old: Range<Int>, new: Range<Int>) {
    self.old = old
    self.new = new
  }

  /// Scalars (or lines) deleted and inserted.
  var cost: Int { old.count + new.count }

  func shifted(old oldOffset: Int, new newOffset: Int) -> Edit {
    Edit(
      old: old.lowerBound + oldOffset..<old.upperBound + oldOffset,
      new: new.lowerBound + newOffset..<new.upperBound + newOffset)
  }
}
