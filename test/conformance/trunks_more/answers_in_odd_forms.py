"""SDP answers as gateways write them: without rtpmap, without o= and s=, by bare line feeds, in odd case, with blanks, sections of other
media, a number of ports, a silly ptime, events first or by another clock, attributes cut short, a dynamic number for PCMU.
Right: sound both ways each time. RFC 8866 5, 9, RFC 3264 6, RFC 3551 6.
"""
from trial import check

HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
FORMS = (
    "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {p} RTP/AVP 0\r\n",
    (HEAD + "m=audio {p} RTP/AVP 0 101\r\n").replace("\r\n", "\n"),
    "v=0 \r\no=- 1 1 IN IP4 127.0.0.1 \r\ns=- \r\nc=IN  IP4  127.0.0.1/127 \r\nt=0 0 \r\nm=audio  {p}/1  RTP/AVP  0 101 \r\na=rtpmap: 0 pcmu/8000/1 \r\na=SendRecv \r\n",
    HEAD + "m=audio {p} RTP/AVP 101 13 0\r\na=rtpmap:101 TELEPHONE-EVENT/8000\r\na=rtpmap:0\r\na=rtpmap:x\r\na=fmtp:\r\na=:\r\na=\r\n",
    HEAD + "m=video 0 RTP/AVP 31\r\nm=audio {p} RTP/AVPF 0\r\na=rtcp-mux\r\na=mid:0\r\nm=image 0 udptl t38\r\n",
    HEAD + "m=audio {p} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/48000\r\na=ptime:0\r\na=maxptime:abc\r\na=ptime:99999\r\n",
    HEAD + "a=sendonly\r\nm=audio {p} RTP/AVP 0\r\na=sendrecv\r\na=ptime:20.0\r\na=maxptime:5\r\n\r\n\r\n",
    HEAD.replace("c=IN IP4 127.0.0.1", "c=IN IP4 10.9.9.9") + "m=audio {p} RTP/AVP 96\r\nc=IN IP4 127.0.0.1\r\na=RTPMAP:96 PCMU/8000\r\n",
)


def run(t):
    other = t.witness()
    other.rtp.freq = 600
    for i, form in enumerate(FORMS):
        call = t.dial(identity="phone%d" % i)
        call.rtp.freq = 900
        call.answer(body=form.format(p=call.rtp.port), ring=False)
        check(other.rtp.wait_tone(900, 3) is not None, "900 Hz in the room, form %d" % i, "silence")
        if i < len(FORMS) - 1:
            check(call.rtp.wait_tone(600, 3) is not None, "600 Hz at the phone, form %d" % i, "silence")
        else:
            check({p.pt for p in call.rtp.wait(20, 3)} == {96}, "PCMU by the number of the answer", {p.pt for p in call.rtp.packets})
        call.rtp.freq = 0
        call.hang_up()
