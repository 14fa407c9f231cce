"""A carrier of several addresses: its 180 and 200 come from another one than the INVITE went to, and so do its BYE and OPTIONS.
Right: a response is known by the branch, a request by the dialog; ACK and BYE go where Contact says. RFC 3261 17.1.3, 12.2.2, 18.1.2.
"""
import socket

from farend import Message
from trial import SDP_TYPE, check


def run(t):
    edge = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    edge.bind(("127.0.0.2", 0))
    edge.settimeout(3)
    try:
        call = t.dial()
        build = lambda status, body="": call.phone.build(call.invite, status, headers=call.head(SDP_TYPE if body else []), body=body, tag=call.tag)
        edge.sendto(build(180), call.invite.source)
        t.until("ringing", lambda: t.status_of(call.identity), 3)
        edge.sendto(build(200, call.sdp()), call.invite.source)
        call.expect("ACK", 3)
        call.up = True
        call.succeeded()
        for method in ("OPTIONS", "BYE"):
            edge.sendto(call.build(method), call.invite.source)
            answer = Message(edge.recv(4096))
            check(answer.status == 200, "200 to the %s" % method, answer.line)
        t.gone(call.identity, 3)
    except socket.timeout:
        check(False, "an answer at the other address", "none")
    finally:
        edge.close()
