#if os(Linux)
  import Foundation

  /// Hears of changes by inotify.
  ///
  /// `@unchecked Sendable`: everything mutable is used on `queue` alone, once the initialiser is done.
  final class FileNotifier: @unchecked Sendable {
    private let queue = DispatchQueue(label: "ropewalk.file-watcher")
    private let descriptor: Int32
    private let hears: (@Sendable (FilePlace, Bool) -> Void)?
    private let places: @Sendable () -> [FilePlace]
    private let tell: @Sendable () -> Void
    private let source: any DispatchSourceRead
    private let timer: any DispatchSourceTimer
    /// Which watch is of which folder; one may have several paths.
    private var folders: [Int32: Set<FilePlace>] = [:]
    private var trace: FileTrace
    /// Whether all watched folders could be watched.
    private var isWhole = true

    /// Seconds between two looks of its own.
    static let heartbeat = 5.0
    /// While a folder is not there.
    static let searching = 0.5

    private static let entries = UInt32(
      IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB)
    private static let folder = UInt32(IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR)

    /// Nil if the system, or one of the file systems, does not tell of changes.
    init?(
      hears: (@Sendable (FilePlace, Bool) -> Void)?, places: @escaping @Sendable () -> [FilePlace],
      tell: @escaping @Sendable () -> Void
    ) {
      descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
      guard descriptor >= 0 else { return nil }
      (self.hears, self.places, self.tell) = (hears, places, tell)
      trace = FileTrace(places())
      source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
      timer = DispatchSource.makeTimerSource(queue: queue)
      guard !places().contains(where: { Self.isRemote($0.folder) }) else {
        let descriptor = descriptor
        source.setCancelHandler { close(descriptor) }
        source.resume()
        timer.resume()
        source.cancel()
        timer.cancel()
        return nil
      }
      watch()
      let descriptor = descriptor
      source.setEventHandler { [weak self] in self?.take() }
      source.setCancelHandler { close(descriptor) }
      timer.setEventHandler { [weak self] in self?.look() }
      schedule()
      source.resume()
      timer.resume()
    }

    func stop() {
      source.cancel()
      timer.cancel()
    }

    /// Watches the folders of all places, and those above them for being moved.
    private func watch() {
      // By their bytes: two folders may have names that look alike.
      var wanted: [FilePlace: UInt32] = [:]
      for place in places() {
        var folder = FilePlace(place.folder, in: "/")
        wanted[folder, default: 0] |= Self.entries | Self.folder
        while folder.folder != "/" {
          folder = FilePlace(folder.folder, in: "/")
          wanted[folder, default: 0] |= Self.folder
        }
      }
      var found: [Int32: Set<FilePlace>] = [:]
      isWhole = true
      for (folder, mask) in wanted {
        let number = inotify_add_watch(descriptor, folder.path, mask | UInt32(IN_MASK_ADD))
        if number >= 0 {
          found[number, default: []].insert(folder)
        } else if mask & Self.entries != 0 {
          isWhole = false
        }
      }
      for number in folders.keys where found[number] == nil { inotify_rm_watch(descriptor, number) }
      folders = found
    }

    private func schedule() {
      let pause = isWhole ? Self.heartbeat : Self.searching
      timer.schedule(
        deadline: .now() + pause, repeating: pause, leeway: .milliseconds(Int(pause * 200)))
    }

    /// Sees what nobody told of.
    private func look() {
      let now = FileTrace(places())
      if now != trace || !isWhole { renew(now) }
    }

    private func renew(_ now: FileTrace) {
      let wasWhole = isWhole
      let isChanged = now != trace
      trace = now
      watch()
      if wasWhole != isWhole { schedule() }
      if isChanged || wasWhole != isWhole { tell() }
    }

    /// Takes all waiting events.
    private func take() {
      var isTouched = false
      let named = places()
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        var place = 0
        let header = MemoryLayout<inotify_event>.size
        while place + header <= count {
          let event = buffer.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
          }
          let end = min(count, place + header + Int(event.len))
          let name = buffer[place + header..<end].prefix { $0 != 0 }
          if touches(event, Array(name), named) { isTouched = true }
          place = end
        }
      }
      guard isTouched else { return }
      let wasWhole = isWhole
      watch()
      if wasWhole != isWhole { schedule() }
      trace = FileTrace(places())
      tell()
    }

    /// Whether an event is about one of the places, or of a folder, or some were lost.
    private func touches(_ event: inotify_event, _ name: [UInt8], _ named: [FilePlace]) -> Bool {
      if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
        for place in named { hears?(place, false) }
        return true
      }
      guard let paths = folders[event.wd] else { return false }
      if event.mask & UInt32(IN_IGNORED) != 0 {
        folders[event.wd] = nil
        return true
      }
      if name.isEmpty { return event.mask & (Self.folder | UInt32(IN_UNMOUNT)) != 0 }
      guard
        let place = named.first(where: {
          paths.contains(FilePlace($0.folder, in: "/")) && name.elementsEqual($0.name.utf8)
        })
      else {
        return false
      }
      if event.mask & UInt32(IN_MODIFY) != 0 { hears?(place, true) }
      if event.mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) != 0 { hears?(place, false) }
      return true
    }

    /// Whether others change it from other computers, which the system here does not hear of.
    private static func isRemote(_ folder: String) -> Bool {
      var status = stat()
      guard stat(folder, &status) == 0,
        let mounts = FileManager.default.contents(atPath: "/proc/self/mountinfo")
      else { return false }
      let device = UInt64(status.st_dev)
      let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
      let minor = device & 0xff | (device >> 12) & 0xffff_ff00
      for line in mounts.split(separator: 0x0a) {
        let fields = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 2, fields[2] == "\(major):\(minor)", let dash = fields.firstIndex(of: "-"),
          dash + 1 < fields.count
        else { continue }
        let kind = fields[dash + 1]
        return kind.hasPrefix("fuse")
          || ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "vboxsf"].contains(
            kind)
      }
      return false
    }
  }
#endif
