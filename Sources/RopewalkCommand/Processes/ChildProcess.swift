import Foundation
import Synchronization

/// A program that runs beside this one, its output collected as it comes.
///
/// Foundation's `Process` is not used: its pipes reach children that another thread starts at the same
/// moment, whose life then decides when an output ends.
final class ChildProcess: Sendable {
  /// What it wrote to standard output.
  let output = CollectedOutput()
  /// What it wrote to standard error; nothing if that is shared with this process.
  let problems = CollectedOutput()
  private static let spawning = NSLock()
  let identifier: pid_t
  private let ending = Ending()
  /// The other end of its standard input, which closes when this process ends in whatever way; -1 for none.
  private let inputEnd: Int32

  /// Starts a program with nothing on its standard input.
  ///
  /// - Parameters:
  ///   - sharesProblems: lets it write to this process's standard error.
  ///   - holdsInput: keeps its standard input open as long as this process lives and this value is kept.
  init(
    _ executable: String, _ arguments: [String], environment: [String: String]? = nil,
    sharesProblems: Bool = false, holdsInput: Bool = false
  ) throws {
    // One at a time: between its making and its closing-on-exec a pipe would reach another child.
    let isSpawning = Self.spawning
    isSpawning.lock()
    defer { isSpawning.unlock() }
    let outputPipe = try Self.makePipe()
    let problemsPipe = sharesProblems ? nil : try Self.makePipe()
    let inputPipe = holdsInput ? try Self.makePipe() : nil
    defer {
      close(outputPipe.write)
      if let inputPipe { close(inputPipe.read) }
      if let problemsPipe { close(problemsPipe.write) }
    }
    #if os(Linux)
      var actions = posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let inputPipe {
      posix_spawn_file_actions_adddup2(&actions, inputPipe.read, STDIN_FILENO)
    } else {
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, outputPipe.write, STDOUT_FILENO)
    if let problemsPipe { posix_spawn_file_actions_adddup2(&actions, problemsPipe.write, STDERR_FILENO) }
    Self.keepDescriptorsFromChildren()

    let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0.key)=\($0.value)" }
    var child: pid_t = 0
    let result = Self.withCStrings([executable] + arguments) { argv in
      Self.withCStrings(variables) { envp in posix_spawn(&child, executable, &actions, nil, argv, envp) }
    }
    guard result == 0 else {
      for pipe in [outputPipe, problemsPipe] { if let pipe { close(pipe.read) } }
      if let inputPipe { close(inputPipe.write) }
      throw Failure(.other, "\(executable) cannot be started: \(String(cString: strerror(result)))")
    }
    identifier = child
    inputEnd = inputPipe?.write ?? -1
    output.collect(outputPipe.read)
    if let problemsPipe { problems.collect(problemsPipe.read) } else { problems.end() }
    let ending = ending
    let identifier = identifier
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
      let signal = status & 0x7f
      ending.set(signal == 0 ? status >> 8 & 0xff : 128 + signal)
    }
  }

  /// Marks what is open in this process as closed on exec: a child that inherited a listening socket would
  /// keep its port taken.
  private static func keepDescriptorsFromChildren() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? []
    for descriptor in names.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }

  deinit {
    signal(SIGKILL)
    if inputEnd >= 0 { close(inputEnd) }
  }

  /// Sends a signal, unless the process has ended.
  func signal(_ number: Int32) {
    if ending.status == nil { kill(identifier, number) }
  }

  /// Waits for the end and everything that was written until then. The exit code, or 128 and the signal's
  /// number.
  func end() async -> Int32 {
    await output.untilEnd()
    await problems.untilEnd()
    return await ending.wait()
  }

  private static func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    let result = pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    guard result == 0 else { throw Failure(.other, "no pipe: \(String(cString: strerror(errno)))") }
    return (ends[0], ends[1])
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  /// The exit code, once there is one.
  private final class Ending: Sendable {
    private struct State {
      var status: Int32?
      var waiters: [CheckedContinuation<Int32, Never>] = []
    }
    private let state = Mutex(State())

    var status: Int32? { state.withLock { $0.status } }

    func set(_ status: Int32) {
      let waiters = state.withLock { state in
        state.status = status
        return state.waiters
      }
      for waiter in waiters { waiter.resume(returning: status) }
    }

    func wait() async -> Int32 {
      await withCheckedContinuation { continuation in
        let status = state.withLock { state in
          if state.status == nil { state.waiters.append(continuation) }
          return state.status
        }
        if let status { continuation.resume(returning: status) }
      }
    }
  }
}
