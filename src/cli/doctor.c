/* cli/doctor.c - `ringdown doctor [TRUNK]`: reads the trunk from the server, examines it from a socket of
 * its own, and ends with what to fix first. */
#include "cli/cli.h"
#include "cli/doctor.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "wire/e164.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	TIMEOUT_S = 10,       /* of a question to the server */
	DEADLINE_MS = 90000,  /* of all steps together */
	DOCTOR_NOTHING = 3,   /* exit status: nothing could be examined */
	WORDS_MAX = 64,
};

static const struct {
	void (*run)(struct doctor *d);
	const char *progress; /* NULL = it takes no time */
} steps[] = {
	{doctor_settings, NULL},
	{doctor_records, "looking up its name"},
	{doctor_dns, NULL},
	{doctor_tls, NULL},
	{doctor_options, "asking with OPTIONS"},
	{doctor_outside, NULL},
	{doctor_clock, NULL},
	{doctor_registration, NULL},
	{doctor_credentials, "checking the credentials"},
	{doctor_media, "looking at the sound"},
};

/* --- the loop ------------------------------------------------------------------------------ */

static void on_turn(void *owner)
{
	struct doctor *d = owner;
	if (d->over || d->step == COUNT_OF(steps)) {
		loop_stop(&d->loop);
		return;
	}
	if (!d->quiet && steps[d->step].progress)
		fprintf(stderr, "... %s\n", steps[d->step].progress);
	steps[d->step++].run(d);
}

void doctor_next(struct doctor *d)
{
	timer_start(&d->turn, 0, 0);
}

static void on_deadline(void *owner)
{
	struct doctor *d = owner;
	doctor_found(d, "time", DOCTOR_BAD, NULL, "The examination took longer than %d s and was ended.", DEADLINE_MS / 1000);
	d->over = true;
	loop_stop(&d->loop);
}

static int open_all(struct doctor *d)
{
	const struct tls_config tls = {.client = true, .ca_file = d->ca_file};
	char why[TLS_WHY_SIZE];
	int r = tls_context_new(&d->tls, &tls, why);
	if (r > 0) {
		fprintf(stderr, "ringdown: %s\n", why);
		return -EINVAL;
	}
	const struct sip_agent_config config = {
		.binds = {"0.0.0.0", "::"},
		.bind_optional = 1, /* a machine may know no IPv6 */
		.user_agent = "Ringdown doctor",
		.tls_client = d->tls,
	};
	if (r == 0)
		r = dns_new(&d->dns, &d->loop);
	if (r == 0 && d->dns_servers)
		r = dns_set_servers(d->dns, d->dns_servers);
	if (r == 0)
		r = sip_agent_new(&d->agent, &d->loop, d->dns, &config, NULL, NULL);
	if (r == 0)
		r = timer_init(&d->turn, &d->loop, on_turn, d);
	if (r == 0)
		r = timer_init(&d->deadline, &d->loop, on_deadline, d);
	return r;
}

int doctor_run(struct doctor *d)
{
	int r = loop_init(&d->loop);
	if (r < 0)
		return r;
	r = open_all(d);
	if (r == 0) {
		d->own_port = sip_agent_port(d->agent);
		timer_start(&d->deadline, DEADLINE_MS, 0);
		doctor_next(d);
		loop_run(&d->loop);
	}
	doctor_call_free(d);
	d->request = sip_request_free(d->request);
	dns_cancel(d->query);
	sip_locate_cancel(d->location);
	timer_fini(&d->turn);
	timer_fini(&d->deadline);
	d->agent = sip_agent_free(d->agent);
	d->dns = dns_free(d->dns);
	loop_run(&d->loop); /* until the last connection has said goodbye */
	loop_fini(&d->loop);
	d->tls = tls_context_free(d->tls);
	return r;
}

/* --- from the server ------------------------------------------------------------------------ */

struct command {
	struct client client;
	struct proto_arena arena;
	const char *words[WORDS_MAX];
	json_t *health;
	bool json;
	struct doctor doctor;
};

