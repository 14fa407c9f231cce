/* cli/sip_participant.c - `ringdown sip participant create`: a phone call into a room. */
#include "cli/cli.h"

#include "cli/client.h"
#include "cli/json_argument.h"

#include "livekit_sip.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_S = 80, TIMEOUT_S_MAX = 3600, WORDS_MAX = 64 };

struct command {
	struct client client;
	struct proto_arena arena;
	const char *words[WORDS_MAX];
	const char *room, *identity, *trunk, *number, *call, *name, *timeout;
	bool wait, json;
};

static Livekit__CreateSIPParticipantRequest *make_request(struct command *c, const char *json)
{
	const ProtobufCMessageDescriptor *type = &livekit__create_sipparticipant_request__descriptor;
	ProtobufCMessage *m = json ? json_argument(&c->arena, type, json, NULL) : proto_new(&c->arena, type);
	Livekit__CreateSIPParticipantRequest *in = (Livekit__CreateSIPParticipantRequest *)m;
	if (!in)
		return NULL;
	const struct {
		const char *from;
		char **to;
	} texts[] = {
		{c->room, &in->room_name}, {c->identity, &in->participant_identity},
		{c->trunk, &in->sip_trunk_id}, {c->number, &in->sip_number}, {c->call, &in->sip_call_to},
		{c->name, &in->participant_name},
	};
	for (size_t i = 0; i < COUNT_OF(texts); ++i)
		if (texts[i].from)
			*texts[i].to = (char *)texts[i].from;
	if (!*in->sip_trunk_id && !in->trunk) {
		const char *trunk = env_get(&c->client.env, "LIVEKIT_SIP_TRUNK");
		if (trunk)
			in->sip_trunk_id = (char *)trunk;
	}
	in->wait_until_answered |= c->wait;
	return in;
}

static void print_participant(const struct command *c, const ProtobufCMessage *out)
{
	const Livekit__SIPParticipantInfo *p = (const Livekit__SIPParticipantInfo *)out;
	if (c->json)
		json_print(out);
	else
		printf("SIPCallID: %s\nParticipantID: %s\nParticipantIdentity: %s\nRoomName: %s\n",
			p->sip_call_id, p->participant_id, p->participant_identity, p->room_name);
}

/* "80", "80s"; 0 = neither. */
static unsigned seconds(const char *text)
{
	char *end;
	if (!text)
		return TIMEOUT_S;
	unsigned long value = strtoul(text, &end, 10);
	bool good = end != text && (!*end || !strcmp(end, "s")) && *text >= '0' && *text <= '9';
	return good && value <= TIMEOUT_S_MAX ? (unsigned)value : 0;
}

int cli_participant_create(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {
		{"--room", "NAME", "the room that the phone joins", &c.room, NULL},
		{"--call", "NUMBER", "whom to call, such as +14155550123", &c.call, NULL},
		{"--trunk", "NAME|ID", "default: LIVEKIT_SIP_TRUNK", &c.trunk, NULL},
		{"--number", "NUMBER", "the caller's number; default: one of the trunk's", &c.number, NULL},
		{"--identity", "TEXT", "of the participant; default: sip_NUMBER", &c.identity, NULL},
		{"--name", "TEXT", "of the participant", &c.name, NULL},
		{"--wait", NULL, "until the phone is answered", NULL, &c.wait},
		{"--timeout", "SECONDS", "for the whole request; default: 80", &c.timeout, NULL},
		CLIENT_OPTIONS(&c.client),
		{"--json", NULL, "the answer as JSON", NULL, &c.json},
	};
	struct options o = {
		.usage = "ringdown sip participant create [options] [JSON]",
		.about = "Calls a phone into a room. JSON (a file, - or the text itself) is a\n"
			 "CreateSIPParticipantRequest; options win over it.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count > 1 || !seconds(c.timeout))
		return options_complain(&o, o.word_count > 1 ? "expected one JSON" : "--timeout: 1 to 3600 seconds");
	ProtobufCMessage *out = NULL;
	Livekit__CreateSIPParticipantRequest *in = NULL;
	bool ok = client_open(&c.client) && (in = make_request(&c, o.word_count ? c.words[0] : NULL)) &&
		client_call(&c.client, CLIENT_SIP_CALL, "CreateSIPParticipant", &in->base,
			&livekit__sipparticipant_info__descriptor, &out, &c.arena, seconds(c.timeout));
	if (ok)
		print_participant(&c, out);
	client_close(&c.client);
	proto_arena_fini(&c.arena);
	return ok ? CLI_OK : CLI_FAILED;
}
