/* cli/doctor.h - `ringdown doctor`: one trunk examined, step by step, and what was found.
 *
 * Owner:   cli_doctor(). Owns: its own loop, SIP agent and sockets; nothing of the server's.
 * Thread:  the main thread.
 * Life:    doctor_run: each step begins in a turn of the loop and ends with doctor_next(), at once or from
 *          an event; a deadline ends the whole.
 */
#pragma once

#include "cli/client.h"

#include "call/identity.h"
#include "sip/aim.h"
#include "sip/request.h"

#include <jansson.h>

enum doctor_grade {
	DOCTOR_GOOD,
	DOCTOR_NOTE,    /* worth knowing; no call fails for it alone */
	DOCTOR_BAD,
	DOCTOR_SKIPPED, /* could not be examined, or needs not be */
	DOCTOR__COUNT,
};

enum { DOCTOR_FINDINGS_MAX = 96, DOCTOR_TEXT_SIZE = 600, DOCTOR_RECORDS_SIZE = 500 };

struct doctor_finding {
	const char *check; /* "dns" */
	enum doctor_grade grade;
	char text[DOCTOR_TEXT_SIZE];
	char fix[DOCTOR_TEXT_SIZE]; /* "" = nothing to be done */
};

struct doctor {
	/* what is asked for */
	const char *number;     /* called by `credentials`, and by `call` */
	bool call;              /* really, until it is answered, to measure RTP */
	bool no_invite;
	const char *ca_file;
	const char *dns_servers; /* NULL = the system's */
	const Livekit__SIPOutboundTrunkInfo *trunk;
	struct trunk_options options;
	const json_t *health; /* the server's own word on this trunk; NULL = none */
	bool beside;          /* we run on the server's machine */
	char sip_host[256], media_ip[64], media_ip6[64]; /* the server's; "" = not told */
	uint16_t sip_port, rtp_first, rtp_last;

	struct loop loop;
	struct dns *dns;
	struct tls_context *tls;
	struct sip_agent *agent;
	struct timer turn, deadline;
	size_t step;
	bool over;

	/* where the trunk is */
	struct sip_aim aim;
	struct sip_location *location;
	struct dns_query *query;
	size_t service; /* whose SRV records are asked for */
	char records[DOCTOR_RECORDS_SIZE];
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t target_count, target;
	bool by_tcp; /* the present target's second question */
	bool reached;

	struct sip_request *request;
	char seen_ip[64]; /* our address, as the far end says; "" = it did not */
	uint16_t seen_port, own_port;
	char local_ip[64]; /* as it stood in Via */
	char date[64];     /* of the answer; "" = none */
	int64_t date_at_s; /* when it came */

	struct doctor_call *ring; /* cli/doctor_call.c */

	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	size_t finding_count;
	bool quiet; /* no progress on stderr */
};

/* Returns 0, or -errno when nothing could be examined. */
MUST_USE int doctor_run(struct doctor *d);

/* --- for the steps --- */
void doctor_next(struct doctor *d);
void doctor_found(struct doctor *d, const char *check, enum doctor_grade grade, const char *fix, const char *format, ...)
	PRINTF(5, 6);
/* cli/doctor_reach.c */
void doctor_settings(struct doctor *d);
void doctor_dns(struct doctor *d);
void doctor_records(struct doctor *d);
void doctor_tls(struct doctor *d);
void doctor_options(struct doctor *d);
/* cli/doctor_seen.c */
void doctor_outside(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_registration(struct doctor *d);
/* cli/doctor_call.c */
void doctor_credentials(struct doctor *d);
void doctor_media(struct doctor *d);
void doctor_call_free(struct doctor *d);

/* --- cli/doctor_report.c --- */
void doctor_print(const struct doctor *d);      /* for a person, on stdout */
bool doctor_print_json(const struct doctor *d); /* false: out of memory */
size_t doctor_count(const struct doctor *d, enum doctor_grade grade);
