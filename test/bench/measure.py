"""Each figure of `make bench`: one function that takes it and yields rows (name, value, unit, aim, note)."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import statistics
import subprocess
import threading
import time

import servers
from servers import Trouble, mint
from sip_phone import SipPhone

HERE = pathlib.Path(__file__).resolve().parent
NUMBERS = ["+120255501%02d" % n for n in range(100)]  # the numbers that belong to nobody
BURN_S, WARM_UP = 5, 20


class Row:
    """`peer`: the same figure of a livekit-server; `more`: a larger one is better."""

    def __init__(self, name, value, unit, aim, note="", peer=None, more=False):
        self.name, self.value, self.unit, self.aim, self.note, self.peer, self.more = name, value, unit, aim, note, peer, more


def at(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


# ---- the media plane, by the program bench_media ----

def bench_media(build, *arguments):
    path = build / "test/bench/bench_media"
    if not path.exists():
        raise Trouble(f"{path} is not built")
    seconds = int(arguments[3])
    try:
        done = subprocess.run([path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds + 40)
    except subprocess.TimeoutExpired:
        raise Trouble("not done in time")
    if done.returncode:
        raise Trouble(([l for l in done.stderr.splitlines() if l.startswith("bench")] or ["ended with %d" % done.returncode])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def disturbed(got, wanted):
    """A machine that gave the server too little time shows as packets that are missing."""
    share = 1 - got / wanted if wanted else 0
    return f"; {share:.0%} of the packets missing: the machine was busy" if share > 0.01 else ""


def delay(build, receiver, seconds, jitter_ms=0):
    """Added one-way delay of the media plane: 10 calls, a burst twice a second in each direction."""
    r = bench_media(build, "delay", receiver, 10, seconds, *([jitter_ms] if jitter_ms else []))
    what = "PCMU as it is" if receiver == "pcmu" else "made Opus"
    if jitter_ms:
        what += f", {jitter_ms} ms jitter"
    waited = f"worker waited {r['waited_ms_per_s']:.1f} ms/s for a core"
    aims = {} if jitter_ms else {"to_room": "< 5 ms", "to_phone": "< 30 ms"}
    for key, name in (("to_room", f"delay phone -> room, {what}"), ("to_phone", f"delay room -> phone (beside {what})")):
        d = r[key]
        yield Row(name + ", p50", d["p50_ms"], "ms", aims.get(key, ""), f"{d['samples']} bursts, {d['lost']} lost; {waited}")
        yield Row(name + ", p95", d["p95_ms"], "ms", "")
        yield Row(name + ", p99", d["p99_ms"], "ms", "")


def calls(build, receiver, count, seconds, srtp=None):
    """CPU of bridged calls, everybody speaking all the time: the dear case."""
    r = bench_media(build, "calls", receiver, count, seconds, *([srtp] if srtp else []))
    share = r["cpu_s"] / r["wall_s"] / count
    what, aim = ("passthrough", ">= 400") if receiver == "pcmu" else ("made Opus", ">= 150")
    if srtp:
        what, aim = what + ", SRTP on the phone's side", ""
    note = f"{count} calls, {r['cpu_s']:.2f} s of CPU in {r['wall_s']:.1f} s" + disturbed(r["phone_packets"], r["wall_s"] * 50 * count)
    yield Row(f"CPU of a bridged call, {what}", share * 100, "% core", "", note)
    yield Row(f"bridged calls for one core, {what}", 1 / share, "calls", aim, "1 / the line above")


def forward(build, speakers, listeners, seconds):
    r = bench_media(build, "forward", speakers, listeners, seconds)
    yield Row("SFU: CPU of one packet sent", r["cpu_s"] / r["client_packets"] * 1e6, "us", "<= 5 us",
              f"{speakers} speakers, {listeners} listeners, {r['client_packets']} packets" + disturbed(r["client_packets"], r["sent"] * listeners))


# ---- the whole server ----

def cold_start(binary, start, peer_binary, times):
    mine = median_start(start, binary, times)
    other = median_start(servers.peer, peer_binary, times) * 1000 if peer_binary else None
    yield Row("cold start: exec to GET / answered", mine * 1000, "ms", "< 100 ms", f"median of {times}", other)


def median_start(start, binary, times):
    taken = []
    for _ in range(times):
        with start(binary) as s:
            taken.append(s.start_s)
            s.child.kill()  # nothing is at stake, and some take seconds to say goodbye
    return statistics.median(taken)


def idle(binary, peer_binary):
    with servers.ringdown(binary) as s:
        mine = s.steady_rss()
    other = None
    if peer_binary:
        with servers.peer(peer_binary) as s:
            other = s.steady_rss() / 1e6
    yield Row("idle memory", mine / 1e6, "MB", "< 20 MB", "resident, 2 s after the start, nobody there", other)


class Dialler:
    """POSTs on one connection, and the phone that they ring."""

    def __init__(self, server):
        self.server, self.phone, self.made = server, SipPhone(), 0
        self.trunk = server.api("SIP/CreateSIPOutboundTrunk", {"trunk": {
            "name": "bench", "address": self.phone.address, "transport": "SIP_TRANSPORT_UDP", "numbers": ["+12025550199"]}})["sip_trunk_id"]
        self.link = http.client.HTTPConnection("127.0.0.1", server.ports["backend"], timeout=10)
        self.link.connect()
        self.token = mint({"sip": {"call": True, "admin": True}, "video": {"roomAdmin": True, "roomCreate": True}})

    def close(self):
        self.link.close()
        self.phone.close()

    def request(self, room):
        body = json.dumps({"room": room, "phone_number": NUMBERS[self.made % len(NUMBERS)], "trunk": self.trunk}).encode()
        return (f"POST /livekit/sip/outbound HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer {self.token}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    def dial(self, room):
        """(the answered call, the wall clock in ns when the POST left)"""
        self.made += 1
        before = set(self.phone.dialogs)
        request = self.request(room)
        sent_ns = time.time_ns()  # before: the server may be done before sendall() is
        self.link.sock.sendall(request)
        new = lambda: [c for c in self.phone.dialogs if c not in before]
        rang = self.phone.pump(new, BURN_S)
        answer = http.client.HTTPResponse(self.link.sock, method="POST")
        if not rang:
            self.link.sock.settimeout(1)
            with contextlib.suppress(OSError):
                answer.begin()
                raise Trouble(f"no INVITE: {answer.status} {answer.read()[:200]!r}")
            raise Trouble("no INVITE and no answer to the POST")
        answer.begin()
        text = answer.read()
        if answer.status >= 300:
            raise Trouble(f"POST: {answer.status} {text[:200]!r}")
        d = self.phone.dialogs[new()[0]]
        if not self.phone.pump(lambda: d.acked, BURN_S):
            raise Trouble("no ACK")
        return d, sent_ns

    def hang_up(self, dialogs):
        for d in dialogs:
            self.phone.hang_up(d)
        self.phone.pump(lambda: all(d.over for d in dialogs), BURN_S)


def dialling(binary, samples):
    """From the POST's leaving (one write) to the INVITE's arrival by the kernel's stamp, one call at a time."""
    invites, sounds = [], []
    with servers.ringdown(binary) as s, contextlib.closing(Dialler(s)) as dialler:
        for n in range(WARM_UP + samples):
            time.sleep(random.uniform(0, 0.02))  # calls come at any moment of the server's 20 ms beat
            dialler.phone.first_rtp_ns = 0
            d, sent_ns = dialler.dial(f"bench-{n}")
            heard = dialler.phone.pump(lambda: dialler.phone.first_rtp_ns, 1)
            if n >= WARM_UP:
                invites.append((d.invited_ns - sent_ns) / 1e6)
                if heard:
                    sounds.append((dialler.phone.first_rtp_ns - d.answered_ns) / 1e6)
            dialler.hang_up([d])
    yield Row("POST -> INVITE on the wire, p50", at(invites, 0.5), "ms", "< 2 ms", f"{len(invites)} calls, keep-alive")
    yield Row("POST -> INVITE on the wire, p95", at(invites, 0.95), "ms", "")
    if sounds:
        yield Row("200 OK -> first RTP, p50", at(sounds, 0.5), "ms", "< 5 ms", f"{len(sounds)} calls")
        yield Row("200 OK -> first RTP, p95", at(sounds, 0.95), "ms", "")


