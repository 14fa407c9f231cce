"""The programs that are measured: started on free ports of 127.0.0.1, asked, and ended by process id."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

KEY, SECRET = "benchkey", "bench-secret-of-at-least-32-characters"
START_S, STOP_S = 10, 8
PEER_VERSION = "v1.13.5"
RINGDOWN = """
port: {port}
bind_addresses: ["127.0.0.1"]
keys:
  {key}: {secret}
rtc:
  udp_port: {udp}
  tcp_port: {tcp}
  node_ip: 127.0.0.1
  enable_loopback_candidate: true
sip:
  sip_port: {sip}
  listen_ip: 127.0.0.1
  rtp_port: 30000-31998
  calls_per_second: 0
backend:
  port: {backend}
  bind_address: 127.0.0.1
simulator:
  enabled: false
data_dir: {folder}
"""
PEER = """
port: {port}
bind_addresses: ["127.0.0.1"]
keys:
  {key}: {secret}
rtc:
  udp_port: {udp}
  tcp_port: {tcp}
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
"""


class Trouble(Exception):
    """A figure that cannot be taken, and why."""


def free_ports(count):
    """Ports free for TCP and UDP alike, below those that the kernel gives to whoever asks for any."""
    held, ports = [], []
    for port in random.sample(range(18000, 28000), 200):
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held += [tcp, udp]
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            ports.append(port)
        except OSError:
            pass
        if len(ports) == count:
            break
    for s in held:
        s.close()
    if len(ports) < count:
        raise Trouble("no free ports")
    return ports


def mint(grants, identity="bench"):
    """A token of LiveKit's kind (HS256)."""
    b64 = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    now = int(time.time())
    claims = {"iss": KEY, "sub": identity, "nbf": now - 10, "exp": now + 3600, **grants}
    signed = b64(b'{"alg":"HS256","typ":"JWT"}') + "." + b64(json.dumps(claims).encode())
    return signed + "." + b64(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())


class Program:
    """One running server. `with` ends it."""

    def __init__(self, binary, arguments, config):
        self.ports = dict(zip(("port", "udp", "tcp", "sip", "backend"), free_ports(5)))
        self.folder = tempfile.mkdtemp(prefix="bench-")
        path = pathlib.Path(self.folder, "config.yaml")
        path.write_text(config.format(key=KEY, secret=SECRET, folder=self.folder, **self.ports))
        self.log_path = pathlib.Path(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.started = time.perf_counter()
            self.child = subprocess.Popen([binary, *arguments, "--config", str(path)], stdin=subprocess.DEVNULL, cwd=self.folder,
                                          stdout=log, stderr=log)
        try:
            self.start_s = self.wait_until_up()
        except Trouble:
            self.stop()
            raise

    def wait_until_up(self):
        """Seconds from before exec to the last byte of the first 200 of GET /."""
        while time.perf_counter() - self.started < START_S:
            if self.child.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.ports["port"]), 1) as s:
                    s.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    if b" 200 " in s.recv(4096).split(b"\r\n")[0]:
                        return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.001)
        raise Trouble("does not answer GET /: " + self.log()[-300:])

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def rss(self):
        """Bytes resident."""
        if self.child.poll() is not None:
            raise Trouble("it ended: " + self.log()[-300:])
        with open(f"/proc/{self.child.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def steady_rss(self, seconds=2.0):
        time.sleep(seconds)  # the figure is "after a while", there is no event for that
        return self.rss()

    def cpu(self):
        """Seconds of CPU that its threads have had."""
        sum_ns = 0
        for task in pathlib.Path(f"/proc/{self.child.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                sum_ns += int((task / "schedstat").read_text().split()[0])
        return sum_ns / 1e9

    def api(self, method, body):
        grants = {"sip": {"admin": True, "call": True}, "video": {"roomCreate": True, "roomList": True, "roomAdmin": True}}
        link = http.client.HTTPConnection("127.0.0.1", self.ports["port"], timeout=10)
        try:
            link.request("POST", "/twirp/livekit." + method, json.dumps(body),
                         {"Content-Type": "application/json", "Authorization": "Bearer " + mint(grants)})
            answer = link.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Trouble(f"{method}: {answer.status} {text[:200]!r}")
            return json.loads(text)
        finally:
            link.close()

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ringdown(binary):
    return Program(binary, ["serve"], RINGDOWN)


def peer(binary):
    return Program(binary, [], PEER)


def install_peer(folder):
    """The path of a livekit-server under `folder`, built there by Go when it is not. Trouble: it cannot be had."""
    binary = folder / "bin" / "server"
    if binary.exists():
        return str(binary)
    if not shutil.which("go"):
        raise Trouble("no Go here to build a livekit-server with")
    print(f"Building livekit-server {PEER_VERSION} in {folder} (some minutes, once)...", file=sys.stderr, flush=True)
    done = subprocess.run(["go", "install", f"github.com/livekit/livekit-server/cmd/server@{PEER_VERSION}"],
                          env={**os.environ, "GOPATH": str(folder), "GOBIN": str(folder / "bin"), "GOFLAGS": "-modcacherw"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Trouble("livekit-server could not be built: " + (done.stdout.strip().splitlines() or ["go said nothing"])[-1])
    return str(binary)
