import RopewalkCore
import RopewalkSync

/// A text that one replica typed from its beginning, as events to be pushed or forged.
struct TypedText {
  let document: DocumentKey
  let replica: ReplicaID
  private let text: TextDocument

  init(_ text: String, in name: String, by replica: ReplicaID) {
    document = DocumentKey(name: DocumentName(name)!, lineage: .blank)
    self.replica = replica
    var document = TextDocument()
    document.replica = replica
    document.insert(text, at: 0)
    self.text = document
  }

  func header(_ seqs: Range<UInt32>) -> EntryHeader {
    EntryHeader(document: document, span: EventSpan(replica: replica, seqs: seqs))
  }

  func payload(_ seqs: Range<UInt32>) -> [UInt8] {
    text.update(of: EventSpan(replica: replica, seqs: seqs))?.bytes ?? []
  }
}
