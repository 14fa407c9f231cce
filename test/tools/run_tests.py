#!/usr/bin/env python3
"""tools/run_tests.py as its reader meets it: it names what failed, whatever runner says so, and outlives what hangs."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("run_tests", ROOT / "tools" / "run_tests.py")
run_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_tests)

# What a runner prints, and the names in it.
PRINTED = (
    ("  7/112 ringdown:unit / sip_call       FAIL            2.67s   exit status 1\n"
     "  8/112 ringdown:unit / sip_far        OK              0.10s\n"
     "  9/112 ringdown:corpus / fuzz sdp     TIMEOUT        60.01s   killed by signal 15\n"
     "Summary of Failures:\n\n"
     "  7/112 ringdown:unit / sip_call       FAIL            2.67s   exit status 1\n",
     ["unit / sip_call", "corpus / fuzz sdp"]),
    ("FAIL  tracks.test.mjs: four tracks (js)\n      Error: no\nok    a.test.mjs: b (3 ms)\n"
     "FAIL  early.test.mjs: it rings\n"
     "FAIL  early.test.mjs: it rings (second try)\n"
     "ok    tracks.test.mjs: four tracks (js) (12 ms) (second try)\n", ["early.test.mjs: it rings"]),
    ("not expected to fail: hold [js]\nlisted in known.txt but passes: clients | dtmf [js]\n",
     ["not expected to fail: hold [js]", "listed in known.txt but passes: clients | dtmf [js]"]),
    ("\u2714 a view (3.5ms)\n\u2716 another view (12.25ms)\n\u2716 failing tests:\n\u2716 another view (12.25ms)\n", ["another view"]),
    ("ok 1 - a view\nnot ok 2 - another view\n", ["another view"]),
)


def check(got, wanted):
    if got != wanted:
        sys.exit(f"{got!r}, not {wanted!r}")


def suite(script, seconds):
    with contextlib.redirect_stdout(io.StringIO()):
        return run_tests.run_suite("s", ["sh", "-c", script], ROOT, seconds)


for out, names in PRINTED:
    check(run_tests.failing(out), names)
check(suite("echo 3 passed, 0 failed", 60), ("s", 3, 0, []))
check(suite("echo 'FAIL  x: y'; echo 3 passed, 1 failed; exit 1", 60), ("s", 3, 1, ["x: y"]))
check(suite("echo 3 passed, 0 failed; exit 1", 60), ("s", 3, 1, []))  # says so and does not mean it
began = time.monotonic()
check(suite("sleep 100 & echo 3 passed, 0 failed", 60), ("s", 3, 0, []))  # what it left behind holds nobody up
check(suite("echo 'FAIL  x: y'; sleep 600 & sleep 600", 1), ("s", 0, 1, ["x: y", "not done after 1 s"]))
check(time.monotonic() - began < 60, True)
