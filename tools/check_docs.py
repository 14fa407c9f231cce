#!/usr/bin/env python3
"""The documents tell what the code does: settings, error codes, sentences, methods, the simulator's
numbers and links, each compared with the table in the source that it is taken from."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LITERALS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
problems = []


def read(path):
    return (ROOT / path).read_text()


def joined(literals):
    """C's "a" "b" as one text."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"')


def section(text, first, last):
    """From the heading `first` to the heading `last`."""
    start = text.index("\n" + first + "\n")
    return text[start:text.index("\n" + last + "\n", start) if last else len(text)]


def compare(what, in_code, in_docs):
    for name in sorted(in_code - in_docs):
        problems.append(f"{what}: {name} is in the code and not documented")
    for name in sorted(in_docs - in_code):
        problems.append(f"{what}: {name} is documented and not in the code")


def check_settings():
    schema, doc = read("src/config/schema.c"), read("docs/configuration.md")
    keys = dict(re.findall(r'\{"([\w.]+)", (SCHEMA_\w+),', schema))
    rows = re.findall(r"^\| `([\w.]+)` \|", section(doc, "## Keys", "## What a trunk may say beyond LiveKit's fields"), re.M)
    compare("docs/configuration.md", {k for k in keys if keys[k] != "SCHEMA_UNUSED"}, set(rows))
    for name in {r for r in rows if rows.count(r) > 1}:
        problems.append(f"docs/configuration.md: {name} is there twice")

    texts = dict(re.findall(r'static const char (\w+)\[\] = "([^"]*)"', schema))
    unused = {(k, texts.get(why, why.strip('"'))) for k, why in re.findall(r'UNUSED\("([^"]+)", ("[^"]*"|\w+)\)', schema)}
    told = set()
    for line in section(doc, "## LiveKit's keys without effect", None).splitlines():
        cells = line.split(" | ")
        if line.startswith("| `") and len(cells) == 2:
            told |= {(k, cells[1].rstrip(" |")) for k in re.findall(r"`([\w.]+)`", cells[0])}
    compare("docs/configuration.md, without effect", unused, told)

    config, flags = read("src/config/config.c"), read("src/config/flags.c")
    names = set(re.findall(r'env_get\([^;]*?"([A-Z_]+)"', config))
    names |= set(re.findall(r'\{"[\w-]+", "[\w.]+", "([A-Z_]+)"\}', flags)) | {"LIVEKIT_SIP_TRUNK"}
    compare("docs/configuration.md, environment", names,
            set(re.findall(r"`([A-Z_]{4,})`", re.search(r"\n\| variable \|.*?\n\n", doc, re.S)[0])))
    names = set(re.findall(r'\{"([\w-]+)", "[\w.]+", (?:"[A-Z_]+"|NULL)\}', flags))
    compare("docs/configuration.md, flags", names | {"disable-strict-config", "cpuprofile", "memprofile"},
            set(re.findall(r"`--([\w-]+)", re.search(r"\n\| flag \|.*?\n\n", doc, re.S)[0])))


def check_trunk_options():
    rules = re.findall(r'\{(NULL|"\w+"), "(\w+)", OPTION_', read("src/trunk/options.c"))
    doc = section(read("docs/configuration.md"), "## What a trunk may say beyond LiveKit's fields", "## Environment").split("\n### ")[0]
    compare("docs/configuration.md, trunk options",
            {name if group == "NULL" else group.strip('"') + "." + name for group, name in rules},
            set(re.findall(r"^\| `([a-z_.]+)` \|", doc, re.M)))