/* By id, else by name, else the only one. NULL: said on stderr. */
static const Livekit__SIPOutboundTrunkInfo *choose(const Livekit__ListSIPOutboundTrunkResponse *list, const char *wanted)
{
	const Livekit__SIPOutboundTrunkInfo *found = NULL;
	size_t count = 0;
	for (size_t i = 0; i < list->n_items; ++i) {
		const Livekit__SIPOutboundTrunkInfo *t = list->items[i];
		if (!wanted || !strcmp(t->sip_trunk_id, wanted) || !strcmp(t->name, wanted)) {
			found = t;
			++count;
		}
	}
	if (count == 1)
		return found;
	if (!list->n_items)
		fprintf(stderr, "ringdown: the server has no trunk. Make one: ringdown sip outbound create FILE\n");
	else if (!count)
		fprintf(stderr, "ringdown: no trunk has the name or id \"%s\". See: ringdown sip outbound list\n", wanted);
	else
		fprintf(stderr, "ringdown: there are %zu trunks%s%s%s. Say which, by its id: ringdown sip outbound list\n", count,
			wanted ? " named \"" : "", wanted ? wanted : "", wanted ? "\"" : "");
	return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* Of the server as the network sees it. A LiveKit server does not tell. */
static bool learn_server(struct command *c)
{
	struct doctor *d = &c->doctor;
	size_t i;
	json_t *one;
	if (!client_get(&c->client, CLIENT_SIP_ADMIN, "/livekit/sip/trunks", &c->health))
		return false;
	const json_t *server = json_object_get(c->health, "server");
	snprintf(d->sip_host, sizeof d->sip_host, "%s", text_of(server, "sip_host"));
	snprintf(d->media_ip, sizeof d->media_ip, "%s", text_of(server, "media_ip"));
	snprintf(d->media_ip6, sizeof d->media_ip6, "%s", text_of(server, "media_ip6"));
	d->sip_port = (uint16_t)json_integer_value(json_object_get(server, "sip_port"));
	d->rtp_first = (uint16_t)json_integer_value(json_object_get(server, "rtp_port_first"));
	d->rtp_last = (uint16_t)json_integer_value(json_object_get(server, "rtp_port_last"));
	json_array_foreach(json_object_get(c->health, "trunks"), i, one)
		if (!strcmp(text_of(one, "sip_trunk_id"), d->trunk->sip_trunk_id))
			d->health = one;
	return true;
}

static bool learn(struct command *c, const char *wanted)
{
	Livekit__ListSIPOutboundTrunkRequest in = LIVEKIT__LIST_SIPOUTBOUND_TRUNK_REQUEST__INIT;
	struct doctor *d = &c->doctor;
	ProtobufCMessage *out = NULL;
	char why[TRUNK_WHY_SIZE];
	if (!client_open(&c->client) || !client_call(&c->client, CLIENT_SIP_ADMIN, "ListSIPOutboundTrunk", &in.base,
						 &livekit__list_sipoutbound_trunk_response__descriptor, &out, &c->arena, TIMEOUT_S))
		return false;
	if (!wanted)
		wanted = env_get(&c->client.env, "LIVEKIT_SIP_TRUNK");
	d->trunk = choose((const Livekit__ListSIPOutboundTrunkResponse *)out, wanted);
	if (!d->trunk || !learn_server(c))
		return false;
	if (trunk_options_read(&d->options, d->trunk->metadata, why))
		doctor_found(d, "settings", DOCTOR_BAD, "Correct the trunk's metadata: see docs/configuration.md.", "%s", why);
	const char *host = strstr(c->client.url, "://") + 3;
	d->beside = !strncmp(host, "127.", 4) || !strncmp(host, "localhost", 9) || !strncmp(host, "[::1]", 5);
	return true;
}

static int examine(struct command *c, const char *wanted)
{
	struct doctor *d = &c->doctor;
	if (!learn(c, wanted))
		return DOCTOR_NOTHING;
	log_configure(LOG_ERROR, false);
	if (doctor_run(d) < 0) {
		fprintf(stderr, "ringdown: no socket, or no memory: nothing could be examined\n");
		return DOCTOR_NOTHING;
	}
	if (c->json && !doctor_print_json(d))
		return DOCTOR_NOTHING;
	if (!c->json)
		doctor_print(d);
	return doctor_count(d, DOCTOR_BAD) ? CLI_FAILED : CLI_OK;
}

int cli_doctor(int argc, char **argv)
{
	struct command *c = mem_zalloc(sizeof *c);
	if (!c)
		return DOCTOR_NOTHING;
	struct doctor *d = &c->doctor;
	const char *call = NULL;
	const struct option list[] = {
		{"--number", "NUMBER", "called to check the credentials, and hung up before it rings; default: the trunk's own first number",
			&d->number, NULL},
		{"--call", "NUMBER", "really call this number, and measure the sound for a few seconds", &call, NULL},
		{"--no-invite", NULL, "call nobody: the credentials are not checked", NULL, &d->no_invite},
		{"--ca-file", "FILE", "authorities of one's own, PEM; as the server's sip.tls.ca_file", &d->ca_file, NULL},
		{"--dns-servers", "IP[:PORT],...", "asked instead of the system's; as the server's dns_servers", &d->dns_servers, NULL},
		CLIENT_OPTIONS(&c->client),
		{"--json", NULL, "what was found as JSON", NULL, &c->json},
		{"--quiet", NULL, "no progress on standard error", NULL, &d->quiet},
	};
	struct options o = {
		.usage = "ringdown doctor [options] [TRUNK]",
		.about = "Examines a trunk (name or id; default: LIVEKIT_SIP_TRUNK, else the only one): DNS, ports, TLS, OPTIONS,\n"
			 "the address seen from outside, the clock, the registration, the credentials, the way of the sound.\n"
			 "Talks SIP from a socket of its own, on the machine where it runs: run it beside the server.\n"
			 "Exit status: 0 nothing wrong, 1 something is, 2 not understood, 3 nothing could be examined.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c->words,
		.words_max = COUNT_OF(c->words),
	};
	char number[17];
	int status;
	int r = options_read(&o, argc, argv);
	if (r)
		status = options_status(r);
	else if (o.word_count > 1)
		status = options_complain(&o, "expected one trunk");
	else if (call && e164_parse(number, span_text(call), NULL) != E164_OK)
		status = options_complain(&o, "--call: expected + and country code, then the number");
	else {
		d->call = call != NULL;
		d->number = call ? number : d->number;
		status = examine(c, o.word_count ? c->words[0] : NULL);
	}
	json_decref(c->health);
	client_close(&c->client);
	proto_arena_fini(&c->arena);
	mem_free(c);
	return status;
}
