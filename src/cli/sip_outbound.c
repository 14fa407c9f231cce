/* cli/sip_outbound.c - `ringdown sip outbound create|list|update|delete`. */
#include "cli/cli.h"

#include "cli/client.h"
#include "cli/json_argument.h"
#include "cli/table.h"
#include "trunk/trunk.h"

#include "livekit_sip.pb-c.h"

#include <stdio.h>

enum { TIMEOUT_S = 30, WORDS_MAX = 64 };

static const char masked[] = "****";

/* What every one of these commands has. */
struct command {
	struct client client;
	struct proto_arena arena;
	const char *words[WORDS_MAX];
	bool json;
};

static int finish(struct command *c, int status)
{
	client_close(&c->client);
	proto_arena_fini(&c->arena);
	return status;
}

static bool create_one(struct command *c, const char *argument)
{
	Livekit__CreateSIPOutboundTrunkRequest in = LIVEKIT__CREATE_SIPOUTBOUND_TRUNK_REQUEST__INIT;
	ProtobufCMessage *out = NULL;
	in.trunk = (Livekit__SIPOutboundTrunkInfo *)json_argument(&c->arena,
		&livekit__sipoutbound_trunk_info__descriptor, argument, "trunk");
	if (!in.trunk || !client_call(&c->client, CLIENT_SIP_ADMIN, "CreateSIPOutboundTrunk", &in.base,
				 &livekit__sipoutbound_trunk_info__descriptor, &out, &c->arena, TIMEOUT_S))
		return false;
	printf("SIPTrunkID: %s\n", ((Livekit__SIPOutboundTrunkInfo *)out)->sip_trunk_id);
	return true;
}

int cli_outbound_create(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {CLIENT_OPTIONS(&c.client)};
	struct options o = {
		.usage = "ringdown sip outbound create [options] JSON...",
		.about = "Makes outbound trunks. JSON is a file, - for standard input, or the text itself:\n\n"
			 "  {\"trunk\": {\"name\": \"bank\", \"address\": \"example.pstn.twilio.com\",\n"
			 "             \"numbers\": [\"+14155550123\"],\n"
			 "             \"auth_username\": \"user\", \"auth_password\": \"password\"}}",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (!o.word_count)
		return options_complain(&o, "which trunk? Name a JSON file");
	bool ok = client_open(&c.client);
	for (size_t i = 0; ok && i < o.word_count; ++i)
		ok = create_one(&c, c.words[i]);
	return finish(&c, ok ? CLI_OK : CLI_FAILED);
}

/* ---- list ---- */

/* The enum's name without its prefix, as lk shows it. */
static const char *short_name(const ProtobufCEnumDescriptor *e, int value, const char *prefix)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(e, value);
	size_t size = strlen(prefix);
	return !v ? "?" : !strncmp(v->name, prefix, size) ? v->name + size : v->name;
}

static char *numbers_text(struct proto_arena *a, const Livekit__SIPOutboundTrunkInfo *t)
{
	struct buf b = {0};
	char *text = NULL;
	int r = buf_add_text(&b, "");
	for (size_t i = 0; r == 0 && i < t->n_numbers; ++i)
		r = buf_format(&b, "%s%s", i ? "," : "", t->numbers[i]);
	if (r == 0)
		text = proto_text_span(a, buf_span(&b));
	buf_fini(&b);
	return text;
}

static char *headers_text(struct proto_arena *a, const Livekit__SIPOutboundTrunkInfo *t)
{
	struct buf b = {0};
	char *text = NULL;
	int r = buf_add_text(&b, "");
	for (size_t i = 0; r == 0 && i < t->n_headers; ++i)
		r = buf_format(&b, "%s%s=%s", i ? "," : "", t->headers[i]->key, t->headers[i]->value);
	if (r == 0)
		text = proto_text_span(a, buf_span(&b));
	buf_fini(&b);
	return text;
}

