#include "trunk/explain.h"

#include "trunk/explain_table.h"

#include <stdio.h>

/* What a final SIP answer means, in Twirp's codes (as livekit-sip maps them) and in words. */
static const struct by_status {
	int status;
	const char *twirp;
	struct known_failure known;
} by_status[] = {
	{300, "invalid_argument", {"redirected", "The far end wants the call to go elsewhere, and calls "
		"are not redirected from here. Correct the trunk's address."}},
	{301, "not_found", {"redirected", "The number has moved, and calls are not redirected from here. "
		"Call the new number."}},
	{302, "not_found", {"redirected", "The number is redirected to another one, and calls are not "
		"redirected from here. Call the other number."}},
	{305, "invalid_argument", {"redirected", "The far end wants the call to come through a proxy. "
		"Correct the trunk's address."}},
	{380, "invalid_argument", {"redirected", "The far end offers another service instead of the "
		"call."}},
	{400, "invalid_argument", {"bad_request", "The trunk did not understand the call. Check the "
		"number and the trunk's settings."}},
	{401, "permission_denied", {"credentials", "The trunk at {address} does not accept our user name "
		"or password. Correct auth_username and auth_password of the trunk."}},
	{402, "permission_denied", {"provider_account", "The provider wants to be paid first. Top up the "
		"account."}},
	{403, "permission_denied", {"forbidden", "The trunk at {address} forbids this call. Usually our IP "
		"address, the caller number, or the called country is not allowed there."}},
	{404, "not_found", {"unknown_number", "This number does not exist. Check it and call again."}},
	{407, "unauthenticated", {"credentials", "The trunk at {address} does not accept our user name or "
		"password. Correct auth_username and auth_password of the trunk."}},
	{408, "deadline_exceeded", {"no_answer", "Nobody answered in time. Call again later."}},
	{409, "failed_precondition", {"refused", "The trunk refused the call. Call again later."}},
	{410, "not_found", {"unknown_number", "This number is no longer in use."}},
	{412, "failed_precondition", {"refused", "The trunk refused the call. Call again later."}},
	{415, "invalid_argument", {"media", "The trunk takes none of the sound formats that were offered. "
		"Allow PCMU or PCMA on the trunk."}},
	{416, "out_of_range", {"bad_request", "The trunk does not understand this kind of number."}},
	{428, "unauthenticated", {"caller_identity", "The trunk wants a signed caller identity."}},
	{433, "permission_denied", {"caller_id", "The called phone takes no anonymous calls. Show a "
		"caller number."}},
	{436, "unauthenticated", {"caller_identity", "The trunk could not check the caller's identity."}},
	{437, "unauthenticated", {"caller_identity", "The trunk does not trust the caller's certificate."}},
	{438, "unauthenticated", {"caller_identity", "The trunk found the caller's identity forged."}},
	{440, "resource_exhausted", {"routing_loop", "The call branched too often on its way."}},
	{470, "permission_denied", {"rejected", "The called phone did not consent to the call."}},
	{480, "resource_exhausted", {"unavailable", "The called phone cannot be reached right now. Call "
		"again later."}},
	{481, "not_found", {"call_gone", "The far end no longer knows the call. Call again."}},
	{482, "failed_precondition", {"routing_loop", "The call came round in a circle. Check the trunk's "
		"address."}},
	{483, "failed_precondition", {"routing_loop", "The call passed too many servers. Check the "
		"trunk's address."}},
	{484, "invalid_argument", {"number_incomplete", "The number is incomplete. Check it and call "
		"again."}},
	{486, "resource_exhausted", {"busy", "The line is busy. Call again in a few minutes."}},
	{487, "aborted", {"canceled", "The call was given up before anybody answered."}},
	{488, "invalid_argument", {"media", "The trunk does not take the sound format that was offered. "
		"Check the codecs and the encryption setting of the trunk."}},
	{491, "aborted", {"refused", "The far end is busy with the same call. Call again."}},
	{494, "unauthenticated", {"encryption", "The trunk wants a secured connection, which is not "
		"supported yet. Switch it off at the provider."}},
	{500, "failed_precondition", {"trunk_error", "The trunk at {address} has a problem of its own. "
		"Call again later."}},
	{503, "failed_precondition", {"trunk_error", "The trunk at {address} takes no calls right now. "
		"Call again later."}},
	{504, "deadline_exceeded", {"trunk_error", "The trunk at {address} got no answer from the phone "
		"network. Call again later."}},
	{505, "invalid_argument", {"bad_request", "The trunk does not speak this version of SIP."}},
	{513, "invalid_argument", {"bad_request", "The trunk found the call request too large. Send fewer "
		"headers."}},
	{600, "resource_exhausted", {"busy", "All lines are busy. Call again in a few minutes."}},
	{603, "permission_denied", {"rejected", "The call was declined. If every call is declined, the "
		"provider's account may be suspended or out of funds."}},
	{604, "not_found", {"unknown_number", "This number does not exist anywhere. Check it and call "
		"again."}},
	{606, "invalid_argument", {"media", "The called phone does not take the sound format that was "
		"offered."}},
	{607, "permission_denied", {"rejected", "The called person does not want calls from this "
		"number."}},
	{608, "permission_denied", {"rejected", "The phone network rejected the call as unwanted."}},
};

/* Statuses without a row of their own. */
static const struct by_status other[] = {
	{600, "invalid_argument", {"rejected", "The call was refused everywhere ({reason})."}},
	{500, "failed_precondition", {"trunk_error", "The trunk at {address} failed ({reason}). Call again "
		"later."}},
	{0, "invalid_argument", {"refused", "The trunk at {address} refused the call ({reason})."}},
};

