/* trunk/explain_carrier.c - what carriers add to a refusal: Twilio's error numbers, Telnyx's suffixes,
 * and words that several of them put into the reason phrase or the body. */
#include "trunk/explain_table.h"

#include <stdlib.h>

#define TWILIO(number, code, by, retry, seconds, sentence)                                                 \
	{ENDING_TWILIO, number, "X-Twilio-Error", code, NULL, 0, 0, ENDED_BY_##by, RETRY_##retry, seconds, false, \
		sentence}
#define TELNYX(suffix, code, by, retry, seconds, sentence)                                                 \
	{ENDING_TELNYX, 0, suffix, code, NULL, 0, 0, ENDED_BY_##by, RETRY_##retry, seconds, false, sentence}
#define WORDS(words, code, by, retry, seconds, sentence)                                                   \
	{ENDING_WORDS, 0, words, code, NULL, 0, 0, ENDED_BY_##by, RETRY_##retry, seconds, false, sentence}

static const char trial[] = "Trial account at the provider: only verified numbers can be called. Verify {number} "
			    "there, or upgrade the account.";
static const char country_off[] = "Calls to {country} are off at the provider: enable the country there (Twilio: Voice, "
				  "Geo permissions).";
static const char second[] = "The provider takes only so many new calls per second on the trunk {trunk}, and the "
			     "limit was reached. Call again {when}, or have the limit raised; sip.calls_per_second "
			     "keeps to it from here.";
static const char at_once[] = "The provider allows no more calls at the same time on the trunk {trunk}. Wait until "
			      "one ends, or have the limit raised.";
static const char not_yours[] = "The caller number {caller} is not yours at the provider: use a number of its "
				"account, or verify it there under Verified Caller IDs.";
static const char blocked[] = "The provider blocks calls to {number}. Ask its support.";
static const char wants_tls[] = "The trunk {trunk} is secure at the provider: it wants TLS and encrypted sound. Set the "
				"trunk's transport to TLS and its media_encryption to REQUIRE, or switch Secure "
				"Trunking off there.";
static const char inactive[] = "The provider's account or connection is not active. Look at its console: it may "
			       "be suspended, out of funds, or switched off.";
static const char no_profile[] = "No outbound voice profile is assigned to the connection at Telnyx. Assign one.";
static const char login[] = "Telnyx does not accept the login of the trunk {trunk}. Correct auth_username and "
			    "auth_password, or add our IP address {seen} to the connection.";
static const char too_large[] = "The provider found a header of the call request too long. Send fewer headers, and a "
				"shorter sip.sip_hostname.";

static const struct ending rows[] = {
	TWILIO(32001, "provider_rate", POLICY, LATER, 1, second),
	TWILIO(32005, "provider_disabled", CARRIER, FIXED, 0,
		"Voice is switched off for this number or account at the provider."),
	TWILIO(32006, "routing_loop", CARRIER, FIXED, 0,
		"The provider saw the call come round in a circle. Check the address of the trunk {trunk}, {address}, "
		"and that nothing forwards {number} back."),
	TWILIO(32009, "not_registered", FAR_END, LATER, 0,
		"The called phone is not registered with the provider right now."),
	TWILIO(32012, "provider_rate", POLICY, LATER, 1,
		"The provider takes only so many new calls per second from this account, and the limit was reached. "
		"Call again {when}."),
	TWILIO(32016, "unreachable_number", NETWORK, LATER, 0,
		"The phone network found no way to {number} within 60 seconds. Check the number, or try again "
		"later."),
	TWILIO(32020, "caller_identity", CARRIER, FIXED, 0,
		"The provider could not verify the caller's identity (a bad PASSporT)."),
	TWILIO(32100, "unverified_number", CARRIER, FIXED, 0, trial),
	TWILIO(32101, "number_format", CARRIER, FIXED, 0,
		"The provider wants the number as + and country code, for example +14155550123; it got {number}."),
	TWILIO(32102, "media", CARRIER, NO, 0,
		"The provider could not read the description of the sound (SDP) that was sent. A router's SIP helper "
		"(ALG) may have changed it: switch that off."),
	TWILIO(32103, "media", CARRIER, NO, 0,
		"The provider wants the description of the sound (SDP) in the INVITE and did not find it. A router's SIP "
		"helper (ALG) may have cut it off: switch that off, or use TCP."),
	TWILIO(32115, "caller_identity", CARRIER, FIXED, 0,
		"The call reason that was sent along is longer than 50 characters."),
	TWILIO(32200, "provider_account", CARRIER, FIXED, 0,
		"The provider's account is not active, or no authentication is set up on the trunk {trunk} there."),
	TWILIO(32201, "address_not_allowed", CARRIER, FIXED, 0,
		"The provider did not accept our IP address {seen}. Add it to the trunk's IP access list at the "
		"provider, or remove the list."),
	TWILIO(32202, "credentials", CARRIER, FIXED, 0,
		"The trunk's user name or password is not in the provider's credential list. Correct auth_username "
		"and auth_password of the trunk {trunk}."),
	TWILIO(32203, "number_blocked", CARRIER, NO, 0, blocked),
	TWILIO(32204, "caller_id", CARRIER, FIXED, 0, not_yours),
	TWILIO(32205, "country_off_at_provider", CARRIER, FIXED, 0, country_off),
	TWILIO(32206, "caller_id", CARRIER, FIXED, 0,
		"The provider does not understand the caller number {caller}. Write it as + and country code in the "
		"trunk's numbers."),
	TWILIO(32207, "encryption", CARRIER, FIXED, 0,
		"The trunk {trunk} is insecure at the provider, but encrypted sound (SRTP) was offered. Set the trunk's "
		"media_encryption to DISABLE, or switch Secure Trunking on there."),
	TWILIO(32208, "encryption", CARRIER, FIXED, 0,
		"The trunk {trunk} is secure at the provider, but plain sound (RTP) was offered. Set the trunk's "
		"media_encryption to REQUIRE, or switch Secure Trunking off there."),
	TWILIO(32209, "encryption", CARRIER, FIXED, 0, wants_tls),
	TWILIO(32218, "transfer_off", CARRIER, FIXED, 0,
		"Transfer is switched off on the trunk {trunk} at the provider."),
	TWILIO(32222, "tls", CARRIER, FIXED, 0, "The provider wants TLS 1.2 or newer."),
	TWILIO(32224, "number_blocked", CARRIER, NO, 0, "The provider blocks forwarded calls to {number}."),

	TELNYX("D1", "provider_limit", POLICY, LATER, 0, at_once),
	TELNYX("D2", "provider_limit", POLICY, LATER, 0, at_once),
	TELNYX("D3", "provider_limit", POLICY, LATER, 0, at_once),
	TELNYX("D22", "provider_limit", POLICY, LATER, 0, at_once),
	TELNYX("D7", "provider_account", CARRIER, FIXED, 0, no_profile),
	TELNYX("D38", "provider_account", CARRIER, FIXED, 0, no_profile),
	TELNYX("D10", "bad_request", CARRIER, FIXED, 0,
		"The call request carries a header that Telnyx keeps for itself. Take it off the trunk's headers."),
	TELNYX("D11", "number_format", CARRIER, FIXED, 0,
		"Telnyx does not take the number {number}. Write it as + and country code, and check it."),
	TELNYX("D12", "country_off_at_provider", CARRIER, FIXED, 0,
		"The outbound voice profile at Telnyx does not allow calls to {country}. Allow the destination there."),
	TELNYX("D13", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D14", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D15", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D16", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D17", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D18", "provider_account", CARRIER, FIXED, 0, inactive),
	TELNYX("D19", "provider_account", CARRIER, FIXED, 0,
		"The account at Telnyx is blocked. Look at its balance and payment method."),
	TELNYX("D21", "unknown_number", CARRIER, FIXED, 0,
		"Telnyx has nobody to connect {number} to. Check the number."),
	TELNYX("D24", "provider_price", POLICY, FIXED, 0,
		"A minute to {number} costs more than the outbound voice profile at Telnyx allows. Raise its maximum "
		"rate there."),
	TELNYX("D25", "credentials", CARRIER, FIXED, 0, login),
	TELNYX("D26", "credentials", CARRIER, FIXED, 0, login),
	TELNYX("D27", "credentials", CARRIER, FIXED, 0, login),
	TELNYX("D28", "credentials", CARRIER, FIXED, 0, login),
	TELNYX("D29", "credentials", CARRIER, FIXED, 0, login),
	TELNYX("D30", "trunk_address", CARRIER, FIXED, 0,
		"Telnyx does not know the SIP address {address}. Correct the address of the trunk {trunk}."),
	TELNYX("D31", "trunk_address", CARRIER, FIXED, 0,
		"Telnyx does not know the subdomain in {address}. Correct the address of the trunk {trunk}."),
	TELNYX("D35", "caller_id", CARRIER, FIXED, 0,
		"Telnyx does not take the caller number {caller}. Use a number of the account as + and country code, "
		"or set Caller ID Override on the connection."),
	TELNYX("D36", "caller_id", CARRIER, FIXED, 0,
		"The caller number {caller} belongs to another account at Telnyx. Use a number of your own."),
	TELNYX("D40", "unreachable_number", CARRIER, FIXED, 0,
		"Telnyx has no route to {number}. Check it, or ask their support."),
	TELNYX("D41", "number_blocked", CARRIER, NO, 0,
		"Telnyx blocks numbers that begin like {number}, for fraud. Ask their support."),
	TELNYX("D51", "unverified_number", CARRIER, FIXED, 0,
		"The account at Telnyx is not verified for this call to {number}. Verify the account or the number "
		"there."),
	TELNYX("D60", "unverified_number", CARRIER, FIXED, 0,
		"Trial account at Telnyx: it calls its one verified number only. Verify {number} there, or upgrade the "
		"account."),
	TELNYX("D61", "unverified_number", CARRIER, FIXED, 0,
		"Trial account at Telnyx: it does not call {number}. Upgrade the account."),
	TELNYX("P05", "provider_rate", POLICY, LATER, 1, second),
	TELNYX("P06", "too_large", CARRIER, FIXED, 0, too_large),
	TELNYX("P14", "too_large", CARRIER, FIXED, 0, too_large),
	TELNYX("P15", "too_large", CARRIER, FIXED, 0, too_large),
	TELNYX("P16", "too_large", CARRIER, FIXED, 0, too_large),
	TELNYX("RG1", "not_registered", FAR_END, LATER, 0,
		"The called phone is not registered at Telnyx right now."),
	TELNYX("PE", "unreachable_number", CARRIER, LATER, 0,
		"Telnyx found no way to {number}. Call again {when}."),
	TELNYX("B3", "encryption", CARRIER, FIXED, 0,
		"Telnyx and the trunk {trunk} do not agree whether sound is encrypted. Set the trunk's media_encryption "
		"as the connection has it."),

	/* Twilio's words first, as they are without the number, then those of others. */
	WORDS("unverified", "unverified_number", CARRIER, FIXED, 0, trial),
	WORDS("invalid phone number", "number_format", CARRIER, FIXED, 0,
		"The provider does not take the number {number}. Write it as + and country code, and check it."),
	WORDS("invalid caller", "caller_id", CARRIER, FIXED, 0, not_yours),
	WORDS("caller id is unauthorized", "caller_id", CARRIER, FIXED, 0, not_yours),
	WORDS("source number is not valid", "caller_id", CARRIER, FIXED, 0,
		"The provider does not understand the caller number {caller}. Write it as + and country code."),
	WORDS("international", "country_off_at_provider", CARRIER, FIXED, 0, country_off),
	WORDS("blocked for verification", "number_blocked", CARRIER, NO, 0, blocked),
	WORDS("blacklisted", "number_blocked", CARRIER, NO, 0, blocked),
	WORDS("domestic anchored", "routing_rule", CARRIER, FIXED, 0,
		"The provider must keep calls within India on Indian servers (\"{reason}\"). Use a trunk address in "
		"India, or the provider's rules for it."),
	WORDS("not in acl", "address_not_allowed", CARRIER, FIXED, 0,
		"The provider did not accept our IP address {seen}. Add it to the addresses that the trunk {trunk} "
		"allows."),
	WORDS("secure sip transport", "encryption", CARRIER, FIXED, 0, wants_tls),
	WORDS("cps limit", "provider_rate", POLICY, LATER, 1, second),
	WORDS("concurrent call limit", "provider_limit", POLICY, LATER, 0, at_once),
	WORDS("channel limit", "provider_limit", POLICY, LATER, 0, at_once),
	WORDS("insufficient funds", "provider_account", CARRIER, FIXED, 0,
		"The provider's account has no funds left. Top it up."),
	WORDS("insufficient balance", "provider_account", CARRIER, FIXED, 0,
		"The provider's account has no funds left. Top it up."),
	WORDS("account suspended", "provider_account", CARRIER, FIXED, 0, inactive),
};

struct ending_part endings_by_carrier(void)
{
	return (struct ending_part){rows, COUNT_OF(rows)};
}

static const struct ending *by_suffix(const char *phrase)
{
	const char *word = phrase ? strrchr(phrase, ' ') : NULL;
	for (size_t i = 0; word && i < COUNT_OF(rows); ++i)
		if (rows[i].sign == ENDING_TELNYX && !strcmp(word + 1, rows[i].text))
			return &rows[i];
	return NULL;
}

static const struct ending *by_words(const char *a, const char *b, const char *c)
{
	for (size_t i = 0; i < COUNT_OF(rows); ++i)
		if (rows[i].sign == ENDING_WORDS && ((a && strcasestr(a, rows[i].text)) ||
			(b && strcasestr(b, rows[i].text)) || (c && strcasestr(c, rows[i].text))))
			return &rows[i];
	return NULL;
}

/* "32201 Authentication failure": digits, and no more than a code of ours holds. */
static int leading_number(char code[16], const char *provider)
{
	size_t n = provider ? strspn(provider, "0123456789") : 0;
	if (!n || n > 9)
		return 0;
	memcpy(code, provider, n);
	code[n] = 0;
	return (int)strtol(code, NULL, 10);
}

const struct ending *ending_of_carrier(char code[16], const char *provider, const char *words, const char *phrase)
{
	code[0] = 0;
	int number = leading_number(code, provider);
	const struct ending *row = number ? ending_of(endings_by_carrier(), ENDING_TWILIO, number) : NULL;
	if (row)
		return row;
	row = by_suffix(phrase);
	if (row) {
		memcpy(code, row->text, strlen(row->text) + 1);
		return row;
	}
	return by_words(provider, words, phrase);
}
