"""A login that cannot be: a 401 without a challenge, one with algorithms and schemes that nobody knows; and one with a very long nonce.
Right: the first two are told apart from a wrong password; the third is answered. RFC 3261 22.1, RFC 7616 3.3, RFC 8760 2.4.
"""
from farend import digest_fault
from trial import PASSWORD, USER, check

NONCE = "bG9uZw" * 120


def run(t):
    for i, headers in enumerate(((), [("WWW-Authenticate", 'Digest realm="r",nonce="1",algorithm=FOO'), ("WWW-Authenticate", 'NTLM realm="x"')])):
        call = t.dial(auth=True, identity="phone%d" % i)
        call.reply(401, headers=headers)
        call.expect("ACK", 3)
        text, meta = call.failed()
        check(meta.get("sip_status_code") == "401" and "password" not in text and "SHA-256" in text, "a sentence about the kind of login", text)
    call = t.dial(auth=True, identity="long")
    call.reply(407, headers=[("Proxy-Authenticate", 'Digest realm="r",nonce="%s",qop="auth"' % NONCE)])
    call.expect("ACK", 3)
    invite = call.take_invite(3)
    fault = digest_fault(invite.get("proxy-authorization"), invite, USER, PASSWORD, "r", NONCE)
    check(not fault, "right credentials", fault)
    call.answer(ring=False)
    call.hang_up()
