"""How many calls a second one core sets up: from the POST to the end of the BYE, with digest, by UDP and by TLS."""
import contextlib
import http.client
import json

import servers
from measure import NUMBERS, Row
from servers import Trouble, mint
from sip_phone import SipPhone, TlsSipPhone

AT_ONCE, BURN_S = 20, 20


def setups(binary, count):
    yield measured(binary, count, SipPhone(challenge=True), "UDP", "UDP and digest")
    yield measured(binary, count, TlsSipPhone(challenge=True), "TLS", "TLS (one connection) and digest")


def measured(binary, count, phone, transport, what):
    with contextlib.closing(phone), servers.ringdown(binary) as s:
        trunk = s.api("SIP/CreateSIPOutboundTrunk", {"trunk": {
            "name": "bench", "address": phone.address, "transport": "SIP_TRANSPORT_" + transport, "numbers": ["+12025550199"],
            "auth_username": "bench", "auth_password": "bench-password"}})["sip_trunk_id"]
        link = http.client.HTTPConnection("127.0.0.1", s.ports["backend"], timeout=BURN_S)
        with contextlib.closing(link):
            batch(link, phone, trunk, 0, AT_ONCE)  # what is made once is there
            before = s.cpu()
            for first in range(AT_ONCE, AT_ONCE + count, AT_ONCE):
                batch(link, phone, trunk, first, AT_ONCE)
            each = (s.cpu() - before) / count
    return Row(f"call set-ups a second for one core, {what}", 1 / each, "calls", "",
               f"{count} calls, {AT_ONCE} at once, each with a room of its own: POST, INVITE, 407, INVITE, 200, ACK, BYE", more=True)


def batch(link, phone, trunk, first, count):
    """That many calls from the POST to the answer to their BYE."""
    token = mint({"sip": {"call": True, "admin": True}, "video": {"roomAdmin": True, "roomCreate": True}})
    known = set(phone.dialogs)
    for n in range(first, first + count):
        link.request("POST", "/livekit/sip/outbound", json.dumps({"room": f"setup-{n}", "phone_number": NUMBERS[n % len(NUMBERS)], "trunk": trunk}),
                     {"Content-Type": "application/json", "Authorization": "Bearer " + token})
        answer = link.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise Trouble(f"POST: {answer.status} {text[:200]!r}")
    new = lambda: [d for c, d in phone.dialogs.items() if c not in known]
    if not phone.pump(lambda: sum(d.acked for d in new()) == count, BURN_S):
        raise Trouble(f"{sum(d.acked for d in new())} of {count} calls are up")
    for d in new():
        phone.hang_up(d)
    if not phone.pump(lambda: all(d.over for d in new()), BURN_S):
        raise Trouble("calls do not end")
