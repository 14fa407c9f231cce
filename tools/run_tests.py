#!/usr/bin/env python3
"""Run the tests and count them: tools/run_tests.py quick|all. The last line is "N passed, N failed"; right before it
stands what failed, by suite and name, however long the log above is.

quick  Meson's suites (unit, corpus, house)
all    the same, then what test/suites.json lists. Suites of one lane run one after the other, the lanes side by side:
       what mostly waits (for a far end's patience, a time-out) goes beside what keeps the processors busy.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MESON_SECONDS = 1800  # each of its tests has a limit of its own
BUILD = pathlib.Path(os.environ.get("B", ROOT / "build"))
# How each runner names what failed. run.mjs tries some of it again: what passes then has an "ok" line of its own.
FAILED = re.compile("|".join((
    r"^ *\d+/\d+ (?:ringdown:)?(?P<meson>\S.*?) +(?:FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS)\b",
    r"^FAIL  (?P<e2e>.+?)(?: \(second try\))?$",
    r"^(?P<conformance>(?:not expected to fail|listed in known\.txt but passes|the server ended during).*)$",
    r"^ *(?:not ok \d+ -|\u2716) (?P<node>.+?)(?: \([\d.]+ *ms\))?$")), re.M)
SECOND = re.compile(r"^ok    (.+) \(\d+ ms\) \(second try\)$", re.M)


def failing(out):
    """The names in a runner's output, each once."""
    second = set(SECOND.findall(out))
    names = dict.fromkeys(m[m.lastgroup].strip() for m in FAILED.finditer(out))
    return [n for n in names if n not in second and n != "failing tests:"]


def stop(child):
    """What it started goes with it: a browser that it left behind would keep a processor busy until the last test."""
    for sign, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)


def play(command, cwd, seconds):
    """Its output, exit status (None: it had to be stopped). The output goes to a file: the end of a pipe comes only
    when the last process that was handed it ends."""
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        child = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            stop(child)
            code = None
        except BaseException:
            stop(child)
            raise
        out.seek(0)
        return out.read(), code


def run_meson():
    """Meson's own suites: one test per program."""
    out, code = play(["meson", "test", "-C", str(BUILD), "--no-rebuild", "--print-errorlogs"], ROOT, MESON_SECONDS)
    counts = {k: int(v) for k, v in re.findall(r"^(Ok|Fail|Timeout|Unexpected Pass):\s+(\d+)", out, re.M)}
    passed = counts.get("Ok", 0)
    failed = sum(v for k, v in counts.items() if k != "Ok")
    names = failing(out)
    if code is None:
        names.append(f"not done after {MESON_SECONDS} s")
    if failed or code != 0:
        print(out)
        failed = max(failed, len(names), 1)
    print(f"unit, corpus, house: {passed} passed, {failed} failed", flush=True)
    return "unit, corpus, house", passed, failed, names


def run_suite(name, command, cwd, seconds):
    """A suite that ends with its own "N passed, N failed" line."""
    started = time.time()
    out, code = play(command, cwd, seconds)
    counts = re.findall(r"(\d+) passed, (\d+) failed", out) or list(zip(
        re.findall(r"^\S+ pass (\d+)$", out, re.M), re.findall(r"^\S+ fail (\d+)$", out, re.M)))  # node --test
    passed, failed = (int(counts[-1][0]), int(counts[-1][1])) if counts else (0, 1)
    if code != 0 and not failed:
        failed = 1
    names = failing(out) if failed else []
    if code is None:
        names.append(f"not done after {seconds} s")
    told = out if failed else "\n".join(out.splitlines()[-3:])
    print(f"-- {name}\n{told}\n{name}: {passed} passed, {failed} failed ({time.time() - started:.0f} s)", flush=True)
    return name, passed, failed, names


def lanes():
    """test/suites.json lists what `all` adds: name, command, folder, seconds at most, lane."""
    ret = {}
    for s in json.loads((ROOT / "test" / "suites.json").read_text()):
        ret.setdefault(s["lane"], []).append(s)
    return list(ret.values())


def run_lane(lane):
    return [run_suite(s["name"], s["command"], ROOT / s.get("cwd", "."), s["seconds"]) for s in lane]


def main():
    which = sys.argv[1] if len(sys.argv) > 1 else "quick"
    if which not in ("quick", "all"):
        print(__doc__)
        return 2
    results = [run_meson()]
    if which == "all":
        all_lanes = lanes()
        with concurrent.futures.ThreadPoolExecutor(len(all_lanes)) as pool:
            for lane in pool.map(run_lane, all_lanes):
                results += lane
    passed, failed = (sum(r[i] for r in results) for i in (1, 2))
    if failed:
        print("what failed:")
    for name, _, bad, names in results:
        for one in names or ([f"{bad}, see its output above"] if bad else []):
            print(f"  {name}: {one}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
