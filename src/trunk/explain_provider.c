#include "trunk/explain_table.h"

#include <stdlib.h>

/* X-Twilio-Error. */
static const struct {
	int number;
	struct known_failure known;
} by_number[] = {
	{32001, {"provider_rate", "The provider takes only so many new calls per second on this trunk, "
		"and the limit was reached. Try again in a second, or have the limit raised."}},
	{32005, {"provider_disabled", "Voice is switched off for this number or account at the provider."}},
	{32006, {"routing_loop", "The provider saw the call come round in a circle. Check the trunk's "
		"address and that nothing forwards the call back."}},
	{32009, {"not_registered", "The called phone is not registered with the provider right now."}},
	{32012, {"provider_rate", "The provider takes only so many new calls per second from this "
		"account, and the limit was reached. Try again in a second."}},
	{32016, {"unreachable_number", "The phone network found no way to this number within 60 seconds. "
		"Check the number, or try again later."}},
	{32020, {"caller_identity", "The provider could not verify the caller's identity (a bad "
		"PASSporT)."}},
	{32100, {"unverified_number", "Trial account at the provider: only verified numbers can be "
		"called. Verify the number there, or upgrade the account."}},
	{32101, {"number_format", "The provider wants the number as + and country code, for example "
		"+14155550123."}},
	{32102, {"media", "The provider could not read the description of the sound (SDP) that was "
		"sent."}},
	{32103, {"media", "The provider wants the description of the sound (SDP) in the INVITE and "
		"did not find it."}},
	{32115, {"caller_identity", "The call reason that was sent along is longer than 50 "
		"characters."}},
	{32200, {"provider_account", "The provider's account is not active, or no authentication is "
		"set up on the trunk there."}},
	{32201, {"address_not_allowed", "The provider did not accept our IP address. Add it to the "
		"trunk's IP access list at the provider, or remove the list."}},
	{32202, {"credentials", "The trunk's user name or password is not in the provider's credential "
		"list. Correct auth_username and auth_password of the trunk."}},
	{32203, {"number_blocked", "The provider blocks calls to this number. Ask its support."}},
	{32204, {"caller_id", "The caller number is not yours: use a number of the provider's account, "
		"or verify it there under Verified Caller IDs."}},
	{32205, {"country_off_at_provider", "Calls to this country are off at the provider: enable it "
		"there (Twilio: Voice, Geo permissions)."}},
	{32206, {"caller_id", "The provider does not understand the caller number. Write it as + and "
		"country code in the trunk's numbers."}},
	{32207, {"encryption", "The trunk is insecure at the provider, but encrypted sound (SRTP) was "
		"offered. Set the trunk's media_encryption to match."}},
	{32208, {"encryption", "The trunk is secure at the provider, but plain sound (RTP) was offered. "
		"Switch Secure Trunking off there: encrypted sound on trunks is not supported yet."}},
	{32209, {"encryption", "The trunk is secure at the provider: it wants TLS. Switch Secure "
		"Trunking off there: TLS on trunks is not supported yet."}},
	{32218, {"transfer_off", "Transfer is switched off on the trunk at the provider."}},
	{32222, {"tls", "The provider wants TLS 1.2 or newer."}},
	{32224, {"number_blocked", "The provider blocks forwarded calls to this number."}},
};

/* Words that providers put into the reason phrase. Case does not count. */
static const struct {
	const char *words;
	struct known_failure known;
} by_words[] = {
	{"unverified", {"unverified_number", "Trial account at the provider: only verified numbers can "
		"be called. Verify the number there, or upgrade the account."}},
	{"invalid phone number", {"number_format", "The provider does not take this number. Write it as "
		"+ and country code, and check it."}},
	{"invalid caller", {"caller_id", "The caller number is not yours: use a number of the "
		"provider's account, or verify it there."}},
	{"international", {"country_off_at_provider", "Calls to this country are off at the provider: "
		"enable it there (Twilio: Voice, Geo permissions)."}},
	{"blocked for verification", {"number_blocked", "The provider blocks calls to this number. Ask "
		"its support."}},
	{"domestic anchored", {"routing_rule", "The provider must keep calls within India on Indian "
		"servers (\"{reason}\"). Use a trunk address in India, or the provider's rules for it."}},
	{"secure sip transport", {"encryption", "The trunk is secure at the provider: it wants TLS. "
		"Switch Secure Trunking off there: TLS on trunks is not supported yet."}},
	{"cps limit", {"provider_rate", "The provider takes only so many new calls per second on this "
		"trunk, and the limit was reached. Try again in a second, or have the limit raised."}},
	{"concurrent call limit", {"provider_limit", "The provider allows no more calls at the same time "
		"on this trunk. Wait until one ends, or have the limit raised."}},
	{"insufficient funds", {"provider_account", "The provider's account has no funds left. Top it "
		"up."}},
};

const struct known_failure *explain_provider(const char *provider, const char *reason)
{
	int number = provider ? (int)strtol(provider, NULL, 10) : 0;
	for (size_t i = 0; number && i < COUNT_OF(by_number); ++i)
		if (by_number[i].number == number)
			return &by_number[i].known;
	for (size_t i = 0; i < COUNT_OF(by_words); ++i)
		if ((reason && strcasestr(reason, by_words[i].words)) ||
			(provider && strcasestr(provider, by_words[i].words)))
			return &by_words[i].known;
	return NULL;
}
