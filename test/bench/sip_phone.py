"""A far end of SIP over UDP or TLS that answers every INVITE at once, and the RTP socket its SDP names."""
import os
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time

SO_TIMESTAMPNS = 35
RTP_BYTES = struct.Struct("!BBHII")


def open_udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.bind(("127.0.0.1", 0))
    return s


def receive(s):
    """(bytes, from, when the kernel got it, in ns of the wall clock)"""
    data, ancillary, _, sender = s.recvmsg(65536, 64)
    when = time.time_ns()
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", value)
            when = seconds * 10**9 + nanoseconds
    return data, sender, when


class Dialog:
    """One answered call."""

    def __init__(self, headers, sender, when, rtp):
        self.invite, self.sender, self.invited_ns, self.rtp = headers, sender, when, rtp
        self.answered_ns = 0
        self.acked = self.over = False
        self.seq = self.stamp = 0


class SipPhone:
    """Answers 200 to INVITE; with `challenge` only when it comes with credentials, which are not looked at.
    Everything happens inside pump(): one thread, so no thread's waking is measured."""

    protocol = "UDP"

    def __init__(self, challenge=False):
        self.sip, self.rtp = open_udp(), open_udp()
        self.dialogs, self.by_branch, self.challenge = {}, {}, challenge
        self.address = "127.0.0.1:%d" % self.sip.getsockname()[1]
        self.first_rtp_ns = 0

    def close(self):
        self.sip.close()
        self.rtp.close()

    def send(self, data, to):
        self.sip.sendto(data, to)

    def pump(self, done, seconds):
        """Handles what comes until done() is true; False when it did not become so in time."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            for s in select.select([self.sip, self.rtp], [], [], left)[0]:
                data, sender, when = receive(s)
                if s is self.rtp:
                    self.first_rtp_ns = self.first_rtp_ns or when
                else:
                    self.on_message(data.decode(errors="replace"), sender, when)
        return True

    def on_message(self, text, sender, when):
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        call = headers.get("call-id", [""])[0]
        if first.startswith("SIP/2.0"):
            if "BYE" in headers.get("cseq", [""])[0] and call in self.dialogs:
                self.dialogs[call].over = True
        elif first.startswith("INVITE "):
            self.on_invite(call, headers, body, sender, when)
        elif first.startswith("ACK "):
            if call in self.dialogs:
                self.dialogs[call].acked = True
        else:
            self.answer(headers, sender, "200 OK", "")
            if first.startswith("BYE ") and call in self.dialogs:
                self.dialogs[call].over = True

    def on_invite(self, call, headers, body, sender, when):
        if self.challenge and "proxy-authorization" not in headers:
            self.answer(headers, sender, "407 Proxy Authentication Required", "",
                        ['Proxy-Authenticate: Digest realm="bench",nonce="%s",qop="auth"' % call])
            return
        branch = headers["via"][0]
        if call in self.dialogs and self.by_branch.get(call) == branch:
            return  # said again although it was answered
        self.by_branch[call] = branch
        port = re.search(r"m=audio (\d+)", body)
        d = self.dialogs[call] = Dialog(headers, sender, when, ("127.0.0.1", int(port[1])) if port else None)
        sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\n"
               "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n" % self.rtp.getsockname()[1])
        self.answer(headers, sender, "200 OK", sdp)
        d.answered_ns = time.time_ns()

    def answer(self, headers, sender, status, body, more=()):
        to = headers["to"][0]
        lines = ["SIP/2.0 " + status] + ["Via: " + v for v in headers["via"]]
        lines += ["Record-Route: " + r for r in headers.get("record-route", [])]
        lines += ["From: " + headers["from"][0], "To: " + (to if "tag=" in to else to + ";tag=bench"), "Call-ID: " + headers["call-id"][0],
                  "CSeq: " + headers["cseq"][0], "Contact: <sip:phone@%s>" % self.address, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"]
        lines += more
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append("Content-Length: %d" % len(body))
        self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), sender)

    def hang_up(self, dialog):
        h = dialog.invite
        target = re.search(r"<([^>]+)>", h["contact"][0])[1]
        lines = ["BYE %s SIP/2.0" % target, "Via: SIP/2.0/%s %s;branch=z9hG4bK%x;rport" % (self.protocol, self.address, time.time_ns()), "Max-Forwards: 70",
                 "From: " + h["to"][0] + ";tag=bench", "To: " + h["from"][0], "Call-ID: " + h["call-id"][0], "CSeq: 1 BYE", "Content-Length: 0"]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode(), dialog.sender)

    def say(self, dialog, payload=b"\x55" * 160):
        """20 ms of sound to the server's RTP port."""
        if dialog.rtp:
            self.rtp.sendto(RTP_BYTES.pack(0x80, 0, dialog.seq & 0xffff, dialog.stamp & 0xffffffff, 4711) + payload, dialog.rtp)
            dialog.seq += 1
            dialog.stamp += 160


class TlsSipPhone(SipPhone):
    """The same by TLS, with a certificate of its own that programs started afterwards trust (SSL_CERT_FILE)."""

    protocol = "TLS"

    def __init__(self, challenge=False):
        super().__init__(challenge)
        self.sip.close()
        self.folder = tempfile.mkdtemp(prefix="bench-tls-")
        key, cert = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
        os.environ["SSL_CERT_FILE"] = cert
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.sip, self.link, self.buffer = socket.create_server(("127.0.0.1", 0)), None, b""
        self.address = "127.0.0.1:%d" % self.sip.getsockname()[1]

    def close(self):
        super().close()
        if self.link:
            self.link.close()
        os.environ.pop("SSL_CERT_FILE", None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, data, to):
        self.link.setblocking(True)
        self.link.sendall(data)
        self.link.setblocking(False)

    def pump(self, done, seconds):
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            ready = select.select([self.link or self.sip, self.rtp], [], [], left)[0]
            if self.rtp in ready:
                self.first_rtp_ns = self.first_rtp_ns or receive(self.rtp)[2]
            if self.sip in ready:
                self.link = self.context.wrap_socket(self.sip.accept()[0], server_side=True)
                self.link.setblocking(False)
            elif self.link in ready:
                self.read()
        return True

    def read(self):
        try:
            while piece := self.link.recv(65536):
                self.buffer += piece
        except ssl.SSLWantReadError:
            pass
        while (at := self.buffer.find(b"\r\n\r\n")) >= 0:
            size = re.search(rb"\r\nContent-Length: *(\d+)", self.buffer[:at + 2], re.I)
            whole = at + 4 + int(size[1] if size else 0)
            if len(self.buffer) < whole:
                return
            message, self.buffer = self.buffer[:whole], self.buffer[whole:]
            self.on_message(message.decode(errors="replace"), None, time.time_ns())
