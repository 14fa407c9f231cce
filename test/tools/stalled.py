#!/usr/bin/env python3
"""A program on a machine that has no time for it: stalled.py [-n TIMES] [-r RUN_MS] [-s STOP_MS] PROGRAM [ARGUMENTS].

Stops the program and what it started STOP_MS long after each RUN_MS of running, TIMES times; then lets it run to its end,
and ends with its status. A unit test that holds here holds on any loaded machine; one that does not takes a pause of its
own for the silence of a far end (test/unit/steady_clock.c is the cure where both are in one process)."""
import argparse
import os
import signal
import subprocess
import sys
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=8, metavar="TIMES")
    parser.add_argument("-r", type=int, default=40, metavar="RUN_MS")
    parser.add_argument("-s", type=int, default=1600, metavar="STOP_MS")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    child = subprocess.Popen(options.program, start_new_session=True)
    for _ in range(options.n):
        try:
            return child.wait(options.r / 1000)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGSTOP)
            time.sleep(options.s / 1000)
            os.killpg(child.pid, signal.SIGCONT)
    return child.wait()


sys.exit(main())
