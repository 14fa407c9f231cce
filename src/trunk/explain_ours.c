/* trunk/explain_ours.c - endings without a final answer, those that have to do with our login, and the
 * ordinary ends of a call that was up. */
#include "trunk/explain_table.h"

#define REASON(name) LIVEKIT__DISCONNECT_REASON__##name
#define FAULT(kind, when, code, twirp, reason, q850, by, retry, sentence)                                  \
	{ENDING_FAULT, CALL_FAILURE_##kind, when, code, twirp, REASON(reason), q850, ENDED_BY_##by, RETRY_##retry, 0, \
		false, sentence}
#define LOGIN(kind, when, code, twirp, sentence)                                                           \
	{ENDING_LOGIN, LOGIN_##kind, when, code, twirp, REASON(USER_REJECTED), 21, ENDED_BY_CARRIER, RETRY_FIXED, 0, \
		false, sentence}
#define END(kind, when, code, twirp, reason, q850, by, retry, sentence)                                    \
	{ENDING_NORMAL, CALL_END_##kind, when, code, twirp, REASON(reason), q850, ENDED_BY_##by, RETRY_##retry, 0, false, \
		sentence}

static const char wrong_login[] = "The trunk {trunk} at {address} does not accept our user name or password. Correct "
				  "auth_username and auth_password of the trunk.";

