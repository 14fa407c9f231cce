/* trunk/options.h - what a trunk may say beyond LiveKit's fields: an object under "ringdown" in its
 * metadata, so that every SDK and `lk` can write it and the store keeps it already:
 *
 *   {"ringdown": {"outbound_proxy": "sbc.example.net", "redirect": {"hosts": ["b.example.net"]}}}
 *
 * Metadata that is no JSON object, or has no such key, says nothing and is fine. Pure.
 *
 * Owner:   the caller. Owns: nothing. Thread: any.
 */
#pragma once

#include "trunk/trunk.h"

enum { OPTION_TEXT_SIZE = 256, OPTION_LIST_MAX = 16 };

struct option_list {
	char at[OPTION_LIST_MAX][OPTION_TEXT_SIZE];
	size_t count;
};

enum trunk_media_security {
	TRUNK_MEDIA_SECURITY_SDES, /* keys in the SDP, RFC 4568 */
	TRUNK_MEDIA_SECURITY_DTLS, /* keys by a handshake, RFC 5763 */
};

enum trunk_srtp_offer {
	TRUNK_SRTP_OFFER_SECURE,      /* RTP/SAVP, as LiveKit does */
	TRUNK_SRTP_OFFER_BEST_EFFORT, /* RTP/AVP with keys: who knows no SRTP answers in clear */
};

enum trunk_media_family { /* where the trunk's sound comes from and goes to */
	TRUNK_MEDIA_FAMILY_AUTO, /* as its signalling */
	TRUNK_MEDIA_FAMILY_IPV4,
	TRUNK_MEDIA_FAMILY_IPV6,
};

/* Zeros and empty texts mean: not said. docs/configuration.md has the list. */
struct trunk_options {
	char outbound_proxy[OPTION_TEXT_SIZE]; /* "host[:port]": every request goes there first */
	struct {
		struct option_list hosts; /* a 3xx may send a call there; none = 3xx is refused */
	} redirect;
	struct {
		unsigned offer;            /* enum trunk_srtp_offer, when encryption is allowed */
		struct option_list suites; /* of RFC 4568 and its followers, best first; none = the usual */
		bool mki;                  /* our keys have a name in the packets */
	} srtp;
	unsigned media_security; /* enum trunk_media_security: how SRTP is offered */
	unsigned media_family;   /* enum trunk_media_family */
	bool rtcp_mux; /* offered: RTCP on the RTP port */

	/* A binding at the carrier's registrar: wanted when any of these is said. */
	struct {
		bool enabled;
		char user[OPTION_TEXT_SIZE]; /* default: the trunk's auth_username */
		char host[OPTION_TEXT_SIZE]; /* default: the trunk's address */
		uint32_t expires_s;
	} reg;

	/* Who we say that calls. */
	char from_user[OPTION_TEXT_SIZE]; /* in From, instead of the number */
	unsigned identity_header;	  /* enum option_identity */
	unsigned number_format;		  /* enum option_numbers */
	char tech_prefix[OPTION_TEXT_SIZE]; /* before the called number */
	bool user_phone;		  /* ";user=phone" behind numbers */
	bool privacy;			  /* the called one shall not see the number */

	unsigned dtmf; /* enum option_dtmf */

	/* What may be done with it; see trunk/policy.h. 0 and none: as the server says. */
	struct {
		struct option_list allowed_countries; /* "+49", "*" */
		uint32_t calls_per_second, max_calls, max_calls_per_identity, max_call_duration_s;
		bool extensions; /* names and short numbers that a PBX knows may be called */
	} policy;

	uint32_t session_expires_s;  /* a session timer to ask for (RFC 4028); 0 = only the far end's */
	uint32_t options_interval_s; /* OPTIONS, to see whether the trunk is there; 0 = none */
};

enum option_identity { /* where the caller's number stands when From has another user */
	OPTION_IDENTITY_AUTO, /* P-Preferred-Identity, if From does not show the number */
	OPTION_IDENTITY_NONE,
	OPTION_IDENTITY_PAI,  /* P-Asserted-Identity, RFC 3325 */
	OPTION_IDENTITY_PPI,  /* P-Preferred-Identity */
	OPTION_IDENTITY_RPID, /* Remote-Party-ID, before RFC 3325 */
};
enum option_dtmf { /* how keys are sent */
	OPTION_DTMF_AUTO, /* RFC 4733, or tones where the answer has none */
	OPTION_DTMF_RFC4733,
	OPTION_DTMF_INFO,   /* SIP INFO, application/dtmf-relay */
	OPTION_DTMF_INBAND, /* tones */
};
enum option_numbers {
	OPTION_NUMBERS_AS_GIVEN,
	OPTION_NUMBERS_E164,   /* with '+' */
	OPTION_NUMBERS_DIGITS, /* without */
};

bool trunk_options_register(const struct trunk_options *o); /* whether a binding is wanted */
/* The SIP user that registers, and that calls come from; "" = there is none. */
const char *trunk_options_user(const struct trunk_options *o, const Livekit__SIPOutboundTrunkInfo *trunk);

/* The digest's user name: auth_username, else the user that registers. NULL = there is none. */
const char *trunk_options_login(const struct trunk_options *o, const Livekit__SIPOutboundTrunkInfo *trunk);

/* AF_INET or AF_INET6: of the sound, where signalling goes by `family`. `said` is an enum
 * trunk_media_family. */
int trunk_media_family(unsigned said, int family);

/* Returns 0 or TRUNK_E_INVALID with a `why` that names the option. `metadata` may be "". */
MUST_USE int trunk_options_read(
	struct trunk_options *ret, const char *metadata, char why[TRUNK_WHY_SIZE]);