class People:
    """rtc-node in a process of its own; joins when told."""

    def __init__(self, url):
        if not (HERE.parent / "node_modules/@livekit/rtc-node").exists():
            raise Trouble("test/node_modules is not there: run `npm ci` in test/")
        self.child = subprocess.Popen(["node", HERE / "participants.mjs", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        self.total = 0

    def join(self, rooms):
        tokens = [mint({"video": {"roomJoin": True, "room": r}}, f"person-{self.total + i}") for i, r in enumerate(rooms)]
        self.total += len(rooms)
        late = threading.Timer(30, self.child.kill)
        late.start()
        try:
            self.child.stdin.write(json.dumps(tokens) + "\n")
            self.child.stdin.flush()
            for line in self.child.stdout:
                if line.startswith("joined"):
                    return
                if line.startswith("failed"):
                    raise Trouble("rtc-node: " + line.strip())
            raise Trouble("rtc-node did not get in within 30 s")
        finally:
            late.cancel()

    def close(self):
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def empty_calls(binary, count):
    """Calls into rooms without people: what a call holds by itself."""
    with servers.ringdown(binary) as s, contextlib.closing(Dialler(s)) as dialler:
        dialler.hang_up([dialler.dial("warm-up")[0]])
        before = s.steady_rss(1)
        held = [dialler.dial(f"held-{i}")[0] for i in range(count)]
        each = (s.steady_rss(1) - before) / count
        dialler.hang_up(held)
    yield Row("memory of a call, room empty", each / 1000, "KB", "< 150 KB", f"{count} calls held, each in a room of its own")


def people_and_calls(binary, peer_binary, pairs):
    """Pairs of people, each publishing and hearing the other; then a phone call into each pair's room."""
    rooms = [f"pair-{i}" for i in range(pairs)]
    other = people_memory(servers.peer, peer_binary, rooms, None) if peer_binary else None
    calls_kb = []
    each = people_memory(servers.ringdown, binary, rooms, calls_kb)
    yield Row("memory of a participant", each / 1000, "KB", "< 250 KB", f"{2 * pairs} of rtc-node, in pairs, publishing and hearing",
              other / 1000 if other else None)
    if calls_kb:
        yield Row("memory of a bridged call", calls_kb[0], "KB", "< 150 KB", f"{pairs} calls, one for each pair, talking")


def people_memory(start, binary, rooms, calls_kb):
    with start(binary) as s, contextlib.closing(People(f"ws://127.0.0.1:{s.ports['port']}")) as people:
        people.join(["warm-up", "warm-up"])
        before = s.steady_rss(1)
        people.join([r for r in rooms for _ in range(2)])
        full = s.steady_rss(2)
        if calls_kb is not None:
            calls_kb.append(bridged(s, rooms))
        return (full - before) / (2 * len(rooms))


def bridged(server, rooms):
    """KB for each call into rooms that have people in them."""
    with contextlib.closing(Dialler(server)) as dialler:
        dialler.hang_up([dialler.dial("warm-up")[0]])
        before = server.steady_rss(1)
        held = [dialler.dial(r)[0] for r in rooms]
        for _ in range(100):  # two seconds of talk, so that what is made on demand is there
            for d in held:
                dialler.phone.say(d)
            dialler.phone.pump(lambda: False, 0.02)
        each = (server.rss() - before) / len(rooms) / 1000
        dialler.hang_up(held)
    return each


def machine():
    """What the figures belong to."""
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 1e6
    return {"cores": os.cpu_count(), "cpu": model, "memory_gb": round(memory, 1), "kernel": os.uname().release, "load_at_start": os.getloadavg()[0]}
