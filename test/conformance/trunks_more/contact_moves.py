"""In mid-call the far end moves: a re-INVITE, and another time an UPDATE, names a Contact at another port.
Right: what is sent next goes there, to that URI; without Record-Route nothing else says where. RFC 3261 12.2, RFC 3311 5.1.
"""
from trial import check


def run(t):
    for method in ("INVITE", "UPDATE"):
        moved = t.phone()
        call = t.dial(identity=method)
        call.answer()
        call.contact = "<sip:moved@127.0.0.1:%d?Subject=x>;expires=60" % moved.port
        status = call.reinvite(call.sdp())[0].status if method == "INVITE" else call.request(method).status
        check(status == 200, "200 for the " + method, status)
        call.remove()
        bye = moved.expect("BYE", 4, why="at the new Contact")
        check(bye.uri == "sip:moved@127.0.0.1:%d" % moved.port, "BYE to the new Contact, without its headers", bye.uri)
        moved.answer(bye, 200)
