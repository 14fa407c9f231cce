#include "call/identity.h"

#include "wire/sip_uri.h"
#include "wire/sip_write.h"

#include <stdio.h>

enum { DIALLABLE_DIGITS_MIN = 7 }; /* shorter ones are extensions and services: no '+' belongs there */

static bool ends_with(const char *text, const char *tail)
{
	size_t size = strlen(text), tail_size = strlen(tail);
	return size >= tail_size && !strcasecmp(text + size - tail_size, tail);
}

static bool is_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == 0;
}

/* "+", or nothing, or a step over the '+' that is there: what goes before *number. */
static const char *plus_of(const char **number, unsigned format, const char *address)
{
	/* Twilio knows numbers by their '+' only (livekit-sip adds it to any caller too). */
	if (format == OPTION_NUMBERS_AS_GIVEN)
		return **number != '+' && ends_with(address, "twilio.com") ? "+" : "";
	if (format == OPTION_NUMBERS_E164)
		return is_digits(*number) && strlen(*number) >= DIALLABLE_DIGITS_MIN ? "+" : "";
	if (**number == '+' && is_digits(*number + 1))
		++*number;
	return "";
}

const char *identity_transport(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	switch (trunk->transport) {
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_UDP:
		return ";transport=udp";
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP:
		return ";transport=tcp";
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TLS:
		return ";transport=tls";
	default:
		return "";
	}
}

enum sip_protocol_choice identity_protocol(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	switch (trunk->transport) {
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_UDP:
		return SIP_PROTOCOL_UDP;
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP:
		return SIP_PROTOCOL_TCP;
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TLS:
		return SIP_PROTOCOL_TLS;
	default:
		return SIP_PROTOCOL_AUTO;
	}
}

/* What livekit-sip writes too: only a transport that was asked for. `params` may say it already.
 * RFC 3261, 19.1.1: a transport belongs into the Request-URI only, not into To and From. */
static bool write_called(struct identity *ret, const struct identity_wish *w)
{
	const struct trunk_options *o = w->options;
	const char *params = w->uri_params ? w->uri_params : "", *number = w->number, *shown = w->to_number;
	const char *transport = sip_param_get(span_text(params), "transport", NULL) ? "" : identity_transport(w->trunk);
	const char *phone = o->user_phone ? ";user=phone" : "";
	/* The called number has its '+' already. */
	const char *plus = plus_of(&number, o->number_format, "");
	const char *shown_plus = plus_of(&shown, o->number_format, "");

	int uri = snprintf(ret->uri, sizeof ret->uri, "sip:%s%s%s@%s%s%s%s%s", o->tech_prefix, plus, number, w->address,
		transport, phone, *params ? ";" : "", params);
	int to = w->to_user ? snprintf(ret->to, sizeof ret->to, "sip:%s@%s", w->to_user, w->address)
			    : snprintf(ret->to, sizeof ret->to, "sip:%s%s%s@%s%s", o->tech_prefix, shown_plus, shown,
				      w->address, phone);
	return uri < (int)sizeof ret->uri && to < (int)sizeof ret->to;
}

/* Without its port: what stands in From is a domain. */
static int host_size(const char *address)
{
	const char *end = *address == '[' ? strchr(address, ']') : NULL;
	return (int)(end ? (size_t)(end + 1 - address) : strcspn(address, ":"));
}

/* The carrier's domain for a trunk that registers, else what the trunk says, else us. */
static int write_from_host(char *out, size_t size, const struct identity_wish *w)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = w->trunk;
	const char *domain = *w->options->reg.host ? w->options->reg.host : trunk->address;

	if (w->from_host)
		return snprintf(out, size, "%s", w->from_host);
	if (trunk->from_host && *trunk->from_host)
		return snprintf(out, size, "%s", trunk->from_host);
	if (trunk_options_register(w->options))
		return snprintf(out, size, "%.*s", host_size(domain), domain);
	return snprintf(out, size, "%s", w->own_host);
}

/* The user that From has instead of the number; NULL = the number. */
static const char *from_user(const struct identity_wish *w)
{
	const struct trunk_options *o = w->options;

	if (w->from_host || !strcmp(o->from_user, "number"))
		return NULL;
	if (*o->from_user)
		return o->from_user;
	return trunk_options_register(o) ? trunk_options_user(o, w->trunk) : NULL;
}

