/// What a key or certificate is saved as.
///
/// Public keys are everywhere. A relay that took the bytes of one for a secret would let everybody sign who has the
/// file, so whatever can be recognised as a key is never a secret, and a file in the wrong place is called by its name.
indirect enum KeyForm: Hashable, Sendable {
  /// What is in it.
  enum Content: Hashable, Sendable { case publicKey, privateKey, certificate, other }
  /// Where keys are expected.
  enum Place: Hashable, Sendable { case secret, keyFile, keySet }

  /// Text between lines of dashes.
  case pem(Content)
  /// ASN.1, as bytes or as base64 without the lines that make it PEM.
  case der(Content)
  /// A point of the curve P-256 by itself.
  case point
  /// A key of SSH.
  case ssh(Content)
  /// A key of OpenPGP.
  case pgp
  /// A JSON Web Key Set.
  case keySet
  /// A JSON Web Key that is in no set.
  case webKey
  /// Other JSON, or what was meant to be JSON.
  case json
  /// A JSON Web Token.
  case token
  /// A key or certificate that can be read, and that no token is checked by.
  case unusable(KeyForm, Obstacle)

  /// Whether it is what belongs there.
  func belongs(in place: Place) -> Bool {
    switch (self, place) {
    case (.pem, .keyFile), (.keySet, .keySet), (.json, .keySet): true
    default: false
    }
  }

  /// Why it cannot be taken there, and where it belongs.
  func refusal(in place: Place) -> String {
    if case .unusable = self, place == .keyFile { return "it is \(name)" + (advice.map { "; \($0)" } ?? "") }
    let wanted =
      switch place {
      case .secret: "not a secret"
      case .keyFile: "not a PEM key"
      case .keySet: "not a JSON Web Key Set"
      }
    return "it is \(name), \(wanted)" + (advice.map { "; \($0)" } ?? "")
  }

  /// As in "it is …".
  var name: String {
    switch self {
    case .pem(let content): "\(Self.name(of: content)) (PEM)"
    case .der(let content): "\(Self.name(of: content)) (DER)"
    case .point: "a public key (a point of P-256)"
    case .ssh(let content): "\(Self.name(of: content)) of SSH"
    case .pgp: "a key of OpenPGP"
    case .keySet: "a JSON Web Key Set"
    case .webKey: "a JSON Web Key without a set"
    case .json: "JSON"
    case .token: "a token"
    case .unusable(.pem(let content), let obstacle): "\(Self.name(of: content, obstacle)) (PEM)"
    case .unusable(.der(let content), let obstacle): "\(Self.name(of: content, obstacle)) (DER)"
    case .unusable(let form, _): form.name
    }
  }

  private static func name(of content: Content) -> String {
    switch content {
    case .publicKey: "a public key"
    case .privateKey: "a private key"
    case .certificate: "a certificate"
    case .other: "a key or certificate"
    }
  }

  private static func name(of content: Content, _ obstacle: Obstacle) -> String {
    switch (content, obstacle) {
    case (_, .passphrase): "\(name(of: content)) with a passphrase"
    case (.certificate, .algorithm(let algorithm)): "a certificate of a key of \(algorithm)"
    case (_, .algorithm(let algorithm)): "\(name(of: content)) of \(algorithm)"
    }
  }

  private var advice: String? {
    switch self {
    case .unusable(_, .algorithm):
      "tokens are signed with keys of P-256 or Ed25519, which 'ropewalk keys new' makes"
    case .unusable(_, .passphrase): "'openssl pkey -in FILE -out NEW' writes it without one"
    case .pem(.publicKey), .pem(.privateKey): "it belongs into key-file"
    case .pem(.certificate):
      "'openssl x509 -pubkey -noout -in FILE' takes the public key out of it, for key-file"
    case .der(.certificate):
      "'openssl x509 -inform DER -pubkey -noout -in FILE' takes the public key out of it, for key-file"
    case .der(.publicKey): "'openssl pkey -pubin -inform DER -in FILE' writes it as PEM, for key-file"
    case .der(.privateKey): "'openssl pkey -inform DER -in FILE' writes it as PEM, for key-file"
    case .keySet: "it belongs into jwks-file"
    case .webKey:
      "{\"keys\": […]} around a public key makes a set, for jwks-file; of a secret, k alone is the secret"
    case .ssh, .pgp, .point: "'ropewalk keys new' makes keys that tokens can be signed with"
    case .pem(.other), .der(.other), .json, .token: nil
    }
  }
}
