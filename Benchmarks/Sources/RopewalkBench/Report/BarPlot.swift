/// Groups of bars side by side on a logarithmic axis, each with its number.
struct BarPlot {
  struct Series {
    let name: String
    let color: String
    /// By group; nil where there is none.
    let values: [Double?]
  }

  let title: String
  let yTitle: String
  let groups: [String]
  let series: [Series]

  var svg: String {
    let bar = 30.0
    let group = bar * Double(series.count) + 26
    let (left, top, bottom) = (70.0, 86.0, 360.0)
    var svg = SVG(width: max(560, left + group * Double(groups.count) + 30), height: 400)
    let y = LogScale(series.flatMap { $0.values.compactMap { $0 } }, from: bottom, to: top)
    svg.text(title, 20, 26, size: 15, bold: true)
    var legend = 20.0
    for one in series {
      svg.bar(legend, 40, 11, 11, color: one.color)
      svg.text(one.name, legend + 16, 50)
      legend += 34 + Double(one.name.count) * 7
    }
    for tick in y.ticks {
      svg.line(left, y.place(tick), svg.width - 20, y.place(tick), color: "#e4e7eb")
      svg.text(LogScale.label(tick), left - 8, y.place(tick) + 4, anchor: "end", color: "#57606a")
    }
    svg.text(yTitle, 20, top - 14, size: 11, color: "#57606a")
    for (place, name) in groups.enumerated() {
      let start = left + 13 + Double(place) * group
      for (index, one) in series.enumerated() {
        guard place < one.values.count, let value = one.values[place], value > 0 else { continue }
        let x = start + Double(index) * bar
        svg.bar(x + 1, y.place(value), bar - 3, bottom - y.place(value), color: one.color)
        svg.text(number(value), x + bar / 2, y.place(value) - 4, size: 9, anchor: "middle", color: "#57606a")
      }
      svg.text(name, start + bar * Double(series.count) / 2, bottom + 18, anchor: "middle")
    }
    svg.line(left, bottom, svg.width - 20, bottom, color: "#57606a")
    return svg.document
  }
}
