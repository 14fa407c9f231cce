"""Challenges in one response of both kinds, as a proxy that forks collects them; and of the kind that belongs to the other status.
Right: credentials for each challenge, in the header that belongs to its kind. RFC 3261 22.3.
"""
from farend import digest_fault
from trial import PASSWORD, USER, check

WWW, PROXY = ("WWW-Authenticate", 'Digest realm="u",nonce="1",qop="auth"'), ("Proxy-Authenticate", 'Digest realm="p",nonce="2",qop="auth"')


def run(t):
    for i, (status, headers) in enumerate(((401, (WWW, PROXY)), (407, (PROXY, WWW)), (407, (WWW,)), (401, (PROXY,)))):
        call = t.dial(identity="phone%d" % i, auth=True)
        call.reply(status, headers=headers)
        call.expect("ACK", 3)
        invite = call.take_invite(3)
        for name, realm, nonce in [("authorization", "u", "1")] * (WWW in headers) + [("proxy-authorization", "p", "2")] * (PROXY in headers):
            fault = digest_fault(invite.get(name), invite, USER, PASSWORD, realm, nonce)
            check(not fault, "right credentials in %s after a %d" % (name, status), fault)
        call.answer(ring=False)
        call.hang_up()
