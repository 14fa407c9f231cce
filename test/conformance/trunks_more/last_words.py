"""Somebody in the room speaks while the room hangs up; and digits are still being sent when it does.
Right: what was said is sent to its end before BYE, all the digits too; the room sees the end at once.
"""
import time

from trial import check


def run(t):
    other = t.witness()
    other.rtp.freq = 600
    call = t.dial(dtmf="1234")
    call.answer()
    call.remove()
    t.gone(call.identity, 1)
    bye = call.expect("BYE", 6)
    call.phone.answer(bye, 200)
    check(call.rtp.digits() == "1234", "all four digits before BYE", call.rtp.digits())
    call = t.dial(identity="second", number="+12025550102")
    call.answer()
    check(call.rtp.wait_tone(600, 4) is not None, "600 Hz at the phone", "silence")
    call.remove()
    asked = time.monotonic()
    bye = call.expect("BYE", 2)
    took = time.monotonic() - asked
    call.phone.answer(bye, 200)
    check(took < 0.8, "BYE within 0.8 s", "%.2f s" % took)
    after = call.rtp.since(asked)
    check(len(after) >= 3, "the rest of what was said after the hang-up", "%d packets" % len(after))
