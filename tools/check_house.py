#!/usr/bin/env python3
"""The house rules that a script can see: lengths of files and functions, headers that say who owns
what, forbidden functions, a fuzz target for each parser of network bytes, a clean lock file."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_MAX = 1000
FUNCTION_MAX = 70

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gmtime|localtime|rand|alloca|gets|"
    r"malloc|calloc|realloc|strdup|strndup)\s*\("
)
MAY_ALLOCATE = {"src/base/mem.c"}

# Parsers of bytes that strangers send, and the fuzz target that feeds each.
PARSERS = {
    "src/wire/stun.c": "stun", "src/wire/rtp.c": "rtp", "src/wire/rtcp.c": "rtcp", "src/wire/sdp.c": "sdp",
    "src/wire/sip_message.c": "sip_message", "src/wire/dtmf_event.c": "dtmf_event", "src/wire/jwt.c": "jwt",
    "src/wire/sip_mask.c": "sip_mask",
    "src/wire/e164.c": "e164", "src/wire/proto_json.c": "proto_json", "src/wire/join_request.c": "join_request",
}

problems = []


def say(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > FUNCTION_MAX:
                say(path, start, f"function of {number - start - 1} lines (at most {FUNCTION_MAX})")
            start = None


def check_header(path, text):
    head = text[:2500].lower()
    # A header of plain values and pure functions has no owner to name.
    pure = "thread: any" in head or "pure" in head
    for word in ("thread",) if pure else ("owner", "owns", "thread"):
        if word not in head and not ("pure" in head and word == "thread"):
            say(path, 1, f"the header does not say: {word.capitalize()}")


def check_source(path):
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > FILE_MAX:
        say(path, 1, f"{len(lines)} lines (at most {FILE_MAX})")
    if path.suffix == ".c":
        check_functions(path, lines)
    name = str(path.relative_to(ROOT))
    for number, line in enumerate(lines, 1):
        m = BANNED.search(line.split("//")[0])
        if m and name not in MAY_ALLOCATE and not line.lstrip().startswith(("*", "/*")):
            say(path, number, f"{m[1]}() is not used in this house")


for p in sorted((ROOT / "src").rglob("*.[ch]")):
    check_source(p)
for p in sorted((ROOT / "src").rglob("*.h")):
    if p.parts[-2] in ("net", "media", "room", "sip", "call", "signal", "api", "trunk", "store"):
        check_header(p, p.read_text())
for source, target in PARSERS.items():
    if (ROOT / source).exists():
        if not (ROOT / f"test/fuzz/fuzz_{target}.c").exists():
            say(ROOT / source, 1, f"no fuzz target test/fuzz/fuzz_{target}.c")
        elif f"'{target}'" not in (ROOT / "test/fuzz/meson.build").read_text():
            say(ROOT / source, 1, f"fuzz target {target} is not listed in test/fuzz/meson.build")
for p in ROOT.glob("*/package-lock.json"):
    if '"resolved"' in p.read_text():
        say(p, 1, "a lock file carries no download addresses")

print("\n".join(problems) or "the house is in order")
sys.exit(len(problems) > 0)
