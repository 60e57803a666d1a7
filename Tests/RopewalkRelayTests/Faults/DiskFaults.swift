import Foundation

@testable import RopewalkCommand

/// A relay whose disk fails on demand: a small library stands between it and the C library, and fails what
/// SQLite writes to the log. It needs a C compiler and no rights.
struct DiskFaults {
  /// What fails.
  enum Kind: String, CaseIterable {
    case full = "f"
    case readOnly = "r"
    case writing = "i"
    case syncing = "s"
  }

  private let library: String
  private let control: String

  /// Builds the library; nil where that is not possible.
  init?(in folder: String) async throws {
    #if os(Linux)
      let compilers = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"]
      guard let compiler = compilers.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
        return nil
      }
      library = folder + "/faults.so"
      control = folder + "/faults.control"
      try Data(Self.source.utf8).write(to: URL(fileURLWithPath: folder + "/faults.c"))
      try Data().write(to: URL(fileURLWithPath: control))
      let build = try ChildProcess(
        compiler, ["-shared", "-fPIC", "-o", library, folder + "/faults.c", "-ldl"])
      guard await build.end() == 0 else { return nil }
    #else
      return nil
    #endif
  }

  /// Sets what fails from now on; nil for nothing.
  func set(_ kind: Kind?) throws {
    try Data((kind?.rawValue ?? "").utf8).write(to: URL(fileURLWithPath: control))
  }

  /// From now on each page that is written to the log's own file, not to its write-ahead log, takes 50 ms.
  func slowMoves() throws { try Data("m".utf8).write(to: URL(fileURLWithPath: control)) }

  /// How many pages were written so.
  var movedPages: Int {
    let size = try? FileManager.default.attributesOfItem(atPath: control + ".moved")[.size] as? Int
    return size ?? 0
  }

  var environment: [String: String] {
    var variables = ProcessInfo.processInfo.environment
    variables["LD_PRELOAD"] = library
    variables["ROPEWALK_FAULTS"] = control
    return variables
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>

    #define REAL(name) ((typeof(&name)) dlsym(RTLD_NEXT, #name))

    static char what(int fd) {
      char link[64], path[4096];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t n = readlink(link, path, sizeof path - 1);
      if (n < 0) return 0;
      path[n] = 0;
      if (!strstr(path, "log.sqlite")) return 0;
      const char *name = getenv("ROPEWALK_FAULTS");
      int control = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
      char kind = 0;
      if (control >= 0) {
        if (read(control, &kind, 1) != 1) kind = 0;
        close(control);
      }
      return kind;
    }

    static void moving(int fd) {
      char link[64], path[4096];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t n = readlink(link, path, sizeof path - 1);
      if (n < 10 || memcmp(path + n - 10, "log.sqlite", 10)) return;
      snprintf(path, sizeof path, "%s.moved", getenv("ROPEWALK_FAULTS"));
      int moved = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
      if (moved < 0) return;
      REAL(write)(moved, "m", 1);
      close(moved);
      usleep(50000);
    }

    static int writing(int fd) {
      switch (what(fd)) {
        case 'm': moving(fd); return 0;
        case 'f': return ENOSPC;
        case 'r': return EROFS;
        case 'i': return EIO;
        default: return 0;
      }
    }

    #define FAIL(error) { int e = (error); if (e) { errno = e; return -1; } }

    ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { FAIL(writing(fd)) return REAL(pwrite64)(fd, b, n, o); }
    ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { FAIL(writing(fd)) return REAL(pwrite)(fd, b, n, o); }
    ssize_t write(int fd, const void *b, size_t n) { FAIL(writing(fd)) return REAL(write)(fd, b, n); }
    int ftruncate64(int fd, off64_t n) { FAIL(writing(fd)) return REAL(ftruncate64)(fd, n); }
    int ftruncate(int fd, off_t n) { FAIL(writing(fd)) return REAL(ftruncate)(fd, n); }
    int fsync(int fd) { FAIL(what(fd) == 's' ? EIO : 0) return REAL(fsync)(fd); }
    int fdatasync(int fd) { FAIL(what(fd) == 's' ? EIO : 0) return REAL(fdatasync)(fd); }
    """
}
