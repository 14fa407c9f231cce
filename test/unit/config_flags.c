#include "config/flags.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/schema.h"
#include "test/check.h"

#include "livekit_room.pb-c.h"

static char said[4096];

static void hear(struct buf *problems)
{
	snprintf(said, sizeof said, "%s", problems->size ? (const char *)problems->data : "");
	buf_fini(problems);
}

/* What `ringdown serve` would make of these; the outcome. */
static int load(struct config *c, const char *environment, int argc, char **argv)
{
	static struct config_flag flags[CONFIG_FLAGS_MAX];
	struct config_source from = {0};
	struct env env = {.ignore_process = true};
	struct buf problems = {0};
	unsigned line;
	memset(c, 0, sizeof *c);
	CHECK_EQ(env_parse(&env, span_text(environment), &line), 0);
	int r = flags_read(&from, flags, argc, argv, &problems);
	from.env = &env;
	if (r == 0)
		r = config_load(c, &from, &problems);
	hear(&problems);
	env_fini(&env);
	return r;
}
#define LOAD(c, environment, ...)                                          \
	load(c, environment, (int)(sizeof((char *[]){"", __VA_ARGS__}) / sizeof(char *)), \
		(char *[]){"", __VA_ARGS__})

static void flags_win_over_the_environment_and_the_file(void)
{
	struct config c;
	CHECK_EQ(LOAD(&c, "LIVEKIT_PORT=3\nLIVEKIT_RTC_TCP_PORT=4\nUDP_PORT=5-6\nLIVEKIT_ROOM_AUTO_CREATE=false\n",
			 "--config-body", "{port: 1, rtc: {tcp_port: 2}, bind_addresses: [\"::1\"]}", "--port=7", "--keys",
			 "a: b", "--bind", "127.0.0.1", "--bind", "127.0.0.2", "--node-ip", "192.0.2.1",
			 "--room.enable_remote_unmute", "--log_level", "WARN", "--limit.max_metadata_size", "9"),
		0);
	CHECK_STR(said, "");
	CHECK_EQ(c.port, 7);
	CHECK_EQ(c.rtc.tcp_port, 4);
	CHECK_EQ(c.rtc.udp_port.last, 6);
	CHECK_EQ(c.bind_addresses.count, 2);
	CHECK_STR(c.bind_addresses.items[1], "127.0.0.2");
	CHECK_EQ(c.rtc.node_ip.count, 1);
	CHECK_STR(c.rtc.node_ip.items[0], "192.0.2.1");
	CHECK(!c.room.auto_create && c.room.enable_remote_unmute);
	CHECK_EQ(c.logging.level, LOG_WARN);
	CHECK_EQ(c.limit.max_metadata_size, 9);
	CHECK_STR(c.keys.items[0].secret, "b");
	config_fini(&c);

	CHECK_EQ(LOAD(&c, "", "--dev", "--dev=false", "--keys", "a: b"), 0);
	CHECK(!c.dev);
	config_fini(&c);

	/* Keys that everybody knows are for this machine, unless it is said. */
	CHECK_EQ(LOAD(&c, "", "--development"), 0);
	CHECK_STR(c.keys.items[0].name, "devkey");
	CHECK_STR(c.bind_addresses.items[1], "::1");
	CHECK(!c.binds_chosen);
	config_fini(&c);
	CHECK_EQ(LOAD(&c, "", "--development", "--bind", "0.0.0.0"), 0);
	CHECK_EQ(c.bind_addresses.count, 1);
	CHECK(c.binds_chosen);
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void mistakes_stop_the_start(void)
{
	static const struct {
		const char *environment, *first, *second, *says;
	} cases[] = {
		{"", "--prot", "5", "unknown flag --prot; did you mean --port?\n"},
		{"", "--rtc.udp_prt=1", "--dev", "unknown flag --rtc.udp_prt; did you mean --rtc.udp_port?\n"},
		{"", "--nod-ip", "x", "unknown flag --nod-ip; did you mean --node-ip?\n"},
		{"", "--no_likeness_at_all", "x", "unknown flag --no_likeness_at_all\n"},
		{"", "--banks", "x", "unknown flag --banks"},
		{"", "--dev", "port", "unknown word \"port\": flags begin with --\n"},
		{"", "--dev", "--port", "--port needs a value\n"},
		{"", "--dev", "--port=x", "--port: expected a port from 0 to 65535, read \"x\"\n"},
		{"", "--keys", "nothing", "--keys:1: expected NAME: SECRET\n"},
		{"LIVEKIT_RTC_TCP_PORT=x", "--dev", "--port=1",
			"LIVEKIT_RTC_TCP_PORT: expected a port from 0 to 65535, read \"x\"\n"},
		{"", "--dev", "--bind=nonsense", "bind_addresses: expected IP addresses, read \"nonsense\"\n"},
		{"", "--dev", "--limit.max_room_name_length=5000", "limit.max_room_name_length: at most 4096\n"},
		{"", "--dev", "--tls.cert_file=x", "tls.cert_file and tls.key_file belong together\n"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct config c;
		int r = LOAD(&c, cases[i].environment, (char *)cases[i].first, (char *)cases[i].second);
		if (r <= 0 || strncmp(said, cases[i].says, strlen(cases[i].says))) {
			fprintf(stderr, "case %zu: %d %s", i, r, said);
			exit(1);
		}
		config_fini(&c);
	}
	struct config c;
	CHECK_EQ(LOAD(&c, "", "--dev", "--help"), FLAGS_E_HELP);
	CHECK_EQ(mem_live(), 0);
}

static void what_has_no_effect_is_told_without_its_value(void)
{
	struct config c;
	CHECK_EQ(LOAD(&c, "LIVEKIT_REDIS_USERNAME=me\nREDIS_HOST=there", "--dev", "--redis-password", "hush",
			 "--cpuprofile", "file", "--psrpc.timeout=3s"),
		0);
	CHECK_EQ(c.notes.count, 5);
	CHECK_STR(c.notes.items[0], "LIVEKIT_REDIS_USERNAME has no effect: everything runs in this one process");
	CHECK_STR(c.notes.items[1], "REDIS_HOST has no effect: everything runs in this one process");
	CHECK_STR(c.notes.items[2], "--redis-password has no effect: everything runs in this one process");
	CHECK_STR(c.notes.items[3], "--cpuprofile has no effect: it profiles LiveKit's own program");
	config_fini(&c);

	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body", "redis: {adress: x}\nprot: 1"), CONFIG_E_INVALID);
	CHECK_STR(said, "config:1: unknown key \"adress\" in redis; did you mean \"address\"?\n"
			"config:2: unknown key \"prot\"; did you mean \"port\"?\n");
	config_fini(&c);
	CHECK_EQ(LOAD(&c, "", "--dev", "--disable-strict-config", "--config-body", "prot: 1\nport: 2"), 0);
	CHECK_STR(c.notes.items[0], "config:1: unknown key \"prot\" is ignored");
	CHECK_EQ(c.port, 2);
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void presets_are_rooms_settings(void)
{
	struct config c;
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body",
			 "room:\n  room_configurations:\n    big: {max_participants: 9, metadata: \"5\", emptyTimeout: 7}\n"
			 "    helped: {agents: [{agent_name: a, metadata: m}], departure_timeout: 3}\n"),
		0);
	CHECK_EQ(c.room.presets.count, 2);
	CHECK_STR(c.room.presets.items[0].name, "big");
	CHECK_EQ(c.room.presets.items[0].settings->max_participants, 9);
	CHECK_EQ(c.room.presets.items[0].settings->empty_timeout, 7);
	CHECK_STR(c.room.presets.items[0].settings->metadata, "5");
	CHECK_STR(c.room.presets.items[1].settings->agents[0]->agent_name, "a");
	config_fini(&c);

	static const char *const bad[] = {
		"{big: {max_partcipants: 9}}", "{big: 5}", "{big: {max_participants: many}}", "{big: &a {metadata: *a}}", "{big: [1]}",
	};
	for (size_t i = 0; i < COUNT_OF(bad); ++i) {
		char body[200];
		snprintf(body, sizeof body, "room: {room_configurations: %s}", bad[i]);
		CHECK_EQ(LOAD(&c, "", "--dev", "--config-body", body), CONFIG_E_INVALID);
		CHECK(strstr(said, "config:1: room.room_configurations: big: ") || strstr(said, "not YAML"));
		config_fini(&c);
	}
	CHECK_EQ(mem_live(), 0);
}

static void codecs_are_listed(void)
{
	struct config c;
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body",
			 "room: {enabled_codecs: [{mime: audio/Opus}, {mime: video/h264, fmtp_line: x}]}"), 0);
	CHECK_EQ(c.room.enabled_codecs.count, 2);
	CHECK_STR(c.room.enabled_codecs.items[1], "video/h264");
	config_fini(&c);
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body", "room: {enabled_codecs: [{mime: audio/red}]}"), CONFIG_E_INVALID);
	CHECK(strstr(said, "audio/opus must be among them"));
	config_fini(&c);
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body", "room: {enabled_codecs: [{mine: audio/opus}]}"), CONFIG_E_INVALID);
	config_fini(&c);
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body", "room: {enabled_codecs: opus}"), CONFIG_E_INVALID);
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void older_names_count(void)
{
	struct config c;
	CHECK_EQ(LOAD(&c, "", "--dev", "--config-body",
			 "room: {max_metadata_size: 5, max_room_name_length: 6, max_participant_identity_length: 7}\n"
			 "limit: {max_metadata_size: 50, subscription_limit_audio: 3, num_tracks: -1, bytes_per_sec: 1_000_000_000}\nlog_level: debug\nlogging: {level: error}"),
		0);
	CHECK_EQ(c.limit.max_metadata_size, 5);
	CHECK_EQ(c.limit.max_room_name_length, 6);
	CHECK_EQ(c.limit.max_participant_identity_length, 7);
	CHECK_EQ(c.limit.max_participant_name_length, 256);
	CHECK_EQ(c.limit.subscription_limit_audio, 3);
	CHECK_EQ(c.limit.num_tracks, 0);
	CHECK_EQ(c.limit.bytes_per_sec, 1000000000);
	CHECK_EQ(c.logging.level, LOG_DEBUG);
	config_fini(&c);
}

