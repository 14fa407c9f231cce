#!/usr/bin/env python3
"""Measure Ringdown on this machine and print each figure beside its aim; never passes or fails.

    tools/bench.py [--quick] [--json] [--only WORD ...] [--peer PATH | --no-peer] [--build DIR]

A livekit-server is measured beside it, with the same load: the one named, or one that Go builds into BUILD/peer.
docs/benchmarks.md says how each figure is taken. Everything stays on 127.0.0.1.
"""
import argparse
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/bench"))
sys.dont_write_bytecode = True

import crowd  # noqa: E402
import measure  # noqa: E402
import servers  # noqa: E402
import setups  # noqa: E402


def steps(o):
    """(name, how to take it); the names are what --only looks for."""
    media_s, build = (3 if o.quick else 10), pathlib.Path(o.build)
    binary = str((build / "ringdown").resolve())
    return [
        ("start", lambda: measure.cold_start(binary, servers.ringdown, o.peer, 3 if o.quick else 10)),
        ("idle", lambda: measure.idle(binary, o.peer)),
        ("dialling", lambda: measure.dialling(binary, 50 if o.quick else 200)),
        ("setups", lambda: setups.setups(binary, 100 if o.quick else 400)),
        ("call-memory", lambda: measure.empty_calls(binary, 20 if o.quick else 50)),
        ("people-memory", lambda: measure.people_and_calls(binary, o.peer, 5 if o.quick else 12)),
        ("delay-passthrough", lambda: measure.delay(build, "pcmu", media_s)),
        ("delay-opus", lambda: measure.delay(build, "opus", media_s)),
        ("delay-jitter", lambda: measure.delay(build, "opus", media_s, 30)),
        ("calls-passthrough", lambda: measure.calls(build, "pcmu", 50, media_s)),
        ("calls-opus", lambda: measure.calls(build, "opus", 50, media_s)),
        ("calls-srtp", lambda: measure.calls(build, "pcmu", 50, media_s, "cm80")),
        ("forward", lambda: measure.forward(build, 3, 20, media_s)),
        ("join", lambda: crowd.joining(binary, o.peer, build, 1 if o.quick else 3)),
        ("server-forward", lambda: crowd.forward_rows(binary, o.peer, build, media_s)),
        ("idle-people", lambda: crowd.sitting(binary, o.peer, build)),
    ]


def shown(value):
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def print_row(row, with_peer):
    line = f"{row.name:<54} {shown(row.value):>9} {row.unit:<7} {row.aim:<10}"
    if with_peer:
        times = row.value / row.peer if row.peer and row.more else row.peer / row.value if row.peer else 0
        other = f"{shown(row.peer)} ({times:.1f}x)" if row.peer else ""
        line += f" {other:<16}"
    print(f"{line} {row.note}".rstrip(), flush=True)


def take(o, rows, left_out):
    for name, figure in steps(o):
        if o.only and not any(word in name for word in o.only):
            continue
        try:
            for row in figure():
                rows.append(row)
                if not o.json:
                    print_row(row, o.peer)
        except (servers.Trouble, OSError) as why:
            left_out.append({"figure": name, "why": str(why)})
            if not o.json:
                print(f"{name:<54} {'-':>9} left out: {why}", flush=True)


def find_peer(o):
    """Fills in o.peer; says why there is none."""
    if o.no_peer or o.peer:
        return
    try:
        o.peer = servers.install_peer(pathlib.Path(o.build).resolve() / "peer")
    except servers.Trouble as why:
        print(f"no livekit-server beside it: {why}", file=sys.stderr)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="about 45 s, coarser figures")
    p.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    p.add_argument("--only", nargs="*", help="figures whose name contains one of these words")
    p.add_argument("--peer", metavar="PATH", help="the livekit-server to measure beside it")
    p.add_argument("--no-peer", action="store_true", help="measure none")
    p.add_argument("--build", default=os.environ.get("B", str(ROOT / "build")))
    o = p.parse_args()
    find_peer(o)

    rows, left_out, begin, machine = [], [], time.monotonic(), measure.machine()
    if not o.json:
        print("{cores} cores, {cpu}, {memory_gb} GB, Linux {kernel}, load {load_at_start:.1f} at the start".format(**machine))
        print(f"{'':<54} {'here':>9} {'':<7} {'aim':<10}" + (f" {'livekit-server':<16}" if o.peer else ""))
    take(o, rows, left_out)
    if o.json:
        print(json.dumps({"machine": machine, "figures": [vars(r) for r in rows], "left_out": left_out,
                          "seconds": round(time.monotonic() - begin)}, indent=1))
    else:
        print(f"taken in {time.monotonic() - begin:.0f} s")
    return 0


sys.exit(main())
