"""The announcement comes from one port, a second 183 says another, and the 200 a third one.
Right: the sound is followed each time; the newest description is the one that counts. RFC 3261 13.2.1, RFC 3960 3.
"""
from farend import Rtp
from trial import check


def run(t):
    other = t.witness()
    call = t.dial()
    first, second = Rtp(), Rtp()
    try:
        call.reply(100)
        for rtp, freq in ((first, 900), (second, 700)):
            rtp.remote, rtp.freq = call.rtp.remote, freq
            call.reply(183, body=call.sdp(rtp=rtp))
            call.version += 1
            check(other.rtp.wait_tone(freq, 4) is not None, "%d Hz in the room" % freq, "silence")
        check(len(second.wait(10, 2)) >= 10, "packets towards the port of the last 183", len(second.packets))
        call.rtp.freq = 500
        call.answer(ring=False)
        check(other.rtp.wait_tone(500, 4) is not None, "500 Hz after the answer", "silence")
        call.hang_up()
    finally:
        first.close()
        second.close()
