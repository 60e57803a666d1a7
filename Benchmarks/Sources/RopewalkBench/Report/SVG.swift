import Foundation

/// A drawing, element by element.
struct SVG {
  let width: Double
  let height: Double
  private var elements: [String] = []

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String, width: Double = 1)
  {
    elements.append(
      #"<line x1="\#(fixed(x1))" y1="\#(fixed(y1))" x2="\#(fixed(x2))" y2="\#(fixed(y2))" stroke="\#(color)" "#
        + #"stroke-width="\#(fixed(width))"/>"#)
  }

  mutating func polyline(_ points: [(x: Double, y: Double)], color: String, dashed: Bool) {
    let path = points.map { "\(fixed($0.x)),\(fixed($0.y))" }.joined(separator: " ")
    elements.append(
      #"<polyline points="\#(path)" fill="none" stroke="\#(color)" stroke-width="2""#
        + (dashed ? #" stroke-dasharray="5 4"/>"# : "/>"))
  }

  mutating func circle(_ x: Double, _ y: Double, color: String) {
    elements.append(#"<circle cx="\#(fixed(x))" cy="\#(fixed(y))" r="3" fill="\#(color)"/>"#)
  }

  mutating func bar(_ x: Double, _ y: Double, _ width: Double, _ height: Double, color: String) {
    elements.append(
      #"<rect x="\#(fixed(x))" y="\#(fixed(y))" width="\#(fixed(width))" height="\#(fixed(height))" "#
        + #"fill="\#(color)"/>"#)
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 12, anchor: String = "start",
    color: String = "#24292f", bold: Bool = false
  ) {
    let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
      of: "<", with: "&lt;")
    elements.append(
      #"<text x="\#(fixed(x))" y="\#(fixed(y))" font-size="\#(fixed(size))" text-anchor="\#(anchor)" "#
        + #"fill="\#(color)"\#(bold ? #" font-weight="600""# : "")>\#(escaped)</text>"#)
  }

  /// The file's text; white behind all, so that it reads on a dark page too.
  var document: String {
    let size =
      #"width="\#(fixed(width))" height="\#(fixed(height))" viewBox="0 0 \#(fixed(width)) \#(fixed(height))""#
    return
      ([
        #"<svg xmlns="http://www.w3.org/2000/svg" \#(size) font-family="system-ui, sans-serif">"#,
        ##"<rect width="100%" height="100%" fill="#ffffff"/>"##,
      ] + elements + ["</svg>", ""]).joined(separator: "\n")
  }

  private func fixed(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
