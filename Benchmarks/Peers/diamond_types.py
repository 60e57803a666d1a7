"""diamond-types in proportion to yrs.

It has no package for Python, and a Rust toolchain is more than a benchmark should ask for. What it took beside yrs was
measured once, both from bytes to text in one run on two cores of a machine of this kind; here its time is yrs's time
now, times that proportion. Its memory and size do not depend on the machine.
"""

# trace: (diamond-types ms, yrs ms, bytes of its file with LZ4, deleted text kept)
MEASURED = {
    "S1": (7.3, 12.8, 316_413),
    "S2": (9.0, 17.8, 471_421),
    "S3": (13.2, 15.0, None),
    "C1": (113.0, 19.2, 466_960),
    "C2": (169.0, 13.5, None),
    "A1": (18.8, 20.6, 334_914),
    "A2": (51.0, 22.2, None),
}

# Known from another table: sizes alone.
SIZES = {"automerge-paper": 106_247}


def in_proportion(results):
    """One more result for a trace of which the proportion is known."""
    yrs = next((result for result in results if result["engine"] == "yrs"), None)
    if yrs is None or yrs["trace"] not in MEASURED.keys() | SIZES.keys():
        return []
    name = yrs["trace"]
    theirs, yrs_then, size = MEASURED.get(name, (None, None, SIZES.get(name)))
    scale = None if theirs is None else theirs / yrs_then
    return [
        {
            "engine": "diamond-types",
            "version": "in proportion to yrs",
            "trace": name,
            "events": yrs["events"],
            "ok": True,
            "source": "proportion",
            "replay_ms": None if scale is None else yrs["replay_ms"] * scale,
            "replay_ms_median": None if scale is None else yrs["replay_ms_median"] * scale,
            "load_ms": None,
            "load_ms_median": None,
            "peak_mib": None,
            "update_bytes": None,
            "saved_bytes": size,
            "stored_bytes": size,
            "smallest_stored_bytes": size,
        }
    ]
