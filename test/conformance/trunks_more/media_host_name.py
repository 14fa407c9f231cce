"""The 200's SDP has a host name in its c= line, as RFC 8866 5.7 allows and hardly anybody writes.
Right: ACK and BYE, and an error that says what is wrong with it; in a re-INVITE 488 with a Warning, and the call goes on.
"""
from trial import check


def run(t):
    call = t.dial()
    call.reply(200, body=call.sdp(connection="media.example.org"))
    call.expect("ACK", 3)
    call.phone.answer(call.expect("BYE", 4), 200)
    text, _ = call.failed()
    check("host name" in text and "c=" in text, "a sentence about the c= line", text)
    call = t.dial(identity="second", number="+12025550102")
    call.answer()
    response, _ = call.reinvite(call.sdp(connection="media.example.org"))
    check(response.status == 488 and "301" in response.get("warning"), "488 with Warning 301", "%s %s" % (response.line, response.get("warning")))
    call.phone.none("BYE", 0.5)
    call.hang_up()
