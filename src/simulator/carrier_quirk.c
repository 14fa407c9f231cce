#include "simulator/carrier_quirk.h"

#include <stdio.h>
#include <stdlib.h>

enum kind { KIND_FLAG, KIND_NUMBER, KIND_TEXT, KIND_CHOICE };

static const struct quirk_row {
	const char *name;
	enum kind kind;
	const char *values; /* of a choice: its words, with '|' between */
	const char *standard;
	const char *about;
} rows[Q__COUNT] = {
	[Q_STRICT_HOST] = {"strict-host", KIND_FLAG, "on|off", "off", "an INVITE to a host that is no trunk's is not answered at all"},
	[Q_AUTH] = {"auth", KIND_CHOICE, "none|acl|password|both", "none", "what a caller must have"},
	[Q_ACL] = {"acl", KIND_TEXT, "NETS", "127.0.0.0/8,::1", "addresses that may call, with commas"},
	[Q_USERNAME] = {"username", KIND_TEXT, "NAME", "ringdown", "of the credentials"},
	[Q_PASSWORD] = {"password", KIND_TEXT, "WORD", "Simulated-Trunk-1", "of the credentials"},
	[Q_CHALLENGE] = {"challenge", KIND_NUMBER, "401|407", "407", "the status that asks for them"},
	[Q_REALM] = {"realm", KIND_TEXT, "NAME", "ringdown.test", "of the challenge"},
	[Q_QOP] = {"qop", KIND_TEXT, "auth|auth,auth-int|none", "auth", "of the challenge; none: as RFC 2069"},
	[Q_ALGORITHM] = {"algorithm", KIND_TEXT, "none|MD5|SHA-256...", "none", "of the challenge; none is not named and means MD5"},
	[Q_STALE] = {"stale", KIND_FLAG, "on|off", "off", "a fresh challenge for an old nonce says stale=true"},
	[Q_NONCE_S] = {"nonce-s", KIND_NUMBER, "SECONDS", "60", "how long a nonce is good; 0: it is old at once, the first time"},
	[Q_ACCOUNT] = {"account", KIND_CHOICE, "good|suspended|inactive|trial-legacy|trial-2026", "good", "how the account stands"},
	[Q_VERIFIED] = {"verified", KIND_TEXT, "NUMBERS", "", "numbers that a trial account may call, beginnings too"},
	[Q_E164] = {"e164", KIND_CHOICE, "plus|bare|either", "either", "how a called number must be written"},
	[Q_OWNED] = {"owned", KIND_TEXT, "NUMBERS", "any", "caller numbers of the account, beginnings too"},
	[Q_FROM_USER] = {"from-user", KIND_FLAG, "on|off", "off", "From must carry the user name; the number is in P-Preferred-Identity or P-Asserted-Identity"},
	[Q_GEO] = {"geo-denied", KIND_TEXT, "PREFIXES", "", "countries that are not enabled"},
	[Q_BLOCKED] = {"blocked", KIND_TEXT, "PREFIXES", "", "numbers that are blocked"},
	[Q_BLOCK_STATUS] = {"block-status", KIND_NUMBER, "403|603", "403", "... and how they are refused"},
	[Q_MAX_FORWARDS] = {"max-forwards", KIND_NUMBER, "HOPS", "0", "fewer are too few: 483"},
	[Q_CPS] = {"cps", KIND_NUMBER, "CALLS", "0", "calls a second; 0: as many as come"},
	[Q_CONCURRENCY] = {"concurrency", KIND_NUMBER, "CALLS", "500", "calls at once"},
	[Q_MAX_DURATION_S] = {"max-duration-s", KIND_NUMBER, "SECONDS", "86400", "the longest call; then BYE"},
	[Q_RATE_BAN_S] = {"rate-ban-s", KIND_NUMBER, "SECONDS", "0", "OPTIONS oftener than this are not answered any more; 0: no ban"},
	[Q_SECURE] = {"secure", KIND_CHOICE, "off|on|either", "off", "on: TLS and SRTP or nothing; off: SRTP is refused"},
	[Q_CODECS] = {"codecs", KIND_TEXT, "NAMES", "PCMU,PCMA", "what it takes of an offer"},
	[Q_ANSWER] = {"answer", KIND_CHOICE, "first|all", "first", "the first codec of the offer that it takes, or all of them"},
	[Q_MEDIA_STATUS] = {"media-status", KIND_NUMBER, "415|488", "488", "when there is no such codec"},
	[Q_LATE_OFFER] = {"late-offer", KIND_FLAG, "on|off", "on", "an INVITE without an offer is taken"},
	[Q_PTIME] = {"ptime", KIND_NUMBER, "MS", "20", "a=ptime of its SDP, and what it sends: 10 to 60"},
	[Q_PRIVATE_SDP] = {"private-sdp", KIND_FLAG, "on|off", "off", "o= names a private address"},
	[Q_SYMMETRIC] = {"symmetric", KIND_FLAG, "on|off", "off", "RTP goes where RTP comes from, whatever the SDP says"},
	[Q_LOSS] = {"loss", KIND_NUMBER, "PERCENT", "0", "packets that it sends and that do not arrive"},
	[Q_JITTER_MS] = {"jitter-ms", KIND_NUMBER, "MS", "0", "packets come up to so much late"},
	[Q_REORDER] = {"reorder", KIND_NUMBER, "PERCENT", "0", "packets that come after the next one"},
	[Q_DUPLICATE] = {"duplicate", KIND_NUMBER, "PERCENT", "0", "packets that come twice"},
	[Q_SERVER] = {"server", KIND_TEXT, "TEXT", "ringdown simulator", "Server header of the edge (100, OPTIONS)"},
	[Q_GATEWAY] = {"gateway", KIND_TEXT, "TEXT", "ringdown simulator", "Server header of what is behind it"},
	[Q_TRYING] = {"trying", KIND_TEXT, "TEXT", "Trying", "the words after 100"},
	[Q_CONTACT] = {"contact", KIND_TEXT, "HOST:PORT|own", "own", "Contact of its answers; Twilio's is private"},
	[Q_ALLOW] = {"allow", KIND_TEXT, "METHODS", "INVITE,ACK,BYE,CANCEL,OPTIONS,INFO,UPDATE,PRACK", "Allow header"},
	[Q_RECORD_ROUTE] = {"record-route", KIND_NUMBER, "0|1|2", "0", "how many proxies stay in the dialog"},
	[Q_TWNAT] = {"twnat", KIND_FLAG, "on|off", "off", "the edge's Record-Route names the caller's address and port"},
	[Q_CHECK_DIALOG] = {"check-dialog", KIND_FLAG, "on|off", "on", "requests in a dialog must name our Contact and follow our route"},
	[Q_SAME_CONNECTION] = {"same-connection", KIND_FLAG, "on|off", "off", "... and come over the same TCP or TLS connection"},
	[Q_SESSION_S] = {"session-s", KIND_NUMBER, "SECONDS", "0", "Session-Expires that it asks for; 0: no session timer (RFC 4028)"},
	[Q_REFRESHER] = {"refresher", KIND_CHOICE, "uac|uas", "uac", "who refreshes: the caller or the carrier"},
	[Q_MIN_SE] = {"min-se", KIND_NUMBER, "SECONDS", "0", "a shorter Session-Expires is refused: 422"},
	[Q_FQDN_CONTACT] = {"fqdn-contact", KIND_FLAG, "on|off", "off", "a Contact that is an address is refused: 403"},
	[Q_OPTIONS_FIRST] = {"options-first", KIND_FLAG, "on|off", "off", "who never sent OPTIONS is refused: 403"},
	[Q_REFER] = {"refer", KIND_TEXT, "off|STATUS Words", "200 OK", "off: a transfer is refused; else what came of it, as NOTIFY tells it"},
	[Q_T1_MS] = {"t1-ms", KIND_NUMBER, "MS", "500", "T1 of RFC 3261; what is said again stops after 64 of them"},
	[Q_COMPACT] = {"compact", KIND_FLAG, "on|off", "off", "headers have their short names"},
	[Q_FOLDED] = {"folded", KIND_FLAG, "on|off", "off", "headers go on in the next line"},
	[Q_JOINED] = {"joined", KIND_FLAG, "on|off", "off", "several Record-Route and Allow headers stand in one line, with blanks before colons"},
	[Q_LONG_HEADER] = {"long-header", KIND_NUMBER, "BYTES", "0", "one more header, so long"},
	[Q_UNKNOWN_HEADERS] = {"unknown-headers", KIND_FLAG, "on|off", "off", "headers that nobody knows"},
	[Q_MALFORMED_HEADER] = {"malformed-header", KIND_FLAG, "on|off", "off", "a line that is no header, and headers whose values make no sense"},
	[Q_LOWER_ALLOW] = {"lower-allow", KIND_FLAG, "on|off", "off", "methods in Allow are in lower case"},
	[Q_NO_LENGTH] = {"no-length", KIND_FLAG, "on|off", "off", "no Content-Length over UDP"},
	[Q_DOUBLE_LENGTH] = {"double-length", KIND_FLAG, "on|off", "off", "Content-Length twice"},
	[Q_SLOW_TCP_MS] = {"slow-tcp-ms", KIND_NUMBER, "MS", "0", "what is sent over TCP and TLS comes in pieces, so far apart"},
	[Q_REGISTER] = {"register", KIND_FLAG, "on|off", "off", "REGISTER is served, and calls are taken from who is registered only"},
	[Q_EXPIRES] = {"expires", KIND_NUMBER, "SECONDS", "600", "the longest registration that is granted"},
	[Q_EXPIRES_MIN] = {"expires-min", KIND_NUMBER, "SECONDS", "60", "a shorter one is refused: 423"},
	[Q_UNKNOWN_NUMBER] = {"unknown-number", KIND_TEXT, "SCRIPT", "404", "what a number does that is not in the book"},
};

