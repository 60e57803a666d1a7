/// Why an update could not be applied. The document is unchanged.
public enum ApplyError: Error, Hashable, Sendable {
  /// The bytes are not a well-formed update.
  case malformed(FormatError)
  /// The update belongs to a document that began otherwise.
  case lineageMismatch(expected: Lineage, found: Lineage)
  /// The document knows this event with other content: an id was used twice.
  case idClash(EventID)
  /// The document would reach 2³¹ events or 1 GiB of text ever inserted.
  case tooLarge
}
