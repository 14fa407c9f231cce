"""An announcement with sound both ways offered; somebody in the room speaks; then the call is refused.
Right: the room's voice does not reach the far end before the answer; CreateSIPParticipant fails with the status. RFC 3960 3.
"""
import time

from trial import check


def run(t):
    other = t.witness()
    other.rtp.freq = 600
    call = t.dial()
    call.reply(183, body=call.sdp())
    call.rtp.freq = 900
    check(other.rtp.wait_tone(900, 4) is not None, "900 Hz in the room", "silence")
    since = time.monotonic()
    heard = call.rtp.wait(25, 3, since)
    check(len(heard) >= 25, "packets that open the way", len(heard))
    check(all(set(p.payload) <= {0xff, 0x7f} for p in heard), "silence in them", "sound")
    call.reply(603)
    call.expect("ACK", 3)
    said, meta = call.failed()
    check(meta.get("sip_status_code") == "603", "the status of the refusal", meta)
    t.until(None, lambda: t.status_of(call.identity), 3)
