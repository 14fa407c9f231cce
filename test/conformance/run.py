#!/usr/bin/env python3
"""Run one of the recorded suites against build/ringdown: run.py api|clients|trunks [options of the suite].

Starts a server of its own, runs the suite, and compares what fails with known.txt: cases that are not done yet, each
with its reason. Fails when a case that is not listed there fails, and when a listed one passes (then the list is old).
The last line is "N passed, N failed"; known gaps are counted apart."""
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("RINGDOWN", ROOT / "build" / "ringdown")
KEY, SECRET = "devkey", "secret"

CONFIG = """
port: {port}
bind_addresses: ["127.0.0.1"]
keys: {{{key}: {secret}}}
rtc: {{udp_port: {udp}, tcp_port: {udp}, node_ip: 127.0.0.1}}
sip: {{sip_port: {sip}, listen_ip: 127.0.0.1, rtp_port: 24000-29000, calls_per_second: 0, allowed_countries: ["*"]{tls}}}
backend: {{port: {backend}}}
webhook: {{api_key: {key}, urls: ["http://127.0.0.1:{hook}/hook"]}}
data_dir: {folder}
logging: {{level: warn}}
"""


def free_ports(count):
    """Ports free for TCP and UDP alike, not of those that the kernel gives to whoever asks for any: before the server
    takes them others ask all the time."""
    found, held = [], []
    while len(found) < count:
        port, tcp, udp = random.randrange(10000, 24000), socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        held += [tcp, udp]
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        found.append(port)
    for s in held:
        s.close()
    return found


def wait_ready(url, server):
    end = time.time() + 15
    while time.time() < end and server.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=1).status == 200
        except OSError:
            time.sleep(0.05)
    sys.exit(f"the server did not answer {url}")


def command(suite, port, sip, far, hook, folder, options):
    if suite == "api":
        return [sys.executable, "run.py", "--url", f"http://127.0.0.1:{port}", "--key", KEY, "--secret", SECRET,
                "--sip-target", f"127.0.0.1:{far}", "--hook-port", str(hook), "--patience", "5", *options]
    if suite == "trunks":
        return [sys.executable, "run.py", "--url", f"http://127.0.0.1:{port}", "--key", KEY, "--secret", SECRET,
                "--tls-ca", folder, *options]
    return [str(ROOT / "tools" / "node20"), "run.mjs", "--url", f"ws://127.0.0.1:{port}", "--key", KEY, "--secret", SECRET,
            "--jobs", "2", "--sip-server", f"127.0.0.1:{sip}", *options]


def known_gaps(suite):
    """Lines "suite | case | reason"; a case may end in * for all that begin so."""
    gaps = {}
    for line in (HERE / "known.txt").read_text().splitlines():
        parts = [p.strip() for p in line.split("|", 2)]
        if len(parts) == 3 and parts[0] == suite:
            gaps[parts[1]] = parts[2]
    return gaps


def failed_cases(suite, out):
    """The names of failing cases as each runner prints them."""
    pattern = {"api": r"^FAIL\s+(.+?)\s*$", "clients": r"^FAIL (\S+ \[[\w-]+\])", "trunks": r"^FAILED (\S+):"}[suite]
    return list(dict.fromkeys(re.findall(pattern, out, re.M)))


def is_known(case, gaps):
    return next((g for g in gaps if g == case or (g.endswith("*") and case.startswith(g[:-1]))), None)


def play(suite, line):
    return subprocess.run(line, cwd=HERE / suite, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace").stdout


def play_again(out, again):
    """Scenarios with browsers depend on the clock: what fails beside others is tried once more, alone, and told."""
    gaps = known_gaps("clients")
    counts = re.findall(r"(\d+) passed, (\d+) failed", out)
    if not counts:
        return out
    passed, failed = map(int, counts[-1])
    for case in failed_cases("clients", out):
        name, client = re.match(r"(\S+) \[([\w-]+)\]", case).groups()
        if is_known(case, gaps):
            continue
        second = again(["--only", name, "--client", client, "--jobs", "1"])
        if re.search(r"^1 passed, 0 failed", second, re.M):
            print(f"passed only at the second try, alone: {case}")
            out = out.replace(f"FAIL {case}", f"second {case}")
            passed, failed = passed + 1, failed - 1
        else:
            print(second)
    return f"{out}\n{passed} passed, {failed} failed\n"


def judge(suite, out, whole):
    counts = re.findall(r"(\d+) passed, (?:(\d+) accepted[^,]*, )?(\d+) failed", out)
    gaps = known_gaps(suite)
    failed = failed_cases(suite, out)
    new = [c for c in failed if not is_known(c, gaps)]
    used = {is_known(c, gaps) for c in failed}
    stale = [g for g in gaps if g not in used] if whole else []
    for c in new:
        print(f"not expected to fail: {c}")
    for g in stale:
        print(f"listed in known.txt but passes: {suite} | {g}")
    passed = int(counts[-1][0]) + int(counts[-1][1] or 0) if counts else 0
    if not counts:
        print(out[-3000:])
    print(f"{suite}: {len(failed) - len(new)} known gaps")
    print(f"{passed} passed, {len(new) + len(stale) + (not counts)} failed")
    return bool(new or stale or not counts)


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("api", "clients", "trunks"):
        print(__doc__)
        return 2
    suite, options = sys.argv[1], sys.argv[2:]
    port, udp, sip, backend, far, hook = free_ports(6)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "config.yaml"
        tls = ""
        if suite == "trunks":  # the far ends' certificates are signed by an authority of this run
            subprocess.run([sys.executable, "run.py", "--make-ca", folder], cwd=HERE / suite, check=True)
            tls = f", tls: {{ca_file: {folder}/ca.pem}}"
        path.write_text(CONFIG.format(port=port, udp=udp, sip=sip, backend=backend, key=KEY, secret=SECRET, folder=folder,
                                      hook=hook, tls=tls))
        with open(pathlib.Path(folder) / "log", "w+") as log:
            server = subprocess.Popen([BINARY, "serve", "--config", path], stdout=log, stderr=log, cwd=folder)
            try:
                wait_ready(f"http://127.0.0.1:{port}/", server)
                out = play(suite, command(suite, port, sip, far, hook, folder, options))
                if suite == "clients":
                    out = play_again(out, lambda more: play(suite, command(suite, port, sip, far, hook, folder, more)))
            finally:
                alive = server.poll() is None
                server.terminate()
                server.wait(10)
                log.seek(0)
                tail = log.read()[-3000:]
    if os.environ.get("VERBOSE"):
        print(out)
    result = judge(suite, out, not options)
    if not alive:
        print(f"the server ended during the suite:\n{tail}")
        return 1
    return result


sys.exit(main())