/* The table of names below keys without effect names keys that are there. */
static void what_is_below_has_something_above(void)
{
	char path[96];
	for (size_t i = 0; schema_below_at(i, path, sizeof path); ++i) {
		*strrchr(path, '.') = 0;
		if (!schema_find(path) && !schema_is_group(path))
			fprintf(stderr, "%s is no key\n", path);
		CHECK(schema_find(path) || schema_is_group(path));
	}
}

static void memory_may_run_out_anywhere(void)
{
	for (long n = 0;; ++n) {
		struct config c;
		mem_fail_after(n);
		int r = LOAD(&c, "", "--dev", "--bind", "127.0.0.1", "--redis-host=x", "--keys", "a: b", "--config-body",
			"room: {room_configurations: {a: {metadata: x, agents: [{agent_name: y}]}}}");
		mem_fail_after(-1);
		config_fini(&c);
		CHECK_EQ(mem_live(), 0);
		if (r == 0)
			break;
	}
}

int main(void)
{
	flags_win_over_the_environment_and_the_file();
	mistakes_stop_the_start();
	what_has_no_effect_is_told_without_its_value();
	presets_are_rooms_settings();
	codecs_are_listed();
	older_names_count();
	what_is_below_has_something_above();
	memory_may_run_out_anywhere();
	CHECK_EQ(mem_live(), 0);
	return 0;
}
