#!/usr/bin/env python3
"""Run the tests and count them: tools/run_tests.py quick|all. The last line is "N passed, N failed".

quick  Meson's suites (unit, corpus, house)
all    the same, then what test/suites.json lists. Suites of one lane run one after the other, the lanes side by side:
       what mostly waits (for a far end's patience, a time-out) goes beside what keeps the processors busy.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("B", ROOT / "build"))


def run_meson():
    """Meson's own suites: one test per program."""
    done = subprocess.run(["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    counts = {k: int(v) for k, v in re.findall(r"^(Ok|Fail|Timeout|Unexpected Pass):\s+(\d+)", done.stdout, re.M)}
    passed = counts.get("Ok", 0)
    failed = sum(v for k, v in counts.items() if k != "Ok")
    if failed or done.returncode:
        print(done.stdout)
        failed = failed or 1
    print(f"unit, corpus, house: {passed} passed, {failed} failed", flush=True)
    return passed, failed


def run_suite(name, command, cwd, seconds):
    """A suite that ends with its own "N passed, N failed" line."""
    started = time.time()
    try:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, errors="replace")
        out, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        out = (late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else (late.stdout or "")
        out += f"\n{name}: not done after {seconds} s\n"
        code = 1
    counts = re.findall(r"(\d+) passed, (\d+) failed", out) or list(zip(
        re.findall(r"^\S+ pass (\d+)$", out, re.M), re.findall(r"^\S+ fail (\d+)$", out, re.M)))  # node --test
    passed, failed = (int(counts[-1][0]), int(counts[-1][1])) if counts else (0, 1)
    if code and not failed:
        failed = 1
    told = out if failed else "\n".join(out.splitlines()[-3:])
    print(f"-- {name}\n{told}\n{name}: {passed} passed, {failed} failed ({time.time() - started:.0f} s)", flush=True)
    return passed, failed


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
    passed, failed = (sum(r[i] for r in results) for i in (0, 1))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
