#include "simulator/numbers.h"

#include "simulator/simulator.h"

#define GREETS " / answer / bank menu"
#define ANSWERS "180 / wait 200 / answer / play tone"
#define TONE " / answer / play tone"

/* 555-0100 to 555-0199 belong to nobody: they are kept for stories. The area says what kind of callee it
 * is: 202 the bank, 303 refuses, 702 is refused by the carrier, 415 is heard before the answer, 312 does
 * something in the dialog, 512 with the sound. */
static const struct number book[] = {
	{"+12025550100", "First National Bank: a menu that reacts to keys", "first-national", "First National Bank",
		"180 / wait 1200" GREETS},
	{"+12025550101", "Harbor Credit Union: the same menu, answers at once", "harbor", "Harbor Credit Union",
		"answer / bank menu"},
	{"+1234567890", "the number of the examples: the same menu", NULL, NULL, "180 / wait 1200" GREETS},
	{"+12025550110", "is busy (486)", NULL, NULL, "180 / wait 300 / 486"},
	{"+12025550111", "rings and never answers", NULL, NULL, "180 / await cancel / 487"},
	{"+12025550112", "declines (603)", NULL, NULL, "180 / wait 300 / 603"},
	{"+12025550113", "is not in service (404)", NULL, NULL, "404"},
	{"+12025550114", "answers late, after eight seconds", NULL, NULL, "180 / wait 8000" GREETS},
	{"+12025550115", "answers and hangs up after two seconds", NULL, NULL, "180 / wait 300 / answer / bank hang-up"},
	{"+12025550116", "echoes you", NULL, NULL, "180 / wait 300 / answer / bank echo"},
	{"+12025550117", "plays a tone of 1000 Hz", NULL, NULL, "180 / wait 300 / answer / bank tone"},
	{"+12025550118", "is unavailable (480)", NULL, NULL, "180 / wait 300 / 480"},
	{"+12025550119", "fails at the carrier (503)", NULL, NULL, "503"},

	{"+13035550100", "does not answer: 480 after ringing", NULL, NULL,
		"180 / wait 500 / 480 Temporarily Unavailable | Reason: Q.850;cause=19;text=\"No answer from user\""},
	{"+13035550101", "does not answer: 408", NULL, NULL, "180 / wait 500 / 408"},
	{"+13035550102", "is busy, says Q.850 as well", NULL, NULL, "486 Busy Here | Reason: Q.850;cause=17;text=\"User busy\""},
	{"+13035550103", "is busy everywhere (600)", NULL, NULL, "180 / wait 100 / 600"},
	{"+13035550104", "is not allocated: 404, Q.850 cause 1", NULL, NULL,
		"404 Not Found | Reason: Q.850;cause=1;text=\"Unallocated number\""},
	{"+13035550105", "has gone (410)", NULL, NULL, "410"},
	{"+13035550106", "is too short (484)", NULL, NULL, "484"},
	{"+13035550107", "is unwanted (607)", NULL, NULL, "607 Unwanted"},
	{"+13035550108", "is rejected by an analytics service (608)", NULL, NULL, "608 Rejected"},
	{"+13035550109", "503 with Retry-After: 10", NULL, NULL, "503 Service Unavailable | Retry-After: 10"},
	{"+13035550110", "500 with Retry-After: 2 (and a comment)", NULL, NULL,
		"500 Server Internal Error | Retry-After: 2 (congestion);duration=60"},
	{"+13035550111", "502: the network behind fails", NULL, NULL,
		"183 / wait 200 / 502 Bad Gateway | Reason: Q.850;cause=38;text=\"Network out of order\""},
	{"+13035550112", "has no circuit: 503, Q.850 cause 34", NULL, NULL,
		"503 Service Unavailable | Reason: Q.850;cause=34;text=\"No circuit available\""},
	{"+13035550113", "warns: 488 with a Warning", NULL, NULL,
		"488 Not Acceptable Here | Warning: 304 sip.example.test \"Media type not available\""},
	{"+13035550114", "moved: 302 to another number of the trunk", NULL, NULL,
		"302 Moved Temporarily | Contact: <sip:+12025550101@127.0.0.1:5070>"},
	{"+13035550115", "moved: 301 to a foreign host, as toll fraud does", NULL, NULL,
		"301 Moved Permanently | Contact: <sip:+8810000000@198.51.100.7>"},
	{"+13035550116", "does not understand (501)", NULL, NULL, "501"},
	{"+13035550117", "an answer of 699 that nobody has defined", NULL, NULL, "699 Something Else"},
	{"+13035550118", "swallows the INVITE: no response at all", NULL, NULL, "vanish"},
	{"+13035550119", "says 100 and then nothing, for ever", NULL, NULL, "await cancel / 487"},
	{"+13035550120", "asks for an extension that nobody has (420)", NULL, NULL, "420 Bad Extension | Unsupported: replaces"},

	{"+17025550100", "400: not E.164 (32101)", NULL, NULL,
		"400 Invalid Phone Number | X-Twilio-Error: 32101 Invalid phone number"},
	{"+17025550101", "400: not verified, trial (32100)", NULL, NULL,
		"400 The number is unverified | X-Twilio-Error: 32100 Trial accounts may only call verified numbers"},
	{"+17025550102", "403: address not in the list (32201)", NULL, NULL,
		"403 Forbidden | X-Twilio-Error: 32201 Authentication failure - source IP Address not in ACL"},
	{"+17025550103", "403: blocked (32203); the twilio profile blocks it before the script", NULL, NULL,
		"403 Phone number is blocked for verification | X-Twilio-Error: 32203 Call blocked as potential fraud"},
	{"+17025550104", "603: blocked (32203)", NULL, NULL,
		"603 Decline | X-Twilio-Error: 32203 Call blocked as potential fraud"},
	{"+17025550105", "403: caller number (32204)", NULL, NULL, "403 Invalid Caller ID | X-Twilio-Error: 32204 Invalid Caller ID"},
	{"+17025550106", "403: caller number malformed (32206)", NULL, NULL,
		"403 Invalid Caller ID | X-Twilio-Error: 32206 Invalid Caller ID format"},
	{"+17025550107", "403: country (32205)", NULL, NULL,
		"403 No International Authorization | X-Twilio-Error: 32205 Geographic permission is not enabled"},
	{"+17025550108", "403: account inactive (32200)", NULL, NULL, "403 Forbidden | X-Twilio-Error: 32200 Authentication failure"},
	{"+17025550109", "603: account suspended", NULL, NULL, "603 Decline"},
	{"+17025550110", "415: no codec", NULL, NULL, "415 Unsupported media type"},
	{"+17025550111", "488: TLS wanted (32209)", NULL, NULL,
		"488 Secure SIP transport required | X-Twilio-Error: 32209 Secure SIP transport required"},
	{"+17025550112", "488: SRTP wanted (32208)", NULL, NULL, "488 Not Acceptable Here | X-Twilio-Error: 32208 Secure media required"},
	{"+17025550113", "488: SRTP refused (32207)", NULL, NULL,
		"488 Not Acceptable Here | X-Twilio-Error: 32207 Secure media is not enabled"},
	{"+17025550114", "400: bad SDP (32102)", NULL, NULL, "400 Bad SDP | X-Twilio-Error: 32102 Bad SDP"},
	{"+17025550115", "400: no SDP (32103)", NULL, NULL, "400 Empty body | X-Twilio-Error: 32103 INVITE without a body"},
	{"+17025550116", "483: too many hops (32006)", NULL, NULL, "483 Too Many Hops | X-Twilio-Error: 32006 Too many hops"},
	{"+17025550117", "503: calls a second (32001)", NULL, NULL,
		"503 Trunk CPS limit exceeded | X-Twilio-Error: 32001 Trunk CPS limit exceeded"},
	{"+17025550118", "503: calls a second of the pool (32012)", NULL, NULL,
		"503 Trunk CPS limit exceeded | X-Twilio-Error: 32012 Pool CPS limit exceeded"},
	{"+17025550119", "503: calls at once", NULL, NULL, "503 Trunk concurrent call limit exceeded"},
	{"+17025550120", "503: the PSTN did not ring in time (32016), after 2 s instead of 60", NULL, NULL,
		"wait 2000 / 503 Service Unavailable | X-Twilio-Error: 32016 PSTN post dial delay expired"},
	{"+17025550121", "403 after the credentials were right (32202)", NULL, NULL,
		"403 Forbidden | X-Twilio-Error: 32202 Authentication failure - bad user credentials"},
	{"+17025550122", "403: voice disabled (32005)", NULL, NULL, "403 Forbidden | X-Twilio-Error: 32005 Voice is disabled"},
	{"+17025550123", "Telnyx: the caller's number (D35)", NULL, NULL, "403 Caller Origination Number is Invalid D35"},
	{"+17025550124", "Telnyx: no outbound profile (D38)", NULL, NULL, "403 No outbound profile D38"},
	{"+17025550125", "Telnyx: channel limit (D1)", NULL, NULL, "403 Channel limit exceeded D1"},
	{"+17025550126", "Telnyx: fraud prefix (D41)", NULL, NULL, "403 Destination prefix blocked D41"},
	{"+17025550127", "Telnyx: no route (D40)", NULL, NULL, "404 No route D40"},
	{"+17025550128", "Telnyx: calls a second (P05)", NULL, NULL, "503 Calls per second limit exceeded P05"},
	{"+17025550129", "Telnyx: not registered (RG1)", NULL, NULL, "480 User not registered RG1"},
	{"+17025550130", "Telnyx: trial (D60)", NULL, NULL, "403 Trial tier D60"},
	{"+17025550131", "Telnyx: SRTP mismatch (B3)", NULL, NULL, "488 Encryption mismatch B3"},

	{"+14155550100", "183 with ringback, then the answer", NULL, NULL,
		"183 sdp / play ringback / wait 1500" TONE},
	{"+14155550101", "183 with an announcement, then 404, as a number that is out of service", NULL, NULL,
		"183 sdp / play sorry / wait 2500 / 404 Not Found | Reason: Q.850;cause=1"},
	{"+14155550102", "180, then 183 with SDP, then 180 again, then the answer", NULL, NULL,
		"180 / wait 200 / 183 sdp / play ringback / wait 400 / 180 / wait 200" TONE},
	{"+14155550103", "180 with SDP", NULL, NULL, "180 sdp / play ringback / wait 600" TONE},
	{"+14155550104", "183 without SDP, 200 with it", NULL, NULL, "183 / wait 300" TONE},
	{"+14155550105", "183 that needs a PRACK", NULL, NULL, "183 sdp reliably / play ringback / wait 300" TONE},
	{"+14155550106", "180 and 183 that need a PRACK each", NULL, NULL, "180 reliably / 183 sdp reliably / wait 200" TONE},
	{"+14155550107", "UPDATE in the early dialog, as easybell", NULL, NULL,
		"183 sdp reliably / update refresh / update offer / wait 200" TONE},
	{"+14155550108", "rings in three places, the second answers", NULL, NULL,
		"180 fork=0 / 183 sdp fork=1 / 180 fork=2 / wait 300 / answer fork=1 / play tone"},
	{"+14155550109", "two places answer: two 200s with two tags", NULL, NULL,
		"180 fork=0 / 180 fork=1 / wait 200 / answer fork=0 now / answer fork=1 / play tone"},
	{"+14155550110", "answers when it is cancelled: 200 crosses CANCEL", NULL, NULL,
		"180 / await cancel" TONE},
	{"+14155550111", "180 every half second, for ever", NULL, NULL, "180 / wait 500 / again"},
	{"+14155550112", "181, 182, 199 and other provisional answers", NULL, NULL,
		"181 / wait 50 / 182 Queued, 3 in front / wait 50 / 199 / wait 50 / 180 / wait 100" TONE},
	{"+14155550113", "answers without having rung, after two seconds of 100", NULL, NULL, "wait 2000" TONE},

	{"+13125550100", "answers and hangs up a second later, with a Reason", NULL, NULL,
		"180 / wait 200 / answer / wait 1000 / bye Q.850;cause=16;text=\"Normal call clearing\""},
	{"+13125550101", "hangs up because of the network (Q.850 cause 41)", NULL, NULL,
		ANSWERS " / wait 600 / bye Q.850;cause=41;text=\"Temporary failure\""},
	{"+13125550102", "holds with sendonly, resumes", NULL, NULL,
		ANSWERS " / wait 500 / reinvite sendonly / wait 1000 / reinvite resume"},
	{"+13125550103", "holds with inactive, resumes", NULL, NULL,
		ANSWERS " / wait 500 / reinvite inactive / wait 1000 / reinvite resume"},
	{"+13125550104", "holds with 0.0.0.0, resumes", NULL, NULL,
		ANSWERS " / wait 500 / reinvite zero / wait 1000 / reinvite resume"},
	{"+13125550105", "changes the codec to PCMA", NULL, NULL, ANSWERS " / wait 500 / reinvite codec PCMA"},
	{"+13125550106", "re-INVITE without an offer", NULL, NULL, ANSWERS " / wait 500 / reinvite no-offer"},
	{"+13125550107", "refreshes the session with re-INVITE", NULL, NULL, ANSWERS " / wait 500 / reinvite refresh"},
	{"+13125550108", "refreshes the session with UPDATE, without SDP", NULL, NULL, ANSWERS " / wait 500 / update refresh"},
	{"+13125550109", "UPDATE with SDP", NULL, NULL, ANSWERS " / wait 500 / update offer"},
	{"+13125550110", "asks OPTIONS in the dialog", NULL, NULL, ANSWERS " / wait 300 / request OPTIONS"},
	{"+13125550111", "INFO, MESSAGE, NOTIFY in the dialog", NULL, NULL,
		ANSWERS " / wait 300 / request INFO / request MESSAGE / request NOTIFY"},
	{"+13125550112", "a method that does not exist in the dialog", NULL, NULL, ANSWERS " / wait 300 / request SUBSCRIBE"},

	{"+15125550100", "records you for three seconds and plays it back, as Twilio's \"Play\" number", NULL, NULL,
		"180 / wait 200 / answer / play record 3000 / await sound / play recorded / await sound / bye"},
	{"+15125550101", "echoes you", NULL, NULL, "answer / play echo"},
	{"+15125550102", "presses 1 2 3 # after a second", NULL, NULL, "answer / play silence / wait 1000 / press 123#"},
	{"+15125550103", "sends comfort noise only", NULL, NULL, "answer / play comfort-noise"},
	{"+15125550104", "is answered and never sends a packet", NULL, NULL, "answer / play nothing"},
	{"+15125550105", "sends for two seconds, then no packet any more", NULL, NULL,
		"answer / play tone / wait 2000 / play nothing"},
	{"+15125550106", "changes its SSRC after a second", NULL, NULL, "answer / play tone / wait 1000 / rtp ssrc"},
	{"+15125550107", "sends from another port after a second, without a word", NULL, NULL,
		"answer / play tone / wait 1000 / rtp port"},
	{"+15125550108", "moves to another port by re-INVITE", NULL, NULL, "answer / play tone / wait 1000 / reinvite port"},
	{"+15125550109", "sends a payload number that was not agreed on now and then", NULL, NULL,
		"answer / play tone / wait 500 / rtp odd 77 / wait 500 / rtp odd 4 / wait 500 / rtp odd 13"},
	{"+15125550110", "speaks, waits for a key, says goodbye and hangs up", NULL, NULL,
		"answer / play menu / await key / play goodbye / await sound / bye Q.850;cause=16"},
	{"+15125550111", "a line that loses 5 % and is up to 30 ms late", NULL, NULL, "answer / line loss=5 jitter=30 / play tone"},
	{"+15125550112", "a line on which packets overtake each other and come twice", NULL, NULL,
		"answer / line reorder=5 duplicate=5 / play tone"},
	{"+15125550113", "a line that loses 40 % for two seconds", NULL, NULL,
		"answer / play tone / wait 1000 / line loss=40 / wait 2000 / line"},
};

const struct number *number_find(struct span digits)
{
	for (size_t i = 0; i < COUNT_OF(book); ++i)
		if (span_is(digits, book[i].number))
			return &book[i];
	return NULL;
}

const struct number *number_at(size_t i)
{
	return i < COUNT_OF(book) ? &book[i] : NULL;
}

const struct simulator_number *simulator_numbers(size_t *count)
{
	static struct simulator_number list[COUNT_OF(book)];
	for (size_t i = 0; i < COUNT_OF(book); ++i)
		list[i] = (struct simulator_number){
			.number = book[i].number,
			.what = book[i].what,
			.bank = book[i].id,
			.id = book[i].id,
			.name = book[i].name,
		};
	*count = COUNT_OF(book);
	return list;
}