static char *authentication(struct proto_arena *a, const Livekit__SIPOutboundTrunkInfo *t)
{
	char text[320];
	if (!*t->auth_username && !*t->auth_password)
		return NULL;
	snprintf(text, sizeof text, "%.280s / %s", t->auth_username, *t->auth_password ? masked : "");
	return proto_text(a, text);
}

static const json_t *health_of(const json_t *health, const char *id)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(health, "trunks"), i, one)
		if (!strcmp(json_string_value(json_object_get(one, "sip_trunk_id")), id))
			return one;
	return NULL;
}

/* "up, registered, 34 ms", "down since 12 min: ...". NULL: nothing is known. */
static char *health_text(struct proto_arena *a, const json_t *one)
{
	const char *state = json_string_value(json_object_get(one, "state"));
	const char *problem = json_string_value(json_object_get(one, "problem"));
	const json_t *registration = json_object_get(one, "registration"), *ping = json_object_get(one, "options");
	char text[500], rtt[32] = "";

	if (!state || !strcmp(state, "unknown"))
		return NULL;
	if (json_integer_value(json_object_get(ping, "sip_status")))
		snprintf(rtt, sizeof rtt, ", %d ms", (int)json_integer_value(json_object_get(ping, "round_trip_ms")));
	snprintf(text, sizeof text, "%s%s%s%s%s", state,
		json_is_true(json_object_get(registration, "registered")) ? ", registered" : "", rtt,
		problem ? ": " : "", problem ? problem : "");
	return proto_text(a, text);
}

static bool print_table(struct command *c, const Livekit__ListSIPOutboundTrunkResponse *list, const json_t *health)
{
	static const char *const titles[] = {"SipTrunkID", "Name", "Address", "Transport", "Numbers",
		"Authentication", "Encryption", "Headers", "Metadata", "Health"};
	struct table table;
	if (!table_init(&table, &c->arena, titles, COUNT_OF(titles), list->n_items))
		return false;
	for (size_t i = 0; i < list->n_items; ++i) {
		const Livekit__SIPOutboundTrunkInfo *t = list->items[i];
		const char *cells[] = {
			t->sip_trunk_id,
			t->name,
			t->address,
			short_name(&livekit__siptransport__descriptor, (int)t->transport, "SIP_TRANSPORT_"),
			numbers_text(&c->arena, t),
			authentication(&c->arena, t),
			short_name(&livekit__sipmedia_encryption__descriptor, (int)trunk_media_encryption(t),
				"SIP_MEDIA_ENCRYPT_"),
			headers_text(&c->arena, t),
			t->metadata,
			health_text(&c->arena, health_of(health, t->sip_trunk_id)),
		};
		table_add(&table, cells);
	}
	table_print(&table);
	return true;
}

/* LiveKit's list, each trunk with what is known of it under "health". */
static bool print_json(const Livekit__ListSIPOutboundTrunkResponse *list, const json_t *health)
{
	for (size_t i = 0; i < list->n_items; ++i)
		if (*list->items[i]->auth_password)
			list->items[i]->auth_password = (char *)masked;
	json_t *json = json_of(&list->base);
	for (size_t i = 0; i < list->n_items; ++i) {
		const json_t *one = health_of(health, list->items[i]->sip_trunk_id);
		if (one)
			json_object_set(json_array_get(json_object_get(json, "items"), i), "health", (json_t *)one);
	}
	return json_print_taken(json);
}

static bool list_all(struct command *c)
{
	Livekit__ListSIPOutboundTrunkRequest in = LIVEKIT__LIST_SIPOUTBOUND_TRUNK_REQUEST__INIT;
	ProtobufCMessage *out = NULL;
	if (!client_call(&c->client, CLIENT_SIP_ADMIN, "ListSIPOutboundTrunk", &in.base,
		    &livekit__list_sipoutbound_trunk_response__descriptor, &out, &c->arena, TIMEOUT_S))
		return false;
	const Livekit__ListSIPOutboundTrunkResponse *list = (const Livekit__ListSIPOutboundTrunkResponse *)out;
	json_t *health = NULL;
	bool ok = client_get(&c->client, CLIENT_SIP_ADMIN, "/livekit/sip/trunks", &health) &&
		(c->json ? print_json(list, health) : print_table(c, list, health));
	json_decref(health);
	return ok;
}

