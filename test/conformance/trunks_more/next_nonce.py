"""A 401 and then a 407; the 200 tells the next nonce; the BYE is challenged all the same, by the proxy.
Right: the BYE comes with the new nonce, and again with the proxy's. RFC 7616 3.5, RFC 3261 22.2, 22.3.
"""
from farend import digest_fault
from trial import PASSWORD, USER, check


def right(m, name, realm, nonce):
    fault = digest_fault(m.get(name), m, USER, PASSWORD, realm, nonce)
    check(not fault, "right credentials in %s of the %s" % (name, m.method), fault)


def run(t):
    call = t.dial(auth=True)
    call.reply(401, headers=[("WWW-Authenticate", 'Digest realm="u",nonce="1",qop="auth"')])
    call.expect("ACK", 3)
    second = call.take_invite(3)
    call.reply(407, headers=[("Proxy-Authenticate", 'Digest realm="p",nonce="2",qop="auth"')])
    call.expect("ACK", 3, where=lambda m: m.cseq == second.cseq)
    third = call.take_invite(3)
    right(third, "authorization", "u", "1")
    right(third, "proxy-authorization", "p", "2")
    call.answer(ring=False, headers=[("Authentication-Info", 'nextnonce="9", qop=auth, rspauth=""')])
    call.remove()
    bye = call.expect("BYE", 4)
    right(bye, "authorization", "u", "9")
    call.phone.answer(bye, 407, headers=[("Proxy-Authenticate", 'Digest realm="p",nonce="3",qop="auth",stale=true')])
    bye = call.expect("BYE", 4)
    right(bye, "proxy-authorization", "p", "3")
    call.phone.answer(bye, 200)
