"""The media server sends from a port that its SDP does not name, and in mid-call from a third one, with a new SSRC.
Right: it is the same host, and nothing comes from where it came before: the room hears it. RFC 3264 5.1, RFC 4961.
"""
import socket

from trial import check


def elsewhere(rtp):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("127.0.0.1", 0))
    rtp.out, before = out, rtp.out
    return before


def run(t):
    other = t.witness()
    call = t.dial()
    elsewhere(call.rtp)
    call.answer()
    call.rtp.freq = 700
    check(other.rtp.wait_tone(700, 4) is not None, "700 Hz from a port that was not named", "silence")
    with call.rtp.lock:
        elsewhere(call.rtp).close()
        call.rtp.ssrc, call.rtp.freq = 9, 1000
    check(other.rtp.wait_tone(1000, 4) is not None, "1000 Hz from a third port", "silence")
    check(len(call.rtp.wait(20, 3)) >= 20, "RTP at the port that the SDP names", len(call.rtp.packets))
    call.hang_up()
