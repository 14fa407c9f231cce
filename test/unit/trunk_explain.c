#include "trunk/explain.h"

#include "test/check.h"

#include <ctype.h>

#define REASON(r) LIVEKIT__DISCONNECT_REASON__##r

static void known_failures_have_their_sentence(void)
{
	static const struct {
		struct call_failure f;
		const char *code, *twirp;
		Livekit__DisconnectReason reason;
		const char *says;
	} cases[] = {
		{{.sip_status = 486}, "busy", "resource_exhausted", REASON(USER_REJECTED), "busy"},
		{{.sip_status = 404}, "unknown_number", "not_found", REASON(USER_UNAVAILABLE), "does not exist"},
		{{.sip_status = 480}, "unavailable", "resource_exhausted", REASON(USER_UNAVAILABLE), "later"},
		{{.sip_status = 603}, "rejected", "permission_denied", REASON(USER_REJECTED), "declined"},
		{{.sip_status = 503}, "trunk_error", "failed_precondition", REASON(SIP_TRUNK_FAILURE), "sip.x"},
		{{.sip_status = 499, .reason = "Odd"}, "refused", "invalid_argument", REASON(USER_REJECTED), "Odd"},
		{{.sip_status = 580, .reason = "Odd"}, "trunk_error", "failed_precondition",
			REASON(SIP_TRUNK_FAILURE), "Odd"},
		{{.sip_status = 699}, "rejected", "invalid_argument", REASON(USER_REJECTED), "SIP 699"},
		{{.sip_status = 403}, "forbidden", "permission_denied", REASON(USER_REJECTED), "sip.x"},
		{{.sip_status = 403, .after_challenge = true, .has_credentials = true}, "credentials",
			"permission_denied", REASON(USER_REJECTED), "password"},
		{{.sip_status = 407}, "credentials_missing", "failed_precondition", REASON(USER_REJECTED),
			"auth_username"},
		{{.sip_status = 401, .after_challenge = true, .has_credentials = true}, "credentials",
			"failed_precondition", REASON(USER_REJECTED), "password"},
		{{.sip_status = 403, .provider = "32201 Authentication failure - source IP address not in ACL"},
			"address_not_allowed", "permission_denied", REASON(USER_REJECTED), "IP access list"},
		{{.sip_status = 403, .provider = "32205", .after_challenge = true}, "country_off_at_provider",
			"permission_denied", REASON(USER_REJECTED), "Geo permissions"},
		{{.sip_status = 400, .reason = "The number is unverified"}, "unverified_number",
			"invalid_argument", REASON(USER_REJECTED), "Trial"},
		{{.sip_status = 503, .reason = "Trunk CPS limit exceeded"}, "provider_rate",
			"failed_precondition", REASON(SIP_TRUNK_FAILURE), "per second"},
		{{.sip_status = 488, .provider = "32208"}, "encryption", "invalid_argument",
			REASON(USER_REJECTED), "Secure Trunking"},
		{{.kind = CALL_FAILURE_TIMEOUT}, "trunk_unreachable", "canceled", REASON(SIP_TRUNK_FAILURE),
			"firewall"},
		{{.kind = CALL_FAILURE_NO_ANSWER}, "no_answer", "canceled", REASON(USER_UNAVAILABLE), "answered"},
		{{.kind = CALL_FAILURE_TRANSPORT}, "trunk_unreachable", "failed_precondition",
			REASON(SIP_TRUNK_FAILURE), "sip.x"},
		{{.kind = CALL_FAILURE_DNS}, "trunk_address", "invalid_argument", REASON(SIP_TRUNK_FAILURE),
			"sip.x"},
		{{.kind = CALL_FAILURE_MEDIA}, "media", "failed_precondition", REASON(MEDIA_FAILURE), "PCMU"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct call_failure f = cases[i].f;
		struct call_explanation e;
		f.address = "sip.x";
		explain_failure(&e, &f);
		CHECK_STR(e.code, cases[i].code);
		CHECK_STR(e.twirp_code, cases[i].twirp);
		CHECK_EQ(e.reason, cases[i].reason);
		CHECK(strstr(e.sentence, cases[i].says));
	}
}

/* Whatever the status and the far end's words: a whole sentence, no gap, no overflow. */
static void every_status_has_a_sentence(void)
{
	char long_words[600];
	memset(long_words, 'x', sizeof long_words - 1);
	long_words[sizeof long_words - 1] = 0;
	for (int status = 300; status < 700; ++status) {
		struct call_explanation e;
		explain_failure(&e, &(struct call_failure){
					    .sip_status = status,
					    .reason = status % 2 ? long_words : "a\r\nb",
					    .provider = status % 3 ? NULL : "no number",
					    .address = status % 5 ? long_words : NULL,
				    });
		CHECK(strlen(e.sentence) > 10 && strlen(e.sentence) < sizeof e.sentence);
		CHECK(isupper((unsigned char)e.sentence[0]) && !strchr(e.sentence, '{'));
		CHECK(!strpbrk(e.sentence, "\r\n"));
		CHECK(e.code && e.twirp_code);
	}
}

int main(void)
{
	known_failures_have_their_sentence();
	every_status_has_a_sentence();
	return 0;
}