def check_backend():
    source = "".join(read(p.relative_to(ROOT)) for p in (ROOT / "src/api").glob("backend*.c"))
    codes = set(re.findall(r'backend_fail\(&?b, \d+, "(\w+)"', source)) | set(re.findall(r'backend_error\("(\w+)"', source))
    codes |= set(re.findall(r'\[CALL_E_\w+\] = \{\d+, "(\w+)"\}', source))
    for code, status in re.findall(r'\[CALL_E_\w+\] = \{(\d+), "(\w+)"\}', source):
        if not re.search(rf"^\| {code} \| .*`{status}`", read("docs/api.md"), re.M):
            problems.append(f"docs/api.md: {status} is not told with status {code}")
    errors = section(read("docs/api.md"), "## Errors", "## Attributes of the phone")
    compare("docs/api.md", codes, {c for row in re.findall(r"^\| \d{3} \|([^|]*)\|", errors, re.M)
                                   for c in re.findall(r"`(\w+)`", row)})
    openapi = read("docs/openapi.yaml")
    for code in codes - {"not_found"}:
        if not re.search(rf"\b{code}\b", openapi):
            problems.append(f"docs/openapi.yaml: {code} is missing")
    paths = set(re.findall(r'\{"(/[\w/]+)", backend_\w+', source))
    compare("docs/openapi.yaml", paths, set(re.findall(r"^  (/[\w/]+)(?:\{\w+\})?:$", openapi, re.M)))


def check_methods():
    source = read("src/api/room_service.c") + read("src/api/sip_service.c")
    doc = section(read("docs/api.md"), "## Twirp, on `port`", None)
    for name in re.findall(r'\{(?:ROOM|SIP), "(\w+)"', source):
        if f"`{name}`" not in doc:
            problems.append(f"docs/api.md: the method {name} is missing")


def check_attributes():
    source = "".join(read(p.relative_to(ROOT)) for p in (ROOT / "src/call").glob("*.c"))
    doc = section(read("docs/api.md"), "## Attributes of the phone", "## Twirp, on `port`")
    for name in set(re.findall(r'"((?:ringdown|sip)\.[A-Za-z]+)"', source)):
        if f"`{name}`" not in doc:
            problems.append(f"docs/api.md: the attribute {name} is missing")


def check_failures():
    """The table itself is compared by test/unit/trunk_explain.c; nothing may stand beside it."""
    for p in sorted((ROOT / "src/call").glob("*.c")):
        for text in re.findall(r"\.sentence = " + LITERALS, p.read_text()):
            problems.append(f"{p.relative_to(ROOT)}: a sentence outside the table of endings: {joined(text)}")


def check_simulator():
    book = set(re.findall(r'\{"(\+\d+)",', read("src/simulator/numbers.c")))
    doc = read("docs/simulator.md")
    compare("docs/simulator.md", book, set(re.findall(r"^\| `(\+\d+)` \|", doc, re.M)))
    rows = {title: set(re.findall(r"^\| `([\w.-]+)` \|", part, re.M)) for title, part in re.findall(r"^## (.*)\n([^#]*)", doc, re.M)}
    quirks = set(re.findall(r'^\t\[Q_\w+\] = \{"([\w-]+)"', read("src/simulator/carrier_quirk.c"), re.M))
    compare("docs/simulator.md, quirks", quirks, rows["Quirks"])
    tables = read("src/simulator/carrier_profile.c")
    compare("docs/simulator.md, profiles", set(re.findall(r'^\t\{"([\w-]+)", "', tables, re.M)), rows["Profiles"])
    hosts = set(re.findall(r'^\t\{"([\w.-]+\.test)", "', tables, re.M))
    compare("docs/simulator.md, hosts", hosts, rows["Which trunk: the host of the Request-URI"])


def anchors(text):
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def check_links():
    for p in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", p.read_text()):
            to = p.parent / target if target else p
            if not to.exists():
                problems.append(f"{p.relative_to(ROOT)}: there is no {target}")
            elif anchor and anchor not in anchors(to.read_text()):
                problems.append(f"{p.relative_to(ROOT)}: {target} has no heading {anchor}")
        for name in re.findall(r"`((?:docs|src|tools|test)/[\w./-]+\.\w+)`", p.read_text()):
            if not (ROOT / name).exists():
                problems.append(f"{p.relative_to(ROOT)}: there is no {name}")


for check in (check_settings, check_trunk_options, check_backend, check_methods, check_attributes, check_failures, check_simulator, check_links):
    check()
print("\n".join(problems) or "the documents tell what the code does")
sys.exit(len(problems) > 0)