static bool read_choice(const struct quirk_row *row, const char *value, long *ret)
{
	const char *at = row->values;
	size_t size = strlen(value);
	for (long i = 0;; ++i) {
		size_t word = strcspn(at, "|");
		if (word == size && !strncmp(at, value, size)) {
			*ret = i;
			return true;
		}
		if (!at[word])
			return false;
		at += word + 1;
	}
}

static bool read_value(struct quirk_value *v, const struct quirk_row *row, const char *value)
{
	char *end = NULL;
	long number = 0;
	switch (row->kind) {
	case KIND_FLAG:
		number = !strcmp(value, "on");
		if (!number && strcmp(value, "off"))
			return false;
		break;
	case KIND_NUMBER:
		number = strtol(value, &end, 10);
		if (end == value || *end || number < 0 || number > 1000000)
			return false;
		break;
	case KIND_CHOICE:
		if (!read_choice(row, value, &number))
			return false;
		break;
	case KIND_TEXT:
		/* It becomes part of a header: no line ends. */
		if (strlen(value) >= sizeof v->text || strpbrk(value, "\r\n"))
			return false;
		break;
	}
	v->number = number;
	snprintf(v->text, sizeof v->text, "%s", value);
	return true;
}

void quirks_init(struct quirks *q)
{
	memset(q, 0, sizeof *q);
	for (size_t i = 0; i < Q__COUNT; ++i)
		(void)read_value(&q->values[i], &rows[i], rows[i].standard);
}

int quirks_set(struct quirks *q, const char *setting)
{
	const char *equals = strchr(setting, '=');
	size_t size = equals ? (size_t)(equals - setting) : strlen(setting);
	for (size_t i = 0; i < Q__COUNT; ++i) {
		if (strlen(rows[i].name) != size || strncmp(rows[i].name, setting, size))
			continue;
		return read_value(&q->values[i], &rows[i], equals ? equals + 1 : "on") ? 0 : QUIRK_E_VALUE;
	}
	return QUIRK_E_NAME;
}

bool quirk_describe(size_t i, const char **name, const char **values, const char **standard, const char **about)
{
	if (i >= Q__COUNT)
		return false;
	*name = rows[i].name;
	*values = rows[i].values;
	*standard = rows[i].standard;
	*about = rows[i].about;
	return true;
}

bool quirk_list_has(const char *list, struct span word, bool by_prefix)
{
	if (!strcmp(list, "any"))
		return true;
	while (*list) {
		size_t size = strcspn(list, ",");
		bool fits = by_prefix ? size <= word.size : size == word.size;
		if (size && fits && !strncasecmp(list, (const char *)word.data, size))
			return true;
		list += size + (list[size] == ',');
	}
	return false;
}