static const struct by_status *status_row(int status)
{
	for (size_t i = 0; i < COUNT_OF(by_status); ++i)
		if (by_status[i].status == status)
			return &by_status[i];
	const struct by_status *row = other;
	while (row->status > status)
		++row;
	return row;
}

static Livekit__DisconnectReason status_reason(int status)
{
	if (status == 404 || status == 408 || status == 410 || status == 480)
		return LIVEKIT__DISCONNECT_REASON__USER_UNAVAILABLE;
	if (status >= 500 && status < 600)
		return LIVEKIT__DISCONNECT_REASON__SIP_TRUNK_FAILURE;
	return LIVEKIT__DISCONNECT_REASON__USER_REJECTED;
}

/* No SIP answer, or none that means anything. */
static const struct {
	const char *twirp;
	Livekit__DisconnectReason reason;
	struct known_failure known;
} by_kind[] = {
	[CALL_FAILURE_TIMEOUT] = {"canceled", LIVEKIT__DISCONNECT_REASON__SIP_TRUNK_FAILURE,
		{"trunk_unreachable", "Nothing came back from the trunk at {address}. Usually a firewall "
			"is in the way, or the address is not the provider's termination domain."}},
	[CALL_FAILURE_NO_ANSWER] = {"canceled", LIVEKIT__DISCONNECT_REASON__USER_UNAVAILABLE,
		{"no_answer", "Nobody answered in time. Call again later."}},
	[CALL_FAILURE_TRANSPORT] = {"failed_precondition", LIVEKIT__DISCONNECT_REASON__SIP_TRUNK_FAILURE,
		{"trunk_unreachable", "The trunk at {address} cannot be reached: nothing listens there. "
			"Check the trunk's address, port and transport."}},
	[CALL_FAILURE_DNS] = {"invalid_argument", LIVEKIT__DISCONNECT_REASON__SIP_TRUNK_FAILURE,
		{"trunk_address", "The name of the trunk's address, {address}, was not found. Check its "
			"spelling and the machine's DNS."}},
	[CALL_FAILURE_MEDIA] = {"failed_precondition", LIVEKIT__DISCONNECT_REASON__MEDIA_FAILURE,
		{"media", "The phone was answered, but no common sound format was found. Allow PCMU or "
			"PCMA on the trunk at {address}."}},
	[CALL_FAILURE_INTERNAL] = {"internal", LIVEKIT__DISCONNECT_REASON__UNKNOWN_REASON,
		{"internal", "The call failed inside Ringdown. Its log says more."}},
};

static const struct known_failure no_credentials = {"credentials_missing",
	"The trunk at {address} asks for a user name and password, and none is set. Set auth_username and "
	"auth_password of the trunk."};
static const struct known_failure wrong_credentials = {"credentials",
	"The trunk at {address} does not accept our user name or password. Correct auth_username and "
	"auth_password of the trunk."};

/* Only printable ASCII and UTF-8 of the far end's words, and not too many. */
static void clean_reason(char *out, size_t size, const struct call_failure *f)
{
	size_t used = 0;
	for (const char *c = f->reason ? f->reason : ""; *c && used + 1 < size; ++c)
		if ((unsigned char)*c >= 0x20 && *c != 0x7f)
			out[used++] = *c;
	out[used] = 0;
	if (!used)
		snprintf(out, size, f->sip_status ? "SIP %d" : "no reason given", f->sip_status);
}

static void fill(char *out, size_t size, const char *sentence, const struct call_failure *f)
{
	char reason[96];
	size_t used = 0;

	clean_reason(reason, sizeof reason, f);
	while (*sentence && used + 1 < size) {
		const char *word = NULL;
		if (!strncmp(sentence, "{address}", 9))
			word = f->address && *f->address ? f->address : "its address";
		else if (!strncmp(sentence, "{reason}", 8))
			word = reason;
		if (!word) {
			out[used++] = *sentence++;
			continue;
		}
		sentence = strchr(sentence, '}') + 1;
		int n = snprintf(out + used, size - used, "%.120s", word);
		used += (size_t)n < size - used ? (size_t)n : size - used - 1;
	}
	out[used] = 0;
}

static bool is_challenge(const struct call_failure *f)
{
	return f->kind == CALL_FAILURE_RESPONSE && (f->sip_status == 401 || f->sip_status == 407);
}

static void explain_response(struct call_explanation *e, const struct call_failure *f)
{
	const struct by_status *row = status_row(f->sip_status);
	const struct known_failure *known = explain_provider(f->provider, f->reason);
	if (!known && f->sip_status == 403 && f->after_challenge)
		known = &wrong_credentials;
	if (!known)
		known = &row->known;
	e->code = known->code;
	e->twirp_code = row->twirp;
	e->reason = status_reason(f->sip_status);
	/* A challenge that is not met has no final answer; LiveKit calls it a failed precondition. */
	if (is_challenge(f)) {
		known = f->has_credentials ? &wrong_credentials : &no_credentials;
		e->code = known->code;
		e->twirp_code = "failed_precondition";
	}
	fill(e->sentence, sizeof e->sentence, known->sentence, f);
}

void explain_failure(struct call_explanation *ret, const struct call_failure *f)
{
	memset(ret, 0, sizeof *ret);
	if (f->kind == CALL_FAILURE_RESPONSE) {
		explain_response(ret, f);
		return;
	}
	size_t kind = (size_t)f->kind < COUNT_OF(by_kind) ? (size_t)f->kind : CALL_FAILURE_INTERNAL;
	ret->code = by_kind[kind].known.code;
	ret->twirp_code = by_kind[kind].twirp;
	ret->reason = by_kind[kind].reason;
	fill(ret->sentence, sizeof ret->sentence, by_kind[kind].known.sentence, f);
}
