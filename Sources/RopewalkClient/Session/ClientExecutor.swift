import Dispatch

/// A thread of its own for a client: it waits for the disk and for other processes, which must not hold up
/// Swift's shared threads.
final class ClientExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "ropewalk.client")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