int cli_outbound_list(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {
		CLIENT_OPTIONS(&c.client),
		{"--json", NULL, "as JSON instead of a table", NULL, &c.json},
	};
	struct options o = {
		.usage = "ringdown sip outbound list [options]",
		.about = "Shows the outbound trunks. Passwords are masked.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count)
		return options_complain(&o, "unexpected \"%s\"", c.words[0]);
	bool ok = client_open(&c.client) && list_all(&c);
	return finish(&c, ok ? CLI_OK : CLI_FAILED);
}

/* ---- update, delete ---- */

static int update_one(struct command *c, const struct options *o, const char *id)
{
	Livekit__UpdateSIPOutboundTrunkRequest in = LIVEKIT__UPDATE_SIPOUTBOUND_TRUNK_REQUEST__INIT;
	ProtobufCMessage *out = NULL;
	in.action_case = LIVEKIT__UPDATE_SIPOUTBOUND_TRUNK_REQUEST__ACTION_REPLACE;
	in.replace = (Livekit__SIPOutboundTrunkInfo *)json_argument(&c->arena,
		&livekit__sipoutbound_trunk_info__descriptor, c->words[0], "trunk");
	if (!in.replace)
		return CLI_FAILED;
	in.sip_trunk_id = id ? (char *)id : in.replace->sip_trunk_id;
	if (!*in.sip_trunk_id)
		return options_complain(o, "which trunk? Give --id, or sip_trunk_id in the JSON");
	if (!client_open(&c->client) ||
		!client_call(&c->client, CLIENT_SIP_ADMIN, "UpdateSIPOutboundTrunk", &in.base,
			&livekit__sipoutbound_trunk_info__descriptor, &out, &c->arena, TIMEOUT_S))
		return CLI_FAILED;
	printf("SIPTrunkID: %s\n", ((Livekit__SIPOutboundTrunkInfo *)out)->sip_trunk_id);
	return CLI_OK;
}

int cli_outbound_update(int argc, char **argv)
{
	struct command c = {0};
	const char *id = NULL;
	const struct option list[] = {
		CLIENT_OPTIONS(&c.client),
		{"--id", "ST_...", "the trunk", &id, NULL},
	};
	struct options o = {
		.usage = "ringdown sip outbound update [options] JSON",
		.about = "Replaces the whole trunk by what the JSON says (a file, - or the text itself).",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (o.word_count != 1)
		return options_complain(&o, "expected one JSON file");
	return finish(&c, update_one(&c, &o, id));
}

int cli_outbound_delete(int argc, char **argv)
{
	struct command c = {0};
	const struct option list[] = {CLIENT_OPTIONS(&c.client)};
	struct options o = {
		.usage = "ringdown sip outbound delete [options] ID...",
		.about = "Deletes trunks. Calls that are up go on.",
		.list = list,
		.count = COUNT_OF(list),
		.words = c.words,
		.words_max = COUNT_OF(c.words),
	};
	int r = options_read(&o, argc, argv);
	if (r)
		return options_status(r);
	if (!o.word_count)
		return options_complain(&o, "which trunk? Give its id");
	bool ok = client_open(&c.client);
	for (size_t i = 0; ok && i < o.word_count; ++i) {
		Livekit__DeleteSIPTrunkRequest in = LIVEKIT__DELETE_SIPTRUNK_REQUEST__INIT;
		ProtobufCMessage *out = NULL;
		in.sip_trunk_id = (char *)c.words[i];
		ok = client_call(&c.client, CLIENT_SIP_ADMIN, "DeleteSIPTrunk", &in.base,
			&livekit__siptrunk_info__descriptor, &out, &c.arena, TIMEOUT_S);
		if (ok)
			printf("SIP Trunk [%s] deleted\n", c.words[i]);
	}
	return finish(&c, ok ? CLI_OK : CLI_FAILED);
}
