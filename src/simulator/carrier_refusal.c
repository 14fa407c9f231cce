#include "simulator/carrier_refusal.h"

#include <stdlib.h>

/* Twilio's catalogue. On the wire were seen: 32201, 32204, 32209; the documentation names the statuses of
 * the others with a text; the rest is inferred and can be set. Telnyx puts its code at the end of the
 * reason phrase. */
static const struct row {
	const char *name;
	struct refusal_words plain, twilio, telnyx;
} rows[REFUSE__COUNT] = {
	[REFUSE_NOT] = {"none", {0}, {0}, {0}},
	[REFUSE_SILENTLY] = {"silence", {0}, {0}, {0}},
	[REFUSE_CHALLENGE] = {"challenge", {407, "Proxy Authentication Required"},
		{407, "Proxy Authentication required"}, {407, "Proxy Authentication Required"}},
	[REFUSE_INACTIVE] = {"inactive", {403, "Forbidden"},
		{403, "Forbidden", "32200 Authentication failure - account is not active"},
		{403, "Account inactive D17"}},
	[REFUSE_SUSPENDED] = {"suspended", {603, "Decline"}, {603, "Decline"}, {403, "Account balance exhausted D23"}},
	[REFUSE_ACL] = {"acl", {403, "Forbidden"},
		{403, "Forbidden", "32201 Authentication failure - source IP Address not in ACL"},
		{403, "Source address not allowed D17"}},
	[REFUSE_CREDENTIALS] = {"credentials", {403, "Forbidden"},
		{403, "Forbidden", "32202 Authentication failure - bad user credentials"},
		{403, "Forbidden"}},
	[REFUSE_BLOCKED] = {"blocked", {403, "Forbidden"},
		{403, "Phone number is blocked for verification", "32203 Call blocked as potential fraud"},
		{403, "Destination prefix blocked as fraud D41"}},
	[REFUSE_CALLER] = {"caller", {403, "Forbidden"},
		{403, "Invalid Caller ID", "32204 Invalid Caller ID"},
		{403, "Caller Origination Number is Invalid D35"}},
	[REFUSE_CALLER_FORMAT] = {"caller-format", {403, "Forbidden"},
		{403, "Invalid Caller ID", "32206 Invalid Caller ID format"},
		{403, "Caller Origination Number is Invalid D35"}},
	[REFUSE_COUNTRY] = {"country", {403, "Forbidden"},
		{403, "No International Authorization", "32205 Geographic permission is not enabled"},
		{403, "Destination is not in the outbound profile D38"}},
	[REFUSE_UNVERIFIED] = {"unverified", {403, "Forbidden"},
		{400, "The number is unverified", "32100 Trial accounts may only call verified numbers"},
		{403, "Destination number is not verified D51"}},
	[REFUSE_TRIAL] = {"trial", {403, "Forbidden"},
		{403, "Forbidden", "32200 SIP trunking is only available after you upgrade"},
		{403, "Trial tier does not allow this call D60"}},
	[REFUSE_NUMBER] = {"number", {404, "Not Found"},
		{400, "Invalid Phone Number", "32101 Invalid phone number"},
		{404, "No route for the number D40"}},
	[REFUSE_BAD_SDP] = {"bad-sdp", {400, "Bad Request"},
		{400, "Bad SDP", "32102 Bad SDP"}, {488, "Not Acceptable Here"}},
	[REFUSE_NO_SDP] = {"no-sdp", {488, "Not Acceptable Here"},
		{400, "Empty body", "32103 INVITE without a body"}, {488, "Not Acceptable Here"}},
	[REFUSE_HOPS] = {"hops", {483, "Too Many Hops"},
		{483, "Too Many Hops", "32006 Too many hops"}, {483, "Too Many Hops"}},
	[REFUSE_CPS] = {"cps", {503, "Service Unavailable"},
		{503, "Trunk CPS limit exceeded", "32001 Trunk CPS limit exceeded"},
		{503, "Calls per second limit exceeded P05"}},
	[REFUSE_CONCURRENCY] = {"concurrency", {503, "Service Unavailable"},
		{503, "Trunk concurrent call limit exceeded"}, {403, "Channel limit exceeded D1"}},
	[REFUSE_SECURE_TRANSPORT] = {"secure-transport", {488, "Not Acceptable Here"},
		{488, "Secure SIP transport required", "32209 Secure SIP transport required"},
		{488, "Encryption mismatch B3"}},
	[REFUSE_SECURE_MEDIA] = {"secure-media", {488, "Not Acceptable Here"},
		{488, "Not Acceptable Here", "32208 Secure media required"}, {488, "Encryption mismatch B3"}},
	[REFUSE_INSECURE_MEDIA] = {"insecure-media", {488, "Not Acceptable Here"},
		{488, "Not Acceptable Here", "32207 Secure media is not enabled"},
		{488, "Encryption mismatch B3"}},
	[REFUSE_CODEC] = {"codec", {488, "Not Acceptable Here"}, {415, "Unsupported media type"},
		{488, "Not Acceptable Here"}},
	[REFUSE_CONTACT] = {"contact", {403, "Contact must be a host name"}, {403, "Forbidden"}, {403, "Forbidden"}},
	[REFUSE_NO_OPTIONS] = {"no-options", {403, "No OPTIONS received yet"}, {403, "Forbidden"}, {403, "Forbidden"}},
	[REFUSE_UNREGISTERED] = {"unregistered", {403, "Not registered"}, {403, "Forbidden"},
		{480, "User not registered RG1"}},
	[REFUSE_SESSION] = {"session", {422, "Session Interval Too Small"}, {422, "Session Interval Too Small"},
		{422, "Session Interval Too Small"}},
	[REFUSE_TRANSFER] = {"transfer", {603, "Decline"},
		{403, "Forbidden", "32218 Call transfer is not enabled"}, {603, "Decline"}},
	[REFUSE_EXTENSION] = {"extension", {420, "Bad Extension"}, {420, "Bad Extension"}, {420, "Bad Extension"}},
};

int refusal_set(struct refusal_statuses *s, const char *setting)
{
	static const char prefix[] = "status.";
	const char *equals = strchr(setting, '=');
	if (!equals || strncmp(setting, prefix, sizeof prefix - 1))
		return REFUSAL_E_BAD;
	const char *name = setting + sizeof prefix - 1;
	char *end;
	long status = strtol(equals + 1, &end, 10);
	if (*end || status < 400 || status > 699)
		return REFUSAL_E_BAD;
	for (size_t i = REFUSE_CHALLENGE; i < REFUSE__COUNT; ++i) {
		if (strlen(rows[i].name) != (size_t)(equals - name) ||
			strncmp(rows[i].name, name, (size_t)(equals - name)))
			continue;
		s->status[i] = (uint16_t)status;
		return 0;
	}
	return REFUSAL_E_BAD;
}

const char *refusal_name(enum refusal r)
{
	return rows[r].name;
}

struct refusal_words refusal_words(enum refusal_speech speech, enum refusal r)
{
	switch (speech) {
	case SPEECH_TWILIO:
		return rows[r].twilio;
	case SPEECH_TELNYX:
		return rows[r].telnyx;
	default:
		return rows[r].plain;
	}
}
