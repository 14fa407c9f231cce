"""Keys by INFO: types in odd case and with parameters, "10" for the star, and as one part of a body of several.
Right: each is 200 and reaches the room, once. RFC 6086 4.2, RFC 5621 3.1.
"""
from trial import check

KEYS = (
    ("application/dtmf-relay", "Signal=1\r\nDuration=160\r\n"),
    ("Application/DTMF-Relay; charset=x", "signal = 2\nduration = 90"),
    ("application/dtmf", "3"),
    ('multipart/mixed;boundary="x"', "--x\r\nContent-Type: text/plain\r\n\r\n9\r\n--x\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=4\r\nDuration=100\r\n--x--\r\n"),
    ("application/dtmf-relay", "Signal=10\r\nDuration=100\r\n"),
)


def run(t):
    other = t.witness()
    call = t.dial()
    call.answer(ring=False, payloads=((0, "PCMU/8000"),))
    for kind, body in KEYS:
        response = call.request("INFO", headers=[("Content-Type", kind)], body=body)
        check(response.status == 200, "200 for %s" % kind, response.line)
    t.until("1234*", lambda: other.rtp.digits(), 6)
    call.hang_up()
