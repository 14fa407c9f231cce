"""Refusals that say why in other places than the phrase: Warning, Reason of several protocols, folded, in odd case.
Right: the status, and the words, reach who asked for the call. RFC 3261 20.43, RFC 3326, RFC 8688.
"""
from trial import check

ROWS = (
    (403, "Forbidden", "Warning", '399 carrier "Caller ID +1 not owned"', "not owned"),
    (404, "Not Found", "X-TWILIO-error", "13225 Call blocked by Twilio", "13225"),
    (403, "Forbidden", "reason", 'Q.850\r\n ;CAUSE=21\r\n\t;Text="source ip, refused"', "source ip, refused"),
    (603, "Decline", "Reason", 'SIP;cause=603;text="Network Blocked"', "Network Blocked"),
    (480, "x", "Reason", 'SIP;cause=480, Q.850;cause=34;text="trunk group 7 full"', "group 7"),
    (699, "Nobody w\u00fcnscht das", "X-Foo", "", "w\u00fcnscht"),
    (499, "Odd", "Reason", ";;;", "Odd"),
)


def run(t):
    for i, (status, phrase, name, value, words) in enumerate(ROWS):
        call = t.dial(identity="call%d" % i)
        call.reply(status, phrase, headers=[(name, value)])
        call.expect("ACK", 3)
        text, meta = call.failed(6)
        check(meta.get("sip_status_code") == str(status), "status %d" % status, meta)
        check(words in text, "%r in the error" % words, text)