static void add(struct identity *ret, const char *name, const char *value)
{
	ret->headers[ret->header_count++] = (struct sip_extra){name, value};
}

static bool write_asserted(struct identity *ret, const struct identity_wish *w, const char *uri, const char *name)
{
	struct writer v = writer_of(ret->asserted, sizeof ret->asserted - 1);
	bool old = !strcmp(name, "Remote-Party-ID");

	if (*ret->display) {
		sip_write_quoted(&v, span_text(ret->display));
		write_u8(&v, ' ');
	}
	write_format(&v, "<%s>", uri);
	if (old)
		write_format(&v, ";party=calling;screen=yes;privacy=%s", w->options->privacy ? "full" : "off");
	ret->asserted[v.used] = 0;
	add(ret, name, ret->asserted);
	return !v.bad;
}

/* RFC 3325: a network that we are no part of is told by P-Preferred-Identity. */
static const char *asserted_name(const struct identity_wish *w, bool shown)
{
	switch (w->options->identity_header) {
	case OPTION_IDENTITY_PAI:
		return "P-Asserted-Identity";
	case OPTION_IDENTITY_PPI:
		return "P-Preferred-Identity";
	case OPTION_IDENTITY_RPID:
		return "Remote-Party-ID";
	case OPTION_IDENTITY_NONE:
		return NULL;
	default:
		return shown ? NULL : "P-Preferred-Identity";
	}
}

static bool write_caller(struct identity *ret, const struct identity_wish *w)
{
	const struct trunk_options *o = w->options;
	const char *number = w->caller, *user = from_user(w), *phone = o->user_phone ? ";user=phone" : "";
	const char *plus = plus_of(&number, o->number_format, w->address);
	bool hidden = o->privacy && !w->from_host;
	char host[300], uri[sizeof ret->from];

	if (write_from_host(host, sizeof host, w) >= (int)sizeof host)
		return false;
	int size = snprintf(uri, sizeof uri, "sip:%s%s@%s%s", plus, number, host, phone), from = size;
	int display = snprintf(ret->display, sizeof ret->display, "%s%s", w->display ? "" : plus,
		w->display ? w->display : number);
	if (user)
		from = snprintf(ret->from, sizeof ret->from, "sip:%s@%s", user, host);
	else
		memcpy(ret->from, uri, sizeof uri);
	const char *name = asserted_name(w, !user && !hidden);
	if (size >= (int)sizeof uri || from >= (int)sizeof ret->from || display >= (int)sizeof ret->display ||
		(name && !write_asserted(ret, w, uri, name)))
		return false;
	if (!hidden)
		return true;
	/* RFC 3323, 4.1.1.3. A carrier that knows its customer by From goes on doing so. */
	snprintf(ret->display, sizeof ret->display, "Anonymous");
	if (!user)
		snprintf(ret->from, sizeof ret->from, "sip:anonymous@anonymous.invalid");
	add(ret, "Privacy", "id");
	return true;
}

int identity_write(struct identity *ret, const struct identity_wish *w)
{
	const char *contact = trunk_options_register(w->options) ? trunk_options_user(w->options, w->trunk) : w->caller;

	ret->header_count = 0;
	bool fits = write_called(ret, w) && write_caller(ret, w) &&
		snprintf(ret->contact_user, sizeof ret->contact_user, "%s", contact) < (int)sizeof ret->contact_user;
	/* What is hidden is hidden in Contact too. */
	if (w->options->privacy && !trunk_options_register(w->options))
		snprintf(ret->contact_user, sizeof ret->contact_user, "anonymous");
	return fits ? 0 : IDENTITY_E_LONG;
}

bool identity_register_uris(char address[IDENTITY_URI_SIZE], char registrar[IDENTITY_URI_SIZE],
	const Livekit__SIPOutboundTrunkInfo *trunk, const struct trunk_options *options)
{
	const char *domain = *options->reg.host ? options->reg.host : trunk->address;
	int a = snprintf(address, IDENTITY_URI_SIZE, "sip:%s@%.*s", trunk_options_user(options, trunk),
		host_size(domain), domain);
	int r = snprintf(registrar, IDENTITY_URI_SIZE, "sip:%s%s", domain, identity_transport(trunk));

	return a < IDENTITY_URI_SIZE && r < IDENTITY_URI_SIZE;
}
