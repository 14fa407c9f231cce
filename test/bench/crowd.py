"""The figures of rooms full of people: light clients of our own (bench_people), the same against both servers."""
import contextlib
import json
import subprocess
import time

import servers
from measure import Row, at
from servers import Trouble, mint

SPEAKERS, CROWD = 3, 50
PROBE_S, JOIN_S, IDLE_S = 2, 40, 10
IDLE_ROOMS, IDLE_EACH = 100, 10


class People:
    """One process of light clients."""

    def __init__(self, build, server):
        path = build / "test/bench/bench_people"
        if not path.exists():
            raise Trouble(f"{path} is not built")
        self.total, self.name = 0, f"{time.monotonic_ns()}"
        self.child = subprocess.Popen([path, str(server.ports["port"])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)

    def say(self, line):
        try:
            self.child.stdin.write(line + "\n")
            self.child.stdin.flush()
        except OSError:
            raise Trouble("bench_people ended")

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise Trouble("bench_people ended")
        return json.loads(line)

    def add(self, room, speaks, hears):
        self.total += 1
        token = mint({"video": {"roomJoin": True, "room": room}}, f"{self.name}-{self.total}")
        self.say(f"person {int(speaks)} {hears} {token}")

    def go(self):
        """All who were added join at once; how long each took, in ms."""
        self.say(f"go {JOIN_S}")
        got = self.answer()
        if got["missing"]:
            raise Trouble(f"{got['missing']} of {got['missing'] + len(got['ms'])} did not get in or did not hear the others")
        return got["ms"]

    def close(self):
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@contextlib.contextmanager
def served(start, binary, build, count=1):
    """A server and as many processes of people."""
    with start(binary) as s, contextlib.ExitStack() as stack:
        yield (s, *(stack.enter_context(contextlib.closing(People(build, s))) for _ in range(count)))


def both(binary, peer_binary, figure):
    """What `figure(start, binary)` returns here, and there or None."""
    return figure(servers.ringdown, binary), figure(servers.peer, peer_binary) if peer_binary else None


def of(values, key):
    return values[key] if values else None


# ---- fifty come at once ----

def crowd_comes(start, binary, build, times):
    joins, pings, kb = [], [], []
    for _ in range(times):
        with served(start, binary, build, 2) as (server, stage, crowd):
            for _ in range(SPEAKERS):
                stage.add("hall", True, SPEAKERS - 1)
            stage.go()
            before = server.steady_rss(0.5)
            for _ in range(CROWD):
                crowd.add("hall", False, SPEAKERS)
            stage.say(f"probe {PROBE_S}")
            joins += crowd.go()
            pings += stage.answer()["ms"]
            kb.append((server.steady_rss(0.5) - before) / CROWD / 1000)
    return {"p50": at(joins, 0.5), "p95": at(joins, 0.95), "lag95": at(pings, 0.95), "lag": max(pings), "kb": at(kb, 0.5)}


def joining(binary, peer_binary, build, times):
    mine, other = both(binary, peer_binary, lambda start, path: crowd_comes(start, path, build, times))
    yield Row(f"join, {CROWD} at once: WebSocket -> hears all, p50", mine["p50"], "ms", "",
              f"{SPEAKERS} speakers there; {times} rounds", of(other, "p50"))
    yield Row(f"join, {CROWD} at once: WebSocket -> hears all, p95", mine["p95"], "ms", "", "", of(other, "p95"))
    yield Row("signalling answers a ping meanwhile, p95", mine["lag95"], "ms", "", "another process asks every 5 ms", of(other, "lag95"))
    yield Row("signalling answers a ping meanwhile, longest", mine["lag"], "ms", "", "the control thread's lag", of(other, "lag"))
    yield Row("memory of a listener of that room", mine["kb"], "KB", "< 250 KB", f"{CROWD} people, resident", of(other, "kb"))


# ---- forwarding ----

def fill_hall(people):
    for _ in range(SPEAKERS):
        people.add("hall", True, SPEAKERS - 1)
    people.go()
    for _ in range(CROWD):
        people.add("hall", False, SPEAKERS)
    people.go()
    return SPEAKERS + CROWD - 1


def fill_pairs(people):
    for n in range(CROWD):
        people.add(f"pair-{n}", True, 1)
        people.add(f"pair-{n}", True, 1)
    people.go()
    return 1


def forwarding(start, binary, build, fill, seconds):
    """CPU of the server for one packet that arrived, us; all its threads."""
    with served(start, binary, build) as (server, people):
        each = fill(people)
        people.say("count 1")  # what joining left to do is done
        people.answer()
        before = server.cpu()
        people.say(f"count {seconds}")
        got = people.answer()
        used = server.cpu() - before
        missing = 1 - got["packets"] / (got["sent"] * each)
    return {"us": used / got["packets"] * 1e6, "missing": missing, "packets": got["packets"]}


def forward_rows(binary, peer_binary, build, seconds):
    for name, fill in ((f"{SPEAKERS} speakers x {CROWD} listeners", fill_hall), (f"{CROWD} rooms of 2", fill_pairs)):
        mine, other = both(binary, peer_binary, lambda start, path: forwarding(start, path, build, fill, seconds))
        note = f"{mine['packets']} packets" + (f"; {mine['missing']:.0%} missing" if mine["missing"] > 0.01 else "")
        yield Row(f"server: CPU of one packet sent, {name}", mine["us"], "us", "<= 5 us" if fill is fill_hall else "", note, of(other, "us"))
        yield Row(f"server: packets of one core, {name}", 1e3 / mine["us"], "k/s", "", "1 / the line above",
                  1e3 / other["us"] if other else None, more=True)


# ---- a thousand who say nothing ----

def crowd_sits(start, binary, build):
    with served(start, binary, build) as (server, people):
        people.add("warm-up", False, 0)
        people.go()
        before = server.steady_rss(1)
        for room in range(IDLE_ROOMS):
            for _ in range(IDLE_EACH):
                people.add(f"quiet-{room}", False, 0)
            if room % 5 == 4:  # fifty at a time
                people.go()
        full = server.steady_rss(2)
        used = server.cpu()
        people.say(f"count {IDLE_S}")
        people.answer()
        return {"kb": (full - before) / 1000 / IDLE_ROOMS / IDLE_EACH, "cpu": (server.cpu() - used) / IDLE_S * 100, "mb": full / 1e6}


def sitting(binary, peer_binary, build):
    mine, other = both(binary, peer_binary, lambda start, path: crowd_sits(start, path, build))
    count = IDLE_ROOMS * IDLE_EACH
    yield Row("memory of an idle participant", mine["kb"], "KB", "< 250 KB", f"{count} in {IDLE_ROOMS} rooms, nobody speaks", of(other, "kb"))
    yield Row(f"memory of all with {count} idle participants", mine["mb"], "MB", "", "resident", of(other, "mb"))
    yield Row(f"CPU of {count} idle participants", mine["cpu"], "% core", "", f"{IDLE_S} s; pings, checks, reports", of(other, "cpu"))
