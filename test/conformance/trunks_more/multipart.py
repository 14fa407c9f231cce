"""A gateway of the phone network puts ISUP beside its SDP: multipart/mixed in the 183, in the 200 and in a re-INVITE.
Right: the SDP is found wherever it stands. RFC 5621 3.1, RFC 3204.
"""
import time

from farend import Message, Sdp
from trial import check

ISUP = "Content-Type: application/isup;version=itu\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\x02"


def both(body, first):
    parts = ["Content-Type: application/sdp\r\n\r\n" + body, ISUP]
    return "".join("--a b\r\n%s\r\n" % part for part in (parts if first else parts[::-1])) + "--a b--\r\n"


def run(t):
    kind = [("Content-Type", 'multipart/mixed; boundary="a b"'), ("MIME-Version", "1.0")]
    other = t.witness()
    call = t.dial()
    call.rtp.freq = 900
    call.phone.answer(call.invite, 183, headers=call.head(kind), body=both(call.sdp(), True), tag=call.tag)
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz of the announcement", "silence")
    call.phone.answer(call.invite, 200, headers=call.head(kind), body=both(call.sdp(), False), tag=call.tag)
    call.expect("ACK", 3)
    call.up = True
    call.succeeded()
    data = call.build("INVITE", headers=kind, body=both(call.sdp(way="sendonly"), False))
    call.phone.send(data, call.invite)
    response = call.expect("final", 3, where=lambda m: m.cseq == Message(data).cseq)
    check(response.status == 200 and Sdp(response.body).way == "recvonly", "200 with a=recvonly", response.line)
    call.phone.send(call.build("ACK", cseq=response.cseq), call.invite)
    time.sleep(0.1)
    call.hang_up()
