"""A 180 with SDP, in A-law, sent reliably; then nothing is heard for longer than the media timeout.
Right: PRACK, the sound is heard, and a phone that rings in silence is not hung up. RFC 3262, RFC 3264.
"""
import time

from trial import check


def run(t):
    other = t.witness()
    call = t.dial(media={"media_timeout": "1s"})
    body = call.sdp(payloads=((8, "PCMA/8000"), (101, "telephone-event/8000")))
    call.rtp.pt = 8
    call.reply(180, headers=[("Require", "100rel"), ("RSeq", "9")], body=body)
    call.phone.answer(call.expect("PRACK", 3), 200)
    call.rtp.freq = 900
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz in the room", "silence")
    call.rtp.mute = True
    time.sleep(2.5)
    check(t.status_of(call.identity) == "ringing", "ringing still", t.status_of(call.identity))
    call.rtp.mute = False
    call.answer(body=body, ring=False)
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz after the answer", "silence")
    call.hang_up()
