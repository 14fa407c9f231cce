#!/usr/bin/env python3
"""Render the bank's prompts: render_prompts.py prompts.txt out.c

Each line "name: text" is spoken by espeak-ng, brought to 8 kHz mu-law by sox, and written as a C
table for simulator/prompts.h."""
import pathlib
import subprocess
import sys
import tempfile


def render(text, folder):
    wav, raw = folder / "speech.wav", folder / "speech.ul"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", wav, text], check=True)
    subprocess.run(["sox", wav, "-r", "8000", "-c", "1", "-e", "mu-law", "-b", "8", "-t", "raw", raw,
                    "norm", "-6"], check=True)
    return raw.read_bytes()


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    lines = ['/* Made by tools/render_prompts.py; do not edit. */', '#include "simulator/prompts.h"', ""]
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for line in source.read_text().splitlines():
            name, text = line.split(":", 1)
            sound = render(text.strip(), pathlib.Path(folder))
            lines.append(f"static const uint8_t sound_{name}[] = {{")
            lines += ["\t" + ",".join(map(str, sound[i:i + 40])) + "," for i in range(0, len(sound), 40)]
            lines += ["};", ""]
            table.append(f'\t{{"{name}", sound_{name}, sizeof sound_{name}}},')
    lines += ["const struct prompt prompts[] = {", *table, "\t{0},", "};", ""]
    out.write_text("\n".join(lines))


main()
