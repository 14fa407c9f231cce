#include "config/config.h"

#include "base/log.h"
#include "base/mem.h"
#include "test/check.h"

/* Reads the YAML over the defaults; what is complained about, or "". */
static const char *read_yaml(struct config *c, const char *yaml)
{
	static char said[4096];
	struct buf problems = {0};
	CHECK_EQ(config_defaults(c, false), 0);
	int r = config_parse(c, span_text(yaml), "f.yaml", &problems);
	CHECK(r == 0 || r == CONFIG_E_INVALID);
	snprintf(said, sizeof said, "%s", problems.size ? (const char *)problems.data : "");
	CHECK_EQ(r != 0, *said != 0);
	buf_fini(&problems);
	return said;
}

static void every_key_finds_its_place(void)
{
	struct config c;
	CHECK_STR(read_yaml(&c, "port: 1234\n"
				"bind_addresses: [\"127.0.0.1\", \"::1\"]\n"
				"keys: {one: secret-one, two: secret-two}\n"
				"rtc: {udp_port: 7882-7884, tcp_port: 99, node_ip: 192.0.2.1}\n"
				"webhook: {urls: [http://a, http://b], api_key: one}\n"
				"room: {auto_create: false, empty_timeout: 5m, departure_timeout: 7}\n"
				"logging: {level: warn, json: true}\n"
				"sip:\n"
				"  sip_port: 5062\n"
				"  rtp_port: 20000-30000\n"
				"  symmetric_rtp: yes\n"
				"  media_timeout: 500ms\n"
				"  media_timeout_initial: 1.5s\n"
				"  allowed_countries: [\"+49\", \"*\"]\n"
				"  calls_per_second: 2.5\n"
				"backend: {port: 9000, bind_address: \"::1\", server_url: wss://x}\n"
				"simulator: {enabled: true, sip_port: 5071}\n"
				"banks: [{id: a, name: A Bank, phone_number: \"+14155550123\"}]\n"
				"data_dir: /var/lib/x\nworkers: 3\ndevelopment: true\n"), "");
	CHECK_EQ(c.port, 1234);
	CHECK_EQ(c.bind_addresses.count, 2);
	CHECK_STR(c.bind_addresses.items[1], "::1");
	CHECK_STR(c.keys.items[1].secret, "secret-two");
	CHECK_EQ(c.rtc.udp_port.last, 7884);
	CHECK_EQ(c.rtc.node_ip.count, 1);
	CHECK_STR(c.rtc.node_ip.items[0], "192.0.2.1");
	CHECK_STR(c.webhook.urls.items[1], "http://b");
	CHECK(!c.room.auto_create);
	CHECK_EQ(c.room.empty_timeout_s, 300);
	CHECK_EQ(c.room.departure_timeout_s, 7);
	CHECK_EQ(c.logging.level, LOG_WARN);
	CHECK_EQ(c.sip.rtp_port.first, 20000);
	CHECK(c.sip.symmetric_rtp);
	CHECK_EQ(c.sip.media_timeout_ms, 500);
	CHECK_EQ(c.sip.media_timeout_initial_ms, 1500);
	CHECK_EQ(c.sip.allowed_countries.count, 2);
	CHECK(c.sip.calls_per_second > 2.4 && c.sip.calls_per_second < 2.6);
	CHECK_STR(c.backend.bind_address, "::1");
	CHECK_STR(c.banks.items[0].name, "A Bank");
	CHECK_EQ(c.workers, 3);
	CHECK(c.development);
	CHECK_STR(c.data_dir, "/var/lib/x");
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void media_is_told_where_and_how(void)
{
	struct config c;
	CHECK_STR(read_yaml(&c, "rtc:\n"
				"  node_ip: {v4: 192.0.2.1, v6: \"2001:db8::1\"}\n"
				"  ips: {includes: [10.0.0.0/8, \"2001:db8::1\"], excludes: [10.1.0.0/16]}\n"
				"  interfaces: {excludes: [docker0]}\n"
				"  stun_servers: [\"stun.example:3478\"]\n"
				"  use_external_ip: true\n  force_tcp: true\n  allow_tcp_fallback: false\n"
				"  turn_servers:\n"
				"    - {host: a.example, username: u, credential: p}\n"
				"    - {host: b.example, port: 443, protocol: tls, secret: s, ttl: 5m}\n"), "");
	CHECK_EQ(c.rtc.node_ip.count, 2);
	CHECK_STR(c.rtc.node_ip.items[1], "2001:db8::1");
	CHECK_EQ(c.rtc.ips.includes.count, 2);
	CHECK_STR(c.rtc.ips.excludes.items[0], "10.1.0.0/16");
	CHECK_STR(c.rtc.interfaces.excludes.items[0], "docker0");
	CHECK_STR(c.rtc.stun_servers.items[0], "stun.example:3478");
	CHECK(c.rtc.use_external_ip && c.rtc.force_tcp && !c.rtc.allow_tcp_fallback);
	CHECK_EQ(c.rtc.turn_servers.count, 2);
	const struct config_turn *t = c.rtc.turn_servers.items;
	CHECK_EQ(t[0].port, 3478);
	CHECK_STR(t[0].protocol, "udp");
	CHECK_STR(t[0].credential, "p");
	CHECK_EQ(t[1].port, 443);
	CHECK_EQ(t[1].ttl_s, 300);
	CHECK_STR(t[1].secret, "s");
	config_fini(&c);
	CHECK_STR(read_yaml(&c, "rtc: {node_ip: \"192.0.2.1, 2001:db8::1\"}\n"), "");
	CHECK_EQ(c.rtc.node_ip.count, 2);
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void mistakes_have_a_line_and_a_hint(void)
{
	static const struct {
		const char *yaml, *says;
	} cases[] = {
		{"port: 1\nrtc:\n  udp_prt: 7\n", "f.yaml:3: unknown key \"udp_prt\" in rtc; did you mean \"udp_port\"?\n"},
		{"prot: 1\n", "f.yaml:1: unknown key \"prot\"; did you mean \"port\"?\n"},
		{"nonsense_without_likeness: 1\n", "f.yaml:1: unknown key \"nonsense_without_likeness\"\n"},
		{"port: 70000\n", "f.yaml:1: port: expected a port from 0 to 65535, read \"70000\"\n"},
		{"port: [1]\n", "f.yaml:1: port: expected a single value\n"},
		{"port: 1\nport: 2\n", "f.yaml:2: port is set twice\n"},
		{"rtc: 7\n", "f.yaml:1: rtc: expected settings below it, indented\n"},
		{"rtc: {node_ip: here}\n", "f.yaml:1: rtc.node_ip: expected an IP address, or two such as 192.0.2.1,2001:db8::1, read \"here\"\n"},
		{"rtc: {node_ip: [192.0.2.1, x]}\n", "f.yaml:1: rtc.node_ip: expected an IP address, read \"x\"\n"},
		{"rtc: {node_ip: {v4: \"::1\"}}\n", "f.yaml:1: rtc.node_ip: expected {v4: ADDRESS, v6: ADDRESS}\n"},
		{"rtc: {ips: {includes: [10.0.0.0/33]}}\n", "f.yaml:1: rtc.ips.includes: expected an IP address or a net such as 10.0.0.0/8, read \"10.0.0.0/33\"\n"},
		{"rtc: {interfaces: {include: [eth0]}}\n", "f.yaml:1: unknown key \"include\" in rtc.interfaces; did you mean \"includes\"?\n"},
		{"rtc: {turn_servers: [{host: t, secret: s, port: many}]}\n", "f.yaml:1: rtc.turn_servers: port: expected a port from 0 to 65535, read \"many\"\n"},
		{"rtc: {turn_servers: [{host: t, username: u}]}\n", "f.yaml:1: rtc.turn_servers: expected a secret, or a username and a credential\n"},
		{"rtc: {turn_servers: [{secret: hush}]}\n", "f.yaml:1: rtc.turn_servers: expected a host: a name or an IP address\n"},
		{"rtc: {turn_servers: [{host: t, secret: hush, protocol: quic}]}\n", "f.yaml:1: rtc.turn_servers: protocol: expected udp, tcp or tls\n"},
		{"rtc: {turn_servers: [{host: t, secrets: hush}]}\n", "f.yaml:1: rtc.turn_servers: secrets: unknown key\n"},
		{"rtc: {turn_servers: [t]}\n", "f.yaml:1: rtc.turn_servers: expected {host, port, protocol, username, credential}\n"},
		{"rtc: {turn_servers: t}\n", "f.yaml:1: rtc.turn_servers: expected a list"},
		{"sip: {rtp_port: 9-3}\n", "f.yaml:1: sip.rtp_port: expected a port or a range such as 10000-20000, read \"9-3\"\n"},
		{"sip: {media_timeout: -1s}\n", "f.yaml:1: sip.media_timeout: expected a time such as 15s, 500ms or 5m, read \"-1s\"\n"},
		{"sip: {allowed_countries: [DE]}\n", "f.yaml:1: sip.allowed_countries: expected a country prefix such as \"+49\", or \"*\", read \"DE\"\n"},
		{"keys: [a]\n", "f.yaml:1: keys: expected a mapping\n"},
		{"logging: {json: maybe}\n", "f.yaml:1: logging.json: expected true or false, read \"maybe\"\n"},
		{"banks: [{id: a}]\n", "f.yaml:1: banks: each needs id, name and phone_number\n"},
		{"port: 1\n\t- x\n", "f.yaml:2: not YAML"},
		{"- a\n", "f.yaml:1: expected `key: value` lines\n"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		struct config c;
		const char *said = read_yaml(&c, cases[i].yaml);
		if (strncmp(said, cases[i].says, strlen(cases[i].says))) {
			fprintf(stderr, "case %zu: %s", i, said);
			exit(1);
		}
		config_fini(&c);
	}
	CHECK_EQ(mem_live(), 0);
}

static void what_has_no_effect_is_noted(void)
{
	struct config c;
	CHECK_STR(read_yaml(&c, "redis: {address: x}\nturn: {enabled: true}\n"), "");
	CHECK_EQ(c.notes.count, 2);
	CHECK_STR(c.notes.items[0], "f.yaml:1: redis has no effect: everything runs in this one process");
	CHECK(strstr(c.notes.items[1], "rtc.turn_servers"));
	config_fini(&c);
}

static const char *load(struct config *c, const char *body, bool dev, const char *environment)
{
	static char said[2048];
	struct env env = {.ignore_process = true};
	struct buf problems = {0};
	unsigned line;
	CHECK_EQ(env_parse(&env, span_text(environment), &line), 0);
	int r = config_load(c, &(struct config_source){.body = body, .dev = dev, .env = &env}, &problems);
	snprintf(said, sizeof said, "%s", problems.size ? (const char *)problems.data : "");
	CHECK_EQ(r > 0, *said != 0);
	buf_fini(&problems);
	env_fini(&env);
	return said;
}

static void the_environment_has_its_say(void)
{
	struct config c;
	CHECK(strstr(load(&c, NULL, false, ""), "no API key"));
	config_fini(&c);

	CHECK_STR(load(&c, "keys: {a: b}", false, "LIVEKIT_KEYS=\"c: d\\ne: f\"\nLIVEKIT_API_KEY=a\n"
						 "LIVEKIT_API_SECRET=new\nLIVEKIT_SIP_TRUNK=bank\nNODE_IP=192.0.2.7\n"
						 "LIVEKIT_URL=https://example.com\n"), "");
	CHECK_EQ(c.keys.count, 3);
	CHECK_STR(c.keys.items[0].secret, "new");
	CHECK_STR(c.sip.trunk, "bank");
	CHECK_EQ(c.rtc.node_ip.count, 1);
	CHECK_STR(c.rtc.node_ip.items[0], "192.0.2.7");
	CHECK_STR(c.backend.server_url, "wss://example.com");
	CHECK_EQ(c.sip.allowed_countries.count, 0); /* each trunk its own country */
	config_fini(&c);

	CHECK_STR(load(&c, NULL, false, "LIVEKIT_CONFIG_BODY='port: 5'\nLIVEKIT_KEYS='a: b'\n"), "");
	CHECK_EQ(c.port, 5);
	config_fini(&c);

	CHECK_STR(load(&c, NULL, true, "LIVEKIT_URL=ws://elsewhere"), "");
	CHECK_STR(c.keys.items[0].name, "devkey");
	CHECK_STR(c.keys.items[0].secret, "secret");
	CHECK_STR(c.bind_addresses.items[0], "127.0.0.1");
	CHECK(c.simulator.enabled && c.development && !c.backend.server_url);
	config_fini(&c);

	CHECK(strstr(load(&c, "keys: {a: b}\nport: 1\nbackend: {port: 1}\n", false, ""), "must differ"));
	config_fini(&c);
	CHECK(strstr(load(&c, "keys: {a: b}\nrtc: {force_tcp: true, tcp_port: 0}\n", false, ""), "rtc.force_tcp"));
	config_fini(&c);
	CHECK(strstr(load(&c, "keys: {a: b}\nsip: {nat_1_to_1_ipv6: 192.0.2.1}\n", false, ""), "expected an IPv6 address"));
	config_fini(&c);
	CHECK(strstr(load(&c, "keys: {a: b}\nworkers: 3\nrtc: {udp_port: 7-8}\n", false, ""), "workers"));
	config_fini(&c);
	CHECK(strstr(load(&c, "keys: {a: b}\nrtc: {port_range_start: 9, port_range_end: 8}\n", false, ""), "port_range_end"));
	config_fini(&c);
	CHECK_STR(load(&c, "keys: {a: b}\nrtc: {port_range_start: 50000, port_range_end: 50001}\n", false, ""), "");
	CHECK_EQ(c.rtc.udp_port.first, 50000);
	CHECK_EQ(c.rtc.udp_port.last, 50001);
	config_fini(&c);
	CHECK_STR(load(&c, "keys: {a: b}\nrtc: {udp_port: 7900, port_range_start: 50000}\n", false, ""), "");
	CHECK_EQ(c.rtc.udp_port.last, 7900);
	config_fini(&c);
	CHECK_STR(load(&c, "keys: {a: b}\n", false, ""), "");
	CHECK_EQ(c.rtc.udp_port.first, 7882);
	config_fini(&c);
	CHECK(strstr(load(&c, "keys: {a: b}\nbanks: [{id: a, name: b, phone_number: '12'}]\n", false, ""), "E.164"));
	config_fini(&c);
	CHECK_EQ(mem_live(), 0);
}

static void memory_may_run_out(void)
{
	for (int left = 0;; ++left) {
		struct config c;
		struct buf problems = {0};
		mem_fail_after(left);
		int r = config_defaults(&c, true);
		if (r == 0)
			r = config_parse(&c, span_text("keys: {a: b}\nwebhook: {urls: [x]}\nredis: 1\n"
						      "banks: [{id: a, name: b, phone_number: \"+14155550123\"}]\n"
						      "rtc: {node_ip: {v4: 192.0.2.1}, ips: {includes: [10.0.0.0/8]},\n"
						      "  turn_servers: [{host: t, secret: s}, {host: t, username: u, credential: p}]}\n"),
				"f", &problems);
		mem_fail_after(-1);
		CHECK(r <= 0);
		config_fini(&c);
		buf_fini(&problems);
		CHECK_EQ(mem_live(), 0);
		if (r == 0)
			return;
	}
}

int main(void)
{
	every_key_finds_its_place();
	media_is_told_where_and_how();
	mistakes_have_a_line_and_a_hint();
	what_has_no_effect_is_noted();
	the_environment_has_its_say();
	memory_may_run_out();
	return 0;
}
