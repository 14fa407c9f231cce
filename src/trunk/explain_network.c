/* trunk/explain_network.c - what the phone network says beside a vague status: Q.850 causes (ITU-T Q.850,
 * carried by RFC 3326's Reason) and SIP's warnings (RFC 3261, 20.43). */
#include "trunk/explain_table.h"

#define CAUSE(number, name, code, by, retry, sentence)                                                     \
	{ENDING_Q850, number, name, code, NULL, 0, number, ENDED_BY_##by, RETRY_##retry, 0, false, sentence}
#define WARNING(number, name, code, sentence)                                                              \
	{ENDING_WARNING, number, name, code, NULL, 0, 0, ENDED_BY_CARRIER, RETRY_FIXED, 0, false, sentence}

static const char congested[] = "The phone network has no free line to {number} right now. Call again {when}.";
static const char broken[] = "A part of the phone network on the way to {number} is out of order. Call again {when}.";
static const char protocol[] = "The phone network did not understand the call ({cause}). If it stays, ask the "
			       "provider and name the call.";
static const char no_service[] = "The phone network does not offer what the call asks for ({cause}). Ask the provider "
				 "what the trunk {trunk} may do.";

static const struct ending rows[] = {
	CAUSE(1, "unallocated number", "unknown_number", NETWORK, FIXED,
		"The number {number} is not assigned to anybody. Check it and call again."),
	CAUSE(2, "no route to transit network", "unreachable_number", NETWORK, FIXED,
		"The phone network has no route to {number}. Check the number, or ask the provider."),
	CAUSE(3, "no route to destination", "unreachable_number", NETWORK, FIXED,
		"The phone network has no route to {number}. Check the number, or ask the provider."),
	CAUSE(17, "user busy", "busy", FAR_END, LATER, "The line {number} is busy. Call again {when}."),
	CAUSE(18, "no user responding", "unavailable", FAR_END, LATER,
		"The phone {number} does not respond. It may be switched off; call again {when}."),
	CAUSE(19, "no answer from user", "no_answer", FAR_END, LATER,
		"It rang at {number}, and nobody answered. Call again {when}."),
	CAUSE(20, "subscriber absent", "unavailable", FAR_END, LATER,
		"The phone {number} is switched off or has no signal. Call again {when}."),
	CAUSE(21, "call rejected", "rejected", FAR_END, NO,
		"The call to {number} was rejected. The called person, or a filter of theirs, does not want it."),
	CAUSE(22, "number changed", "unknown_number", NETWORK, FIXED,
		"The number {number} has changed. Find out the new one."),
	CAUSE(25, "exchange routing error", "routing_loop", NETWORK, LATER, broken),
	CAUSE(26, "non-selected user clearing", "unavailable", FAR_END, LATER,
		"The phone {number} cannot be reached right now. Call again {when}."),
	CAUSE(27, "destination out of order", "unavailable", NETWORK, LATER,
		"The line {number} is out of order. Call again {when}."),
	CAUSE(28, "invalid number format", "number_incomplete", NETWORK, FIXED,
		"The number {number} is incomplete or wrong. Check it and call again."),
	CAUSE(29, "facility rejected", "service_refused", NETWORK, NO, no_service),
	CAUSE(34, "no circuit available", "congested", NETWORK, LATER, congested),
	CAUSE(38, "network out of order", "network_down", NETWORK, LATER, broken),
	CAUSE(41, "temporary failure", "network_down", NETWORK, LATER,
		"The phone network failed for the moment. Call again {when}."),
	CAUSE(42, "switching equipment congestion", "congested", NETWORK, LATER, congested),
	CAUSE(44, "requested circuit not available", "congested", NETWORK, LATER, congested),
	CAUSE(47, "resource unavailable", "congested", NETWORK, LATER, congested),
	CAUSE(50, "facility not subscribed", "service_refused", CARRIER, FIXED, no_service),
	CAUSE(52, "outgoing calls barred", "forbidden", CARRIER, FIXED,
		"Outgoing calls are barred for the trunk {trunk} or the caller number {caller}. Ask the provider to "
		"allow them."),
	CAUSE(54, "incoming calls barred", "rejected", FAR_END, NO,
		"The phone {number} takes no incoming calls."),
	CAUSE(55, "incoming calls barred within the group", "rejected", FAR_END, NO,
		"The phone {number} takes no incoming calls."),
	CAUSE(57, "bearer capability not authorized", "service_refused", CARRIER, FIXED, no_service),
	CAUSE(58, "bearer capability not available", "service_refused", NETWORK, LATER, no_service),
	CAUSE(63, "service not available", "service_refused", NETWORK, LATER, no_service),
	CAUSE(65, "bearer capability not implemented", "service_refused", NETWORK, NO, no_service),
	CAUSE(69, "facility not implemented", "service_refused", NETWORK, NO, no_service),
	CAUSE(79, "service not implemented", "service_refused", NETWORK, NO, no_service),
	CAUSE(87, "not a member of the group", "rejected", FAR_END, NO,
		"The phone {number} takes calls of a closed group only."),
	CAUSE(88, "incompatible destination", "media", FAR_END, NO,
		"What is connected at {number} is no telephone, or takes no sound of this kind."),
	CAUSE(95, "invalid message", "network_protocol", NETWORK, NO, protocol),
	CAUSE(96, "mandatory information missing", "network_protocol", NETWORK, NO, protocol),
	CAUSE(97, "message type unknown", "network_protocol", NETWORK, NO, protocol),
	CAUSE(98, "message not compatible with the call's state", "network_protocol", NETWORK, NO, protocol),
	CAUSE(99, "information element unknown", "network_protocol", NETWORK, NO, protocol),
	CAUSE(100, "invalid information element", "network_protocol", NETWORK, NO, protocol),
	CAUSE(101, "message not compatible with the call's state", "network_protocol", NETWORK, NO, protocol),
	CAUSE(102, "recovery on timer expiry", "network_timeout", NETWORK, LATER,
		"The phone network waited too long for {number}. Call again {when}."),
	CAUSE(111, "protocol error", "network_protocol", NETWORK, NO, protocol),

	WARNING(300, "incompatible network protocol", "media",
		"The trunk {trunk} at {address} cannot use the kind of network address {media} that our sound would "
		"come from. Set {setting} to a public {family} address, or the trunk's media_family to the other IP version."),
	WARNING(301, "incompatible address formats", "media",
		"The trunk {trunk} at {address} cannot use the network address {media} that our sound would come from. "
		"Set {setting} to a public {family} address, or the trunk's media_family to the other IP version."),
	WARNING(302, "incompatible transport protocol", "encryption",
		"The trunk {trunk} at {address} wants the sound encrypted in another way, or not at all. Change the "
		"trunk's media_encryption."),
	WARNING(303, "incompatible bandwidth", "media",
		"The trunk {trunk} at {address} does not take a bandwidth that was offered. Change the trunk's codecs."),
	WARNING(304, "media type not available", "media",
		"The trunk {trunk} at {address} takes none of the sound formats that were offered. Allow PCMU or PCMA "
		"on the trunk."),
	WARNING(305, "incompatible media format", "media",
		"The trunk {trunk} at {address} takes none of the sound formats that were offered. Allow PCMU or PCMA "
		"on the trunk."),
	WARNING(306, "attribute not understood", "media",
		"The trunk {trunk} at {address} does not understand a part of the description of our sound. Set the "
		"trunk's media_encryption to DISABLE and allow PCMU or PCMA only."),
	WARNING(307, "session description parameter not understood", "media",
		"The trunk {trunk} at {address} does not understand a part of the description of our sound. Set the "
		"trunk's media_encryption to DISABLE and allow PCMU or PCMA only."),
	WARNING(330, "multicast not available", "media",
		"The trunk {trunk} at {address} does not take sound from the network address {media}. Set "
		"{setting} to a public {family} address."),
	WARNING(331, "unicast not available", "media",
		"The trunk {trunk} at {address} does not take sound from the network address {media}. Set "
		"{setting} to a public {family} address."),
	WARNING(370, "insufficient bandwidth", "congested",
		"The trunk {trunk} at {address} has no bandwidth left for the call. Call again {when}."),
};

struct ending_part endings_by_network(void)
{
	return (struct ending_part){rows, COUNT_OF(rows)};
}
