/* trunk/explain_status.c - what a final SIP answer means. Statuses: RFC 3261, 21 and the IANA registry;
 * Q.850: RFC 3398, 8.2.6.1; Twirp codes and reasons: as livekit-sip has them. */
#include "trunk/explain_table.h"

#define UNAVAILABLE LIVEKIT__DISCONNECT_REASON__USER_UNAVAILABLE
#define REJECTED LIVEKIT__DISCONNECT_REASON__USER_REJECTED
#define TRUNK_FAILURE LIVEKIT__DISCONNECT_REASON__SIP_TRUNK_FAILURE

#define ROW(number, phrase, code, twirp, reason, q850, by, retry, seconds, vague, sentence)                \
	{ENDING_STATUS, number, phrase, code, twirp, reason, q850, ENDED_BY_##by, RETRY_##retry, seconds, vague, \
		sentence}
#define CLASS(number, phrase, code, twirp, reason, q850, by, retry, sentence)                              \
	{ENDING_CLASS, number, phrase, code, twirp, reason, q850, ENDED_BY_##by, RETRY_##retry, 0, true, sentence}

static const char invalid[] = "invalid_argument", denied[] = "permission_denied", gone[] = "not_found";
static const char stranger[] = "unauthenticated", busy[] = "resource_exhausted", failed[] = "failed_precondition";

static const struct ending rows[] = {
	ROW(300, "Multiple Choices", "redirected", invalid, REJECTED, 0, FAR_END, FIXED, 0, false,
		"The far end wants the call to go elsewhere, and calls are not redirected from here. Correct the "
		"address of the trunk {trunk}: it says {address}."),
	ROW(301, "Moved Permanently", "redirected", gone, REJECTED, 22, FAR_END, FIXED, 0, false,
		"The number {number} has moved, and calls are not redirected from here. Call the new number."),
	ROW(302, "Moved Temporarily", "redirected", gone, REJECTED, 0, FAR_END, FIXED, 0, false,
		"The number {number} is redirected to another one, and calls are not redirected from here. Call the "
		"other number."),
	ROW(305, "Use Proxy", "redirected", invalid, REJECTED, 0, CARRIER, FIXED, 0, false,
		"The far end wants the call to come through a proxy. Correct the address of the trunk {trunk}: it "
		"says {address}."),
	ROW(380, "Alternative Service", "redirected", invalid, REJECTED, 0, FAR_END, NO, 0, false,
		"The far end offers another service instead of the call."),
	ROW(400, "Bad Request", "bad_request", invalid, REJECTED, 41, CARRIER, FIXED, 0, true,
		"The trunk {trunk} at {address} did not understand the call ({reason}). Check the number {number} "
		"and the trunk's settings."),
	ROW(401, "Unauthorized", "credentials", denied, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk {trunk} at {address} does not accept our user name or password. Correct auth_username and "
		"auth_password of the trunk."),
	ROW(402, "Payment Required", "provider_account", denied, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The provider at {address} wants to be paid first. Top up the account."),
	ROW(403, "Forbidden", "forbidden", denied, REJECTED, 21, CARRIER, FIXED, 0, true,
		"The trunk {trunk} at {address} forbids this call ({reason}). Usually our IP address {seen}, the "
		"caller number {caller}, or calls to {country} are not allowed there."),
	ROW(404, "Not Found", "unknown_number", gone, UNAVAILABLE, 1, NETWORK, FIXED, 0, false,
		"The number {number} does not exist. Check it and call again."),
	ROW(405, "Method Not Allowed", "bad_request", invalid, REJECTED, 63, CARRIER, FIXED, 0, false,
		"What answers at {address} takes no calls. Correct the address of the trunk {trunk}."),
	ROW(406, "Not Acceptable", "media", invalid, REJECTED, 79, CARRIER, FIXED, 0, false,
		"The trunk {trunk} at {address} cannot answer in a way that was offered. Check its codecs and its "
		"encryption setting."),
	ROW(407, "Proxy Authentication Required", "credentials", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk {trunk} at {address} does not accept our user name or password. Correct auth_username and "
		"auth_password of the trunk."),
	ROW(408, "Request Timeout", "no_answer", "deadline_exceeded", UNAVAILABLE, 102, NETWORK, LATER, 0, false,
		"Nobody answered at {number} in time. Call again {when}."),
	ROW(409, "Conflict", "refused", failed, REJECTED, 41, CARRIER, LATER, 0, false,
		"The trunk {trunk} at {address} refused the call ({reason}). Call again {when}."),
	ROW(410, "Gone", "unknown_number", gone, UNAVAILABLE, 22, NETWORK, NO, 0, false,
		"The number {number} is no longer in use."),
	ROW(411, "Length Required", "bad_request", invalid, REJECTED, 127, CARRIER, NO, 0, false,
		"The trunk at {address} could not read where the call request ends. A router's SIP helper (ALG) on "
		"the way may have changed it: switch that off."),
	ROW(412, "Conditional Request Failed", "refused", failed, REJECTED, 41, CARRIER, LATER, 0, false,
		"The trunk {trunk} at {address} refused the call ({reason}). Call again {when}."),
	ROW(413, "Request Entity Too Large", "too_large", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} found the call request too large. Send fewer headers and codecs."),
	ROW(414, "Request-URI Too Long", "bad_request", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} found the address that was called too long. Check the number {number} and "
		"its parameters."),
	ROW(415, "Unsupported Media Type", "media", invalid, REJECTED, 79, CARRIER, FIXED, 0, false,
		"The trunk {trunk} at {address} takes none of the sound formats that were offered. Allow PCMU or PCMA "
		"on the trunk."),
	ROW(416, "Unsupported URI Scheme", "bad_request", "out_of_range", REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} does not understand this kind of number. Write it as + and country code."),
	ROW(417, "Unknown Resource-Priority", "bad_request", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} does not know the priority that the call asks for. Take Resource-Priority "
		"off the trunk's headers."),
	ROW(420, "Bad Extension", "extension", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} does not have an extension that the call requires. Take Require off the "
		"trunk's headers."),
	ROW(421, "Extension Required", "extension", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} requires a SIP extension that is not spoken here ({reason}). Switch it off at "
		"the provider."),
	ROW(422, "Session Interval Too Small", "session_timer", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants longer session timers than were offered."),
	ROW(423, "Interval Too Brief", "bad_request", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants a longer interval than was offered."),
	ROW(424, "Bad Location Information", "bad_request", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} does not take the location that was sent. Take Geolocation off the trunk's "
		"headers."),
	ROW(425, "Bad Alert Message", "bad_request", invalid, REJECTED, 127, CARRIER, NO, 0, false,
		"The trunk at {address} does not take the alert that was sent."),
	ROW(428, "Use Identity Header", "caller_identity", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants a signed caller identity for {caller}. Let the provider sign (STIR), or "
		"call from a number of its own."),
	ROW(429, "Provide Referrer Identity", "transfer_off", invalid, REJECTED, 21, CARRIER, NO, 0, false,
		"The far end takes transfers only with the identity of who transfers."),
	ROW(430, "Flow Failed", "refused", invalid, REJECTED, 41, NETWORK, LATER, 0, false,
		"The trunk at {address} lost its connection to the called phone. Call again {when}."),
	ROW(433, "Anonymity Disallowed", "caller_id", denied, REJECTED, 21, FAR_END, FIXED, 0, false,
		"The called phone takes no anonymous calls. Show a caller number."),
	ROW(436, "Bad Identity Info", "caller_identity", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk at {address} could not check the caller's identity: the certificate that it names cannot "
		"be fetched."),
	ROW(437, "Unsupported Credential", "caller_identity", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk at {address} does not trust the certificate of the caller's identity."),
	ROW(438, "Invalid Identity Header", "caller_identity", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk at {address} found the caller's identity forged. Check that {caller} is yours and that "
		"the clock is right."),
	ROW(439, "First Hop Lacks Outbound Support", "extension", invalid, REJECTED, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants calls through a proxy of its own. Correct the address of the trunk "
		"{trunk}."),
	ROW(440, "Max-Breadth Exceeded", "routing_loop", busy, REJECTED, 25, CARRIER, FIXED, 0, false,
		"The call branched too often on its way. Check that nothing forwards {number} to many others."),
	ROW(469, "Bad Info Package", "extension", invalid, REJECTED, 127, FAR_END, NO, 0, false,
		"The far end does not know the kind of information that was sent."),
	ROW(470, "Consent Needed", "rejected", denied, REJECTED, 21, FAR_END, NO, 0, false,
		"The called phone {number} did not consent to the call."),
	ROW(480, "Temporarily Unavailable", "unavailable", busy, UNAVAILABLE, 18, FAR_END, LATER, 0, true,
		"The phone {number} cannot be reached right now. Call again {when}."),
	ROW(481, "Call/Transaction Does Not Exist", "call_gone", gone, REJECTED, 41, FAR_END, LATER, 0, false,
		"The far end no longer knows the call. Call again."),
	ROW(482, "Loop Detected", "routing_loop", failed, REJECTED, 25, CARRIER, FIXED, 0, false,
		"The call came round in a circle. Check the address of the trunk {trunk}, {address}, and that nothing "
		"forwards {number} back."),
	ROW(483, "Too Many Hops", "routing_loop", failed, REJECTED, 25, CARRIER, FIXED, 0, false,
		"The call passed too many servers, which usually is a circle. Check the address of the trunk {trunk}, "
		"{address}."),
	ROW(484, "Address Incomplete", "number_incomplete", invalid, REJECTED, 28, NETWORK, FIXED, 0, false,
		"The number {number} is incomplete. Check it and call again."),
	ROW(485, "Ambiguous", "unknown_number", invalid, REJECTED, 1, NETWORK, FIXED, 0, false,
		"The number {number} could be several. Write it whole, as + and country code."),
	ROW(486, "Busy Here", "busy", busy, REJECTED, 17, FAR_END, LATER, 60, false,
		"The line {number} is busy. Call again {when}."),
	ROW(487, "Request Terminated", "canceled", "aborted", REJECTED, 31, ROOM, LATER, 0, false,
		"The call was given up before anybody answered."),
	ROW(488, "Not Acceptable Here", "media", invalid, REJECTED, 88, CARRIER, FIXED, 0, true,
		"The trunk {trunk} at {address} does not take the sound that was offered ({reason}). Check the codecs "
		"and the encryption setting of the trunk."),
	ROW(489, "Bad Event", "extension", invalid, REJECTED, 127, FAR_END, NO, 0, false,
		"The far end does not know the event that it was asked about."),
	ROW(491, "Request Pending", "refused", "aborted", REJECTED, 41, FAR_END, LATER, 1, false,
		"The far end was busy with a change of the same call. Call again."),
	ROW(493, "Undecipherable", "encryption", invalid, REJECTED, 127, FAR_END, FIXED, 0, false,
		"The far end could not decipher the call request."),
	ROW(494, "Security Agreement Required", "encryption", stranger, REJECTED, 21, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants a security agreement, which is not spoken here. Switch it off at the "
		"provider, or use TLS."),
	ROW(500, "Server Internal Error", "trunk_error", failed, TRUNK_FAILURE, 41, CARRIER, LATER, 0, true,
		"The trunk {trunk} at {address} has a problem of its own ({reason}). Call again {when}; if it stays, "
		"ask the provider."),
	ROW(501, "Not Implemented", "trunk_error", failed, TRUNK_FAILURE, 79, CARRIER, FIXED, 0, false,
		"What answers at {address} cannot make calls. Correct the address of the trunk {trunk}."),
	ROW(502, "Bad Gateway", "trunk_error", failed, TRUNK_FAILURE, 38, NETWORK, LATER, 0, true,
		"The trunk at {address} got nonsense from the phone network behind it. Call again {when}."),
	ROW(503, "Service Unavailable", "trunk_error", failed, TRUNK_FAILURE, 41, CARRIER, LATER, 0, true,
		"The trunk {trunk} at {address} takes no calls right now ({reason}). Call again {when}."),
	ROW(504, "Server Time-out", "trunk_error", "deadline_exceeded", TRUNK_FAILURE, 102, NETWORK, LATER, 0, true,
		"The trunk at {address} got no answer from the phone network. Call again {when}."),
	ROW(505, "Version Not Supported", "bad_request", invalid, TRUNK_FAILURE, 127, CARRIER, FIXED, 0, false,
		"What answers at {address} does not speak SIP 2.0. Correct the address of the trunk {trunk}."),
	ROW(513, "Message Too Large", "too_large", invalid, TRUNK_FAILURE, 127, CARRIER, FIXED, 0, false,
		"The trunk at {address} found the call request too large. Send fewer headers and codecs."),
	ROW(555, "Push Notification Service Not Supported", "trunk_error", failed, TRUNK_FAILURE, 79, CARRIER, NO, 0,
		false, "The trunk at {address} cannot wake the called phone."),
	ROW(580, "Precondition Failure", "media", failed, TRUNK_FAILURE, 47, CARRIER, FIXED, 0, false,
		"The trunk at {address} wants a bandwidth to be kept free for the call first, which is not spoken "
		"here. Switch preconditions (QoS) off at the provider."),
	ROW(600, "Busy Everywhere", "busy", busy, REJECTED, 17, FAR_END, LATER, 60, false,
		"All lines of {number} are busy. Call again {when}."),
	ROW(603, "Decline", "rejected", denied, REJECTED, 21, FAR_END, NO, 0, true,
		"The call to {number} was declined ({reason}). If every call is declined, the provider's account may be "
		"suspended or out of funds."),
	ROW(604, "Does Not Exist Anywhere", "unknown_number", gone, REJECTED, 1, NETWORK, FIXED, 0, false,
		"The number {number} does not exist anywhere. Check it and call again."),
	ROW(606, "Not Acceptable", "media", invalid, REJECTED, 88, FAR_END, FIXED, 0, true,
		"The called phone does not take the sound that was offered ({reason}). Check the codecs of the trunk "
		"{trunk}."),
	ROW(607, "Unwanted", "rejected", denied, REJECTED, 21, FAR_END, NO, 0, false,
		"The called person does not want calls from {caller}. Do not call again from this number."),
	ROW(608, "Rejected", "rejected", denied, REJECTED, 21, CARRIER, NO, 0, false,
		"The phone network rejected the call as unwanted. Have the caller number {caller} taken off its "
		"lists of unwanted callers; the answer's Call-Info says where."),

	CLASS(600, "other 6xx", "rejected", invalid, REJECTED, 21, FAR_END, NO,
		"The call was refused everywhere ({reason})."),
	CLASS(500, "other 5xx", "trunk_error", failed, TRUNK_FAILURE, 41, CARRIER, LATER,
		"The trunk {trunk} at {address} failed ({reason}). Call again {when}."),
	CLASS(400, "other 4xx", "refused", invalid, REJECTED, 127, CARRIER, FIXED,
		"The trunk {trunk} at {address} refused the call ({reason})."),
	CLASS(300, "other 3xx", "redirected", invalid, REJECTED, 0, FAR_END, FIXED,
		"The far end wants the call to go elsewhere ({reason}), and calls are not redirected from here."),
};

struct ending_part endings_by_status(void)
{
	return (struct ending_part){rows, COUNT_OF(rows)};
}
