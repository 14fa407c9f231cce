"""The phone holds for longer than the media timeout: sendonly without music, inactive, and 0.0.0.0 as of old.
Right: no hang-up meanwhile; after the resume sound again. RFC 3264 8.4.
"""
import time

from trial import check


def run(t):
    other = t.witness()
    call = t.dial(media={"media_timeout": "1s"})
    call.rtp.freq = 900
    call.answer()
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz in the room", "silence")
    for body in (call.sdp(way="inactive"), call.sdp(connection="0.0.0.0")):
        call.reinvite(body)
        call.rtp.mute = True
        time.sleep(2)
        call.phone.none("BYE", 0.1, why="hold is no hang-up")
        call.rtp.mute = False
        call.reinvite(call.sdp())
        check(other.rtp.wait_tone(900, 4) is not None, "900 Hz after the resume", "silence")
    call.hang_up()
