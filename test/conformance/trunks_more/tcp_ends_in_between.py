"""Over TCP the far end closes while it rings, and answers by a connection that it makes to our Via; closes again, and is hung up on.
Right: the answer counts, a ping gets its pong, the BYE comes by a connection of its own. RFC 3261 18.2.2, 18.4, RFC 5626 3.5.1.
"""
import re
import socket
import time

from farend import Link
from trial import SDP_TYPE, check


def close(link):
    link.sock.shutdown(socket.SHUT_RDWR)
    link.open = False


def run(t):
    call = t.dial(transport="tcp", stored=True)
    call.reply(180)
    t.until("ringing", lambda: t.status_of(call.identity), 3)
    close(call.invite.link)
    host, port = re.search(r"SIP/2.0/TCP ([\d.]+):(\d+)", call.invite.get("via")).groups()
    link = Link(socket.create_connection((host, int(port))), (host, int(port)))
    call.phone.links.append(link)
    link.sock.sendall(call.phone.build(call.invite, 200, headers=call.head(SDP_TYPE), body=call.sdp(), tag=call.tag))
    ack = call.expect("ACK", 4)
    call.up = True
    call.succeeded()
    ack.link.raw = b""
    ack.link.sock.sendall(b"\r\n\r\n")
    t.until(b"\r\n", lambda: ack.link.raw, 2)
    for one in call.phone.links:
        if one.open:
            close(one)
    time.sleep(0.3)
    check(t.status_of(call.identity) == "active", "active", t.status_of(call.identity))
    bye = call.hang_up()
    check(bye.link not in (link, ack.link), "BYE by a new connection", "an old one")
