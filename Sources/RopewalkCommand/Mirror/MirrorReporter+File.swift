/// What happened to the file itself.
extension MirrorReporter {
  func remarked(_ remarks: [FileRemark]) {
    for remark in remarks { console.problem(words(remark)) }
  }

  private func words(_ remark: FileRemark) -> String {
    switch remark {
    case .emptied(.beforeTheFirstLook):
      "\(file) was empty when the mirror began; its text is put back. To delete it, empty the file while the mirror "
        + "runs, or begin with --take file"
    case .emptied(.madeAnew):
      "\(file) was removed and an empty file made in its place; its text is put back. To delete it, empty the file "
        + "once more"
    case .emptied(.writerFailed):
      "a program emptied \(file) and wrote nothing; its text is put back. To delete it, empty the file once more"
    case .lost(let kept):
      "\(file) may have been cut off in the middle of a save; it is taken as it is, and what it was is kept as "
        + FilePlace.shown(kept)
    case .moved(let path): "\(file) leads to \(FilePlace.shown(path)) from now on"
    case .linkReplaced(let path):
      "\(file) was a symbolic link and is a file now, which is mirrored; \(FilePlace.shown(path)) does not follow any "
        + "more"
    case .otherNames(let count):
      "\(file) has \(Wording.count(count, "other name")) (hard links), which will not have what others write"
    }
  }

  /// The file is not taken yet, and will not be until something happens.
  func waits() {
    console.problem(
      "\(file) is open in a program that has not finished writing it; it is read when that program closes it")
  }

  /// The mirror cannot do its work for the time being.
  func stuck(_ problem: String) { console.problem("\(problem); the mirror goes on when that is mended") }

  func recovered() { console.line("\(file) is mirrored again") }

  func beginsAnew(_ replica: String) {
    console.problem(
      "the replica that was in use is not at \(FilePlace.shown(replica)) any more, as after its folder was moved; the "
        + "mirror begins anew with what is there")
  }
}