static const struct ending rows[] = {
	FAULT(TIMEOUT, "no response at all, in 32 s or until ringing_timeout", "trunk_unreachable", "canceled", SIP_TRUNK_FAILURE, 102, NETWORK, FIXED,
		"Nothing came back from the trunk {trunk} at {address}. Usually a firewall is in the way, or the "
		"address is not the provider's termination domain."),
	FAULT(NO_ANSWER, "rang until ringing_timeout", "no_answer", "canceled", USER_UNAVAILABLE, 19, FAR_END, LATER,
		"Nobody answered at {number} in time. Call again {when}."),
	FAULT(TRANSPORT, "refused or unreachable", "trunk_unreachable", "failed_precondition", SIP_TRUNK_FAILURE, 38,
		NETWORK, FIXED,
		"The trunk {trunk} at {address} cannot be reached: nothing listens there. Check the trunk's address, "
		"port and transport."),
	FAULT(DNS, "name not found", "trunk_address", "invalid_argument", SIP_TRUNK_FAILURE, 3, US, FIXED,
		"The trunk's address {address} leads nowhere ({reason}). Check its spelling and the machine's DNS."),
	FAULT(TLS, "no TLS, or a certificate not to be believed", "tls", "failed_precondition", SIP_TRUNK_FAILURE, 38,
		US, FIXED,
		"No secure connection to the trunk {trunk} at {address} ({reason}). Check that its address is the "
		"name in its certificate, its port, and sip.tls.ca_file."),
	FAULT(MEDIA, "answered, no common sound", "media", "failed_precondition", MEDIA_FAILURE, 88, US, FIXED,
		"The phone was answered, but no common sound format was found ({reason}). Allow PCMU or PCMA on the "
		"trunk {trunk} at {address}, and check its media_encryption."),
	FAULT(ENCRYPTION, "answered, SRTP not as the trunk wants it", "encryption", "failed_precondition",
		MEDIA_FAILURE, 88, US, FIXED,
		"The phone was answered, but {reason}, so the call was ended. Make secure media (SRTP) at the provider "
		"and the media_encryption of the trunk {trunk} alike: ALLOW takes sound with encryption and without."),
	FAULT(MEDIA_FAMILY, "answered, sound by the other IP version", "media", "failed_precondition", MEDIA_FAILURE, 88, US,
		FIXED,
		"The phone was answered, but its sound and ours are not of one kind of address, IPv4 or IPv6: we told the "
		"far end {media}. Set media_family in the metadata of the trunk {trunk} at {address} to the other one."),
	FAULT(INTERNAL, "broken here", "internal", "internal", UNKNOWN_REASON, 41, US, LATER,
		"The call failed inside Ringdown. Its log says more."),

	LOGIN(MISSING, "401 or 407, the trunk has no password", "credentials_missing", "failed_precondition",
		"The trunk {trunk} at {address} asks for a user name and password, and none is set. Set auth_username "
		"and auth_password of the trunk."),
	LOGIN(WRONG, "401 or 407 again, after our password", "credentials", "failed_precondition", wrong_login),
	LOGIN(WRONG_403, "403 after our password", "credentials", "permission_denied", wrong_login),

	END(HUNG_UP, "asked for", "hung_up", "canceled", CLIENT_INITIATED, 16, ROOM, NO,
		"The call was ended from the room."),
	END(FAR_END, "BYE", "far_end_hung_up", "canceled", CLIENT_INITIATED, 16, FAR_END, NO,
		"The other side hung up."),
	END(FAR_END_CUT, "BYE with a cause of failure", "far_end_cut", "canceled", CLIENT_INITIATED, 41, NETWORK, LATER,
		"The call was cut off by the phone network ({cause}). Call again {when}; if it stays, ask the "
		"provider."),
	END(ACK_UNSEEN, "BYE after its 200 came again and again", "ack_unseen", "failed_precondition", CLIENT_INITIATED, 102,
		NETWORK, FIXED,
		"The far end hung up because our ACK never reached it: it repeated its answer until it gave up. Usually "
		"a router's SIP helper (ALG) or a firewall keeps the ACK away: switch the helper off, or use TCP or "
		"TLS."),
	END(REMOVED, "participant removed", "removed", "canceled", PARTICIPANT_REMOVED, 16, ROOM, NO,
		"The phone was removed from the room."),
	END(REPLACED, "its identity joined again", "replaced", "canceled", DUPLICATE_IDENTITY, 16, ROOM, NO,
		"Somebody joined the room under the phone's identity, so the phone was removed. Give each call an "
		"identity of its own."),
	END(ROOM_DELETED, "room deleted", "room_deleted", "canceled", ROOM_DELETED, 16, ROOM, NO,
		"The room was deleted."),
	END(ROOM_CLOSED, "room closed", "room_closed", "canceled", ROOM_CLOSED, 16, ROOM, NO,
		"Nobody was left in the room, so it was closed."),
	END(MAX_DURATION, "max_call_duration", "max_duration", "canceled", CLIENT_INITIATED, 16, POLICY, NO,
		"The call reached the longest duration that was allowed for it."),
	END(MINUTES, "sip.minutes_per_day of its API key", "minutes_used_up", "resource_exhausted", CLIENT_INITIATED, 16,
		POLICY, LATER,
		"The minutes of today (UTC) of the API key that asked for the call are used up, so all its calls were ended. "
		"Wait until midnight, or raise sip.minutes_per_day."),
	END(NO_MEDIA, "no RTP after the answer", "no_media", "failed_precondition", MEDIA_FAILURE, 41, NETWORK, FIXED,
		"The phone was answered, but no sound ever arrived from it, so the call was ended. We told the far "
		"end to send to {media}: if that is a private address, set {setting} to the public one and open "
		"the UDP ports of sip.rtp_port, or switch Symmetric RTP on at the provider."),
	END(MEDIA_LOCKED, "RTP that SRTP's key does not open", "media_key", "failed_precondition", MEDIA_FAILURE, 88,
		NETWORK, FIXED,
		"The phone was answered and its packets arrive, but the key that was agreed on for encrypted sound (SRTP) "
		"opens none of them, so the call was ended. Something on the way changes the keys in the SDP, or sends "
		"plain sound: switch encryption off in SIP helpers (ALG, SBC), or set the media_encryption of the trunk "
		"{trunk} to DISABLE."),
	END(MEDIA_TIMEOUT, "no RTP any more", "media_timeout", "failed_precondition", MEDIA_FAILURE, 41, NETWORK, LATER,
		"No sound arrives from the phone any more, so the call was ended. Usually a firewall or NAT drops the "
		"media: check that our address {media} can be reached."),
	END(SESSION_EXPIRED, "session timer ran out", "session_expired", "failed_precondition", CLIENT_INITIATED, 102,
		NETWORK, LATER,
		"The far end did not say for too long that the call is still up (its session timer ran out), so the "
		"call was ended. Usually a firewall forgot the way: use TCP or TLS, or shorter timers at the provider."),
	END(NO_ACK, "our 200 was never acknowledged", "ack_lost", "failed_precondition", CLIENT_INITIATED, 102, NETWORK,
		FIXED,
		"The far end never acknowledged an answer of ours (no ACK in 32 s). Check that our address in "
		"Contact can be reached: {setting}, and no SIP helper (ALG) in the router."),
	END(LOST, "the far end knows it no more", "call_lost", "failed_precondition", CLIENT_INITIATED, 41, NETWORK,
		LATER, "The far end can be reached no more, or no longer knows the call. Call again {when}."),
	END(TRANSFERRED, "transferred", "transferred", "canceled", CLIENT_INITIATED, 16, ROOM, NO,
		"The phone was transferred to another number."),
	END(SERVER_STOPPED, "server stopped", "server_shutdown", "unavailable", SERVER_SHUTDOWN, 16, US, LATER,
		"The server was stopped."),
	END(INTERRUPTED, "found open after a crash or kill", "interrupted", "unavailable", SERVER_SHUTDOWN, 0, US, LATER,
		"The server ended without saying goodbye while this call was up, so how the call ended is not known. "
		"Look into the system's log for a crash or for memory that ran out."),
};

struct ending_part endings_of_ours(void)
{
	return (struct ending_part){rows, COUNT_OF(rows)};
}
