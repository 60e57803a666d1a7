/// Lines on two logarithmic axes, on which n² is steeper than n.
struct LinePlot {
  struct Line {
    let name: String
    let color: String
    var isDashed = false
    let points: [(x: Double, y: Double)]
  }

  let title: String
  let xTitle: String
  let yTitle: String
  let lines: [Line]

  var svg: String {
    var svg = SVG(width: 760, height: 440)
    let (left, right, top, bottom) = (70.0, 560.0, 50.0, 380.0)
    let x = LogScale(lines.flatMap { $0.points.map(\.x) }, from: left, to: right)
    let y = LogScale(lines.flatMap { $0.points.map(\.y) }, from: bottom, to: top)
    svg.text(title, 20, 26, size: 15, bold: true)
    for tick in x.ticks {
      svg.line(x.place(tick), top, x.place(tick), bottom, color: "#e4e7eb")
      svg.text(LogScale.label(tick), x.place(tick), bottom + 18, anchor: "middle", color: "#57606a")
    }
    for tick in y.ticks {
      svg.line(left, y.place(tick), right, y.place(tick), color: "#e4e7eb")
      svg.text(LogScale.label(tick), left - 8, y.place(tick) + 4, anchor: "end", color: "#57606a")
    }
    svg.text(xTitle, (left + right) / 2, bottom + 40, anchor: "middle", color: "#57606a")
    svg.text(yTitle, left - 8, top - 10, size: 11, color: "#57606a")
    for line in lines {
      let points = line.points.map { (x: x.place($0.x), y: y.place($0.y)) }
      svg.polyline(points, color: line.color, dashed: line.isDashed)
      for point in points { svg.circle(point.x, point.y, color: line.color) }
    }
    label(&svg, y, right)
    return svg.document
  }

  /// Names stand in a column at the right, in the order in which the lines end, top to bottom.
  private func label(_ svg: inout SVG, _ y: LogScale, _ right: Double) {
    let sorted = lines.filter { !$0.points.isEmpty }.sorted {
      y.place($0.points.last?.y ?? 1) < y.place($1.points.last?.y ?? 1)
    }
    var least = 60.0
    for line in sorted {
      let place = max(least, y.place(line.points.last?.y ?? 1) + 4)
      svg.line(right + 8, place - 4, right + 22, place - 4, color: line.color, width: 3)
      svg.text(line.name, right + 28, place, color: line.color)
      least = place + 17
    }
  }
}
