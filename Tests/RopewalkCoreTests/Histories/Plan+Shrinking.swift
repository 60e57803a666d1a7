extension Plan {
  /// A shorter plan that still fails, found by leaving steps out, larger parts first.
  func shrunk(while fails: (Plan) -> Bool) -> Plan {
    var plan = self
    var part = max(1, plan.steps.count / 2)
    while true {
      var start = 0
      var hasShrunk = false
      while start < plan.steps.count {
        var shorter = plan
        shorter.steps.removeSubrange(start..<min(start + part, plan.steps.count))
        if fails(shorter) {
          plan = shorter
          hasShrunk = true
        } else {
          start += part
        }
      }
      if part == 1 && !hasShrunk { return plan }
      if !hasShrunk { part = max(1, part / 2) }
    }
  }
}
