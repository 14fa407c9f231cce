"""Contact and Record-Route without brackets, with words that look like one, with parameters of both kinds, of a strict router.
Right: ACK and BYE to the URI alone, by the routes as they came. RFC 3261 8.1.2, 12.1.2, 16.12.1.2, 20.10, 20.30.
"""
from trial import check

CONTACTS = (
    ("sip:far@127.0.0.1:%d;expires=60", "sip:far@127.0.0.1:%d"),
    ('"A \\"q\\" <sip:evil@127.0.0.1:9>" <sip:far@127.0.0.1:%d>', "sip:far@127.0.0.1:%d"),
    ('<sip:far%%40x@127.0.0.1:%d;Foo=Bar;lr>;+sip.instance="<urn:uuid:1>"', "sip:far%%40x@127.0.0.1:%d;Foo=Bar;lr"),
    ("<sip:far@127.0.0.1:%d?Replaces=a&X=b>", "sip:far@127.0.0.1:%d"),
    ("<sip:far;phone-context=a@127.0.0.1:%d;user=phone>, <sip:other@127.0.0.1:9>", "sip:far;phone-context=a@127.0.0.1:%d;user=phone"),
)
ROUTES = (
    ("<sip:127.0.0.1:%d;lr=on;ftag=abc;did=x.y>", "<sip:127.0.0.1:%d;lr=on;ftag=abc;did=x.y>"),
    ("sip:127.0.0.1:%d;lr", "<sip:127.0.0.1:%d;lr>"),
    ("<sip:127.0.0.1:%d>", None),                                   # a strict router
)


def run(t):
    for i, (form, want) in enumerate(CONTACTS):
        call = t.dial(identity="contact%d" % i)
        call.contact = form % call.phone.port
        for m in (call.answer(ring=False), call.hang_up()):
            check(m.uri == want % call.phone.port, "%s to %s" % (m.method, want % call.phone.port), m.uri)
    for i, (form, want) in enumerate(ROUTES):
        call = t.dial(identity="route%d" % i)
        call.routes = [form % call.phone.port]
        for m in (call.answer(ring=False), call.hang_up()):
            uri, routes = (call.contact[1:-1], [want % call.phone.port]) if want else ("sip:127.0.0.1:%d" % call.phone.port, [call.contact])
            check(m.uri == uri and m.all("route") == routes, "%s to %s by %s" % (m.method, uri, routes), "%s by %s" % (m.uri, m.all("route")))
