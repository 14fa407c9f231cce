"""The far end rings without a sound, and a ringing tone is asked for.
Right: the room hears one until the far end is heard itself, or answers.
"""
import time

from trial import check


def run(t):
    other = t.witness()
    call = t.dial(play_dialtone=True)
    check(other.rtp.wait_tone(440, 5) is not None or other.rtp.wait_tone(480, 5) is not None, "440 and 480 Hz in the room", "silence")
    call.reply(183, body=call.sdp())
    call.rtp.freq = 900
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz, once it is heard", "silence")
    call.answer(ring=False)
    call.rtp.mute = True
    time.sleep(0.5)
    since = time.monotonic()
    time.sleep(5)
    check(other.rtp.hears(440, since) < 0.05, "no tone after the answer", other.rtp.hears(440, since))
    call.hang_up()
