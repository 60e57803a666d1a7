/// All events of a text document: the graph and what the events did.
struct TextHistory: Sendable {
  var graph = EventGraph()
  var log = OperationLog()
  /// Some event's index was beyond the text that its author saw. Such an event is void or clamped
  /// (`Spec/merge-order.md`); then a partial replay must begin at the beginning, since only there the
  /// length of the text is certain.
  var isIrregular = false
}
