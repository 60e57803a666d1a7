import Foundation
import Synchronization

/// Tells when something may have happened to a file: by inotify on Linux, else by looking several times a second.
///
/// Reading is nothing that happens to a file, so who reads it is not told of that. Where the system tells of changes, a
/// rare look of its own finds what it did not tell (a file system of another computer, a folder that was moved with
/// the one above it); where it does not, looks become rarer while nothing happens.
final class FileWatcher: Sendable {
  /// One element per change or several; never more than one waits.
  let changes: AsyncStream<Void>
  private let stop: @Sendable () -> Void
  private let told: @Sendable () -> Int

  /// How many times it told of a change, those that nobody waited for included.
  var toldCount: Int { told() }

  /// Watches for anything that happens to entries of these names in a folder.
  ///
  /// - Parameter polls: looks several times a second even where the system could tell.
  convenience init(folder: String, names: Set<String>, polls: Bool = false) {
    let places = names.map { FilePlace(folder: folder, name: $0) }
    self.init(polls: polls) { places }
  }

  /// Watches entries, and the folders that they are in: those may be removed, moved away, and come back.
  ///
  /// - Parameters:
  ///   - hears: hears of a place when a program writes there (true), and when it is done (false).
  ///   - places: where to look; asked anew after every change.
  init(
    polls: Bool = false, hears: (@Sendable (FilePlace, Bool) -> Void)? = nil,
    places: @escaping @Sendable () -> [FilePlace]
  ) {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let count = Counter()
    changes = stream
    told = { count.value }
    let tell: @Sendable () -> Void = {
      count.add()
      continuation.yield()
    }
    #if os(Linux)
      if !polls, let notifier = FileNotifier(hears: hears, places: places, tell: tell) {
        stop = {
          notifier.stop()
          continuation.finish()
        }
        return
      }
    #endif
    let poller = Task.detached { await FilePolling.run(places, tell) }
    stop = {
      poller.cancel()
      continuation.finish()
    }
  }

  deinit { stop() }

  private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }
}

/// What a watcher compares where nobody tells it of changes.
struct FileTrace: Equatable {
  private let entries: [[FileLook.Signature?]]

  /// Looks at the entries themselves, at the files they lead to, and at their folders.
  init(_ places: [FilePlace]) {
    entries = places.map { place in
      var folder = stat()
      let isThere = stat(place.folder, &folder) == 0
      // A folder changes with every file in it; which one it is matters here.
      let whole = FileLook.Signature(folder)
      let identity = isThere ? FileLook.Signature(device: whole.device, inode: whole.inode) : nil
      var entry = stat()
      let link = lstat(place.path, &entry) == 0 ? FileLook.Signature(entry) : nil
      return [identity, link, FileLook.Signature(of: place.path)]
    }
  }
}

/// Looks for changes, often after one and rarely when nothing happens.
enum FilePolling {
  static let shortest = 0.1
  static let longest = 1.0

  static func run(_ places: @Sendable () -> [FilePlace], _ tell: @Sendable () -> Void) async {
    var last: FileTrace?
    var pause = shortest
    while !Task.isCancelled {
      let now = FileTrace(places())
      if now != last { tell() }
      pause = next(after: pause, isChanged: now != last)
      last = now
      try? await Task.sleep(for: .seconds(pause))
    }
  }

  /// The pause after a look.
  static func next(after pause: Double, isChanged: Bool) -> Double {
    isChanged ? shortest : min(longest, pause * 1.25)
  }
}
