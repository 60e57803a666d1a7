"""Measures the peers on recorded sessions: replay, load, size, memory. One JSON object a line, or a table."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import zstandard

import diamond_types
from engines import ENGINES
from traces import Trace, name_of, read


def seconds(work, runs):
    """Processor seconds of several runs, as with the engine beside it: what is short, up to ten times as often. What
    they return is let go outside the clock."""
    taken = []
    while len(taken) < runs or (len(taken) < runs * 10 and sum(taken) < 0.1):
        start = time.process_time()
        result = work()
        taken.append(time.process_time() - start)
        del result
    return taken


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def child(engine, mode, path):
    """What a process of its own takes: with the bytes alone, or with the document too."""
    with open(path, "rb") as file:
        data = file.read()
    if mode == "replay":
        document = engine.replay(data)
        engine.text(document)
    print(peak_kib())


def peak_mib(engine, update, runs=3):
    if not os.path.exists("/proc/self/status"):
        return None
    with tempfile.NamedTemporaryFile() as file:
        file.write(update)
        file.flush()

        def middle(mode):
            command = [sys.executable, "-B", __file__, "--child", engine.name, mode, file.name]
            return statistics.median(
                int(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(runs)
            )

        return (middle("replay") - middle("idle")) / 1024


def ready_made(engine, path):
    """The same history in the peer's own bytes, where somebody has made them: in `peers` beside the trace."""
    candidate = os.path.join(os.path.dirname(path), "peers", name_of(path) + engine.suffix)
    return read(candidate) if os.path.exists(candidate) else None


def measure(engine, path, trace, runs):
    progress(f"{trace.name}: {engine.name}")
    update, source = ready_made(engine, path), "ready-made"
    if update is None:
        update, source = engine.play(trace), "played"
    document = engine.replay(update)
    is_correct = engine.text(document) == trace.end
    saved = engine.save(document)
    is_correct = is_correct and engine.text(engine.load(saved)) == trace.end
    replay = seconds(lambda: engine.text(engine.replay(update)), runs)
    load = seconds(lambda: engine.text(engine.load(saved)), runs)
    return {
        "engine": engine.name,
        "version": engine.version,
        "trace": trace.name,
        "events": trace.events,
        "ok": is_correct,
        "source": source,
        "replay_ms": min(replay) * 1e3,
        "replay_ms_median": statistics.median(replay) * 1e3,
        "load_ms": min(load) * 1e3,
        "load_ms_median": statistics.median(load) * 1e3,
        "peak_mib": peak_mib(engine, update),
        "update_bytes": len(update),
        "saved_bytes": len(saved),
        "stored_bytes": len(zstandard.ZstdCompressor(level=3).compress(saved)),
        "smallest_stored_bytes": len(zstandard.ZstdCompressor(level=19).compress(saved)),
    }


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K" + text)
        sys.stderr.flush()


COLUMNS = [
    "engine", "trace", "events", "ok", "source", "replay_ms", "replay_ms_median", "load_ms", "peak_mib",
    "update_bytes", "saved_bytes", "stored_bytes", "smallest_stored_bytes",
]  # fmt: skip


def cell(value):
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)


def table(results):
    rows = [COLUMNS] + [[cell(result.get(column)) for column in COLUMNS] for result in results]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    return "\n".join("  ".join(value.rjust(width) for value, width in zip(row, widths)) for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", nargs="*", help=".json or .json.zst")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES), help="only these")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, mode, path = options.child
        return child(ENGINES[name](), mode, path)
    results = []
    for path in options.traces:
        trace = Trace.load(path)
        found = [measure(ENGINES[name](), path, trace, options.runs) for name in options.engine or ENGINES]
        for result in found + diamond_types.in_proportion(found):
            results.append(result)
            if options.json:
                progress("")
                print(json.dumps(result), flush=True)
    progress("")
    if not options.json:
        print(table(results))
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
