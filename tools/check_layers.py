#!/usr/bin/env python3
"""Each folder under src/ may include only itself and the folders listed here. The table is the
architecture; this script is why the table stays true."""
import pathlib
import re
import sys

MAY_USE = {
    "base": "",
    "wire": "base",
    "net": "base wire",
    "media": "base wire net",
    "room": "base wire",
    "agent": "base wire net room",
    "webhook": "base wire net room",
    "metrics": "base wire net media room webhook",
    "sip": "base wire net",
    "store": "base wire",
    "trunk": "base wire store",
    "signal": "base wire net media room",
    "call": "base wire net media room sip store trunk",
    "simulator": "base wire net media sip",
    "api": "base wire net media room sip trunk store signal call agent",
    "config": "base wire",
    "cli": "base wire net media room sip trunk store signal call simulator api config webhook metrics agent",
    "main.c": "base cli",
}


def main():
    bad = 0
    root = pathlib.Path(__file__).resolve().parent.parent / "src"
    for path in sorted(root.rglob("*.[ch]")):
        here = path.relative_to(root).parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'#include "(\w+)/', line)
            if m and m[1] != here and m[1] not in MAY_USE[here].split() and m[1] != "proto":
                print(f"{path.relative_to(root.parent)}:{number}: {here} may not include {m[1]}/")
                bad += 1
    return bad > 0


sys.exit(main())
