"""The PRACK is challenged, as any request may be; the 200 then comes without a Contact, which the 183 had.
Right: the PRACK again with credentials and the next CSeq, the same RAck; ACK and BYE go to the Contact of the 183.
RFC 3261 22.2, RFC 3262 4, RFC 3261 12.1.2.
"""
from farend import digest_fault
from trial import PASSWORD, SDP_TYPE, USER, check


def run(t):
    call = t.dial(auth=True)
    call.contact = "<sip:early@127.0.0.1:%d>" % call.phone.port
    call.reply(183, headers=[("Require", "100rel"), ("RSeq", "41")], body=call.sdp())
    prack = call.expect("PRACK", 3)
    call.phone.answer(prack, 407, headers=[("Proxy-Authenticate", 'Digest realm="r",nonce="n",qop="auth"')])
    again = call.expect("PRACK", 3, why="with credentials")
    fault = digest_fault(again.get("proxy-authorization"), again, USER, PASSWORD, "r", "n")
    check(not fault, "right credentials", fault)
    check(again.cseq == prack.cseq + 1 and again.get("rack") == prack.get("rack"), "the next CSeq and the same RAck", "%d %s" % (again.cseq, again.get("rack")))
    call.phone.answer(again, 200)
    call.phone.answer(call.invite, 200, headers=SDP_TYPE, body=call.sdp(), tag=call.tag)
    ack = call.expect("ACK", 3)
    check(ack.uri == call.contact[1:-1], "ACK to the Contact of the 183", ack.uri)
    call.up = True
    call.succeeded()
    call.hang_up()
