"""Two phones describe their sound in 183; the first of them answers, with a 200 that has no SDP.
Right: the latest is heard while it rings, then the one that answered. RFC 3261 13.2.2.4, RFC 6337 3.1.
"""
from farend import Rtp
from trial import check


def run(t):
    other = t.witness()
    call = t.dial()
    second = Rtp()
    try:
        call.rtp.freq, second.freq, second.remote = 900, 700, call.rtp.remote
        call.reply(183, body=call.sdp(), tag="one")
        check(other.rtp.wait_tone(900, 4) is not None, "900 Hz of the first phone", "silence")
        call.reply(183, body=call.sdp(rtp=second), tag="two")
        check(other.rtp.wait_tone(700, 4) is not None, "700 Hz of the second phone", "silence")
        call.reply(183, body=call.sdp(), tag="one")
        call.tag = "one"
        call.answer(body="", ring=False)
        check(other.rtp.wait_tone(900, 4) is not None, "900 Hz: the first phone answered", "silence")
        call.hang_up()
    finally:
        second.close()
