/* cli/simulate.c - `ringdown simulate`: a carrier alone, for a server elsewhere and for tests. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "net/tls.h"
#include "simulator/carrier.h"
#include "simulator/carrier_certificate.h"
#include "simulator/numbers.h"
#include "wire/pcap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SETTINGS_MAX = 64 };

struct simulation {
	struct loop loop;
	struct carrier *carrier;
	struct carrier_config config;
	FILE *events, *pcap;
	const char *tls_dir; /* NULL = no TLS */
	struct tls_context *tls;
	const char *settings[SETTINGS_MAX]; /* "--quirk", value, "--number", value ... */
	size_t setting_count;
	bool control;
	uv_signal_t term, interrupt;
	uv_pipe_t input;
	char line[1024], chunk[1024];
	size_t line_size;
};

static void print_list(void)
{
	const struct carrier_profile *p;
	const struct carrier_domain *d;
	const struct number *n;
	const char *name, *values, *standard, *about;
	printf("Profiles (--profile NAME: how hosts are treated that are not in the next list):\n\n");
	for (size_t i = 0; (p = carrier_profile_at(i)); ++i)
		printf("  %-22s %s\n", p->name, p->about);
	printf("\nHosts of the Request-URI (each also with .localhost for .test, which needs no DNS):\n\n");
	for (size_t i = 0; (d = carrier_domain_at(i)); ++i)
		printf("  %-34s %s\n", d->host, d->about);
	printf("\nNumbers:\n\n");
	for (size_t i = 0; (n = number_at(i)); ++i)
		printf("  %s  %s\n      %s\n", n->number, n->what, n->script);
	printf("\nQuirks (--quirk NAME=VALUE; [standard] before the profile's own):\n\n");
	for (size_t i = 0; quirk_describe(i, &name, &values, &standard, &about); ++i)
		printf("  %-18s %s [%s]\n      %s\n", name, values, standard, about);
	printf("\nRefusals whose status can be set (--quirk status.NAME=488):\n\n ");
	for (int i = REFUSE_CHALLENGE + 1; i < REFUSE__COUNT; ++i)
		printf(" %s", refusal_name((enum refusal)i));
	printf("\n");
}

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: ringdown simulate [options]\n\n"
		"A carrier over real sockets, with a telephone book of callees: what it does is chosen by the host\n"
		"of the Request-URI and by the number that is called. Never on a network that you do not own.\n\n"
		"  --profile NAME       how hosts that are not in the list are treated [bank]\n"
		"  --list               profiles, hosts, numbers and quirks\n"
		"  --ip ADDRESSES       with commas: each is an edge of the carrier [127.0.0.1]\n"
		"  --port N             UDP and TCP [5070]; 0: any\n"
		"  --tls DIR            TLS as well, by a certificate that is written there; ca.pem is to be trusted\n"
		"  --tls-port N         [5061]; 0: any\n"
		"  --username U         of the credentials; without it no trunk of the bank asks for any\n"
		"  --password P\n"
		"  --quirk NAME=VALUE   several with ';'; \"HOST: NAME=VALUE\" for one host alone\n"
		"  --trunk HOST         one more host, of the profile; \"HOST: NAME=VALUE;...\"\n"
		"  --number N=SCRIPT    what a number does: \"+15550100=180 / wait 500 / answer / play tone\"\n"
		"  --json FILE          what it sees, a JSON object a line; - is stdout\n"
		"  --trace              whole messages in it, credentials masked\n"
		"  --pcap FILE          the messages, for Wireshark; nothing is masked there\n"
		"  --seed N             the same run again\n"
		"  --control            commands on stdin: set, number, trunk, kill IP, blackhole IP, revive IP,\n"
		"                       hangup, forget; the end of stdin ends it\n");
}

/* --- arguments ------------------------------------------------------------------------------------- */

static bool take_ips(struct carrier_wire_config *w, char *text)
{
	w->ip_count = 0;
	for (char *rest = text; rest && w->ip_count < CARRIER_EDGES_MAX;)
		w->ips[w->ip_count++] = strsep(&rest, ",");
	return w->ip_count > 0;
}

static bool keep(struct simulation *s, const char *name, const char *value)
{
	if (s->setting_count + 2 > SETTINGS_MAX)
		return false;
	s->settings[s->setting_count++] = name;
	s->settings[s->setting_count++] = value;
	return true;
}

static bool open_events(struct simulation *s, const char *path)
{
	s->events = strcmp(path, "-") ? fopen(path, "we") : stdout;
	return s->events != NULL;
}

/* Each message, or the file's beginning, is made in a buffer of its own. */
static void write_pcap(struct simulation *s, struct buf *b, int r)
{
	if (r == 0 && fwrite(b->data, 1, b->size, s->pcap) == b->size)
		fflush(s->pcap);
	buf_fini(b);
}

static bool open_pcap(struct simulation *s, const char *path)
{
	struct buf b = {0};
	s->pcap = fopen(path, "we");
	if (!s->pcap)
		return false;
	write_pcap(s, &b, pcap_begin(&b));
	return true;
}

static bool take_option(struct simulation *s, const char *name, char *value)
{
	if (!strcmp(name, "--profile"))
		return (s->config.profile = carrier_profile_find(value)) != NULL;
	if (!strcmp(name, "--ip"))
		return take_ips(&s->config.wire, value);
	if (!strcmp(name, "--pcap"))
		return open_pcap(s, value);
	if (!strcmp(name, "--port"))
		s->config.wire.port = (uint16_t)strtoul(value, NULL, 10);
	else if (!strcmp(name, "--tls"))
		s->tls_dir = value;
	else if (!strcmp(name, "--tls-port"))
		s->config.wire.tls_port = (uint16_t)strtoul(value, NULL, 10);
	else if (!strcmp(name, "--seed"))
		s->config.seed = strtoull(value, NULL, 10);
	else if (!strcmp(name, "--json"))
		return open_events(s, value);
	else if (!strcmp(name, "--username") || !strcmp(name, "--password") || !strcmp(name, "--quirk") ||
		!strcmp(name, "--trunk") || !strcmp(name, "--number"))
		return keep(s, name, value);
	else
		return false;
	return true;
}

static bool read_arguments(struct simulation *s, int argc, char **argv)
{
	for (int i = 1; i < argc; ++i) {
		if (!strcmp(argv[i], "--control")) {
			s->control = true;
		} else if (!strcmp(argv[i], "--trace")) {
			s->config.trace = true;
		} else if (i + 1 == argc || !take_option(s, argv[i], argv[i + 1])) {
			fprintf(stderr, "ringdown: %s %s is not understood\n", argv[i], i + 1 < argc ? argv[i + 1] : "");
			return false;
		} else {
			++i;
		}
	}
	return true;
}

static int apply(struct simulation *s, const char *name, const char *value)
{
	char setting[QUIRK_TEXT_SIZE + 64];
	if (!strcmp(name, "--number"))
		return carrier_add_number(s->carrier, value);
	if (!strcmp(name, "--trunk"))
		return carrier_add_trunk(s->carrier, value);
	if (!strcmp(name, "--quirk"))
		return carrier_set(s->carrier, value);
	snprintf(setting, sizeof setting, "%s%s=%s", !strcmp(name, "--username") ? "auth=password;" : "", name + 2, value);
	return carrier_set(s->carrier, setting);
}

static bool apply_all(struct simulation *s)
{
	for (size_t i = 0; i < s->setting_count; i += 2) {
		if (!apply(s, s->settings[i], s->settings[i + 1]))
			continue;
		fprintf(stderr, "ringdown: %s \"%s\" is not understood\n", s->settings[i], s->settings[i + 1]);
		return false;
	}
	return true;
}

/* --- running ------------------------------------------------------------------------------------------ */

static void on_event(void *owner, const char *json)
{
	struct simulation *s = owner;
	fputs(json, s->events);
	fputc('\n', s->events);
	fflush(s->events);
}

static void on_message(void *owner, const char *from, const char *to, struct span bytes)
{
	struct simulation *s = owner;
	struct buf b = {0};
	struct pcap_end ends[] = {pcap_end_of(from, "127.0.0.1"), pcap_end_of(to, "127.0.0.1")};
	write_pcap(s, &b, pcap_add(&b, clock_unix_ns() / 1000, &ends[0], &ends[1], bytes));
}

static void on_signal(uv_signal_t *handle, int number)
{
	loop_stop(handle->data);
}

static void on_line(struct simulation *s)
{
	s->line[s->line_size] = 0;
	bool done = !s->line_size || carrier_control(s->carrier, s->line) == 0;
	printf("%s %s\n", done ? "ok" : "bad", s->line);
	fflush(stdout);
	s->line_size = 0;
}

static void on_room(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct simulation *s = h->data;
	*buf = uv_buf_init(s->chunk, sizeof s->chunk);
}

static void on_input(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
	struct simulation *s = stream->data;
	if (size < 0)
		loop_stop(&s->loop);
	for (ssize_t i = 0; i < size; ++i) {
		if (buf->base[i] == '\n')
			on_line(s);
		else if (s->line_size + 1 < sizeof s->line)
			s->line[s->line_size++] = buf->base[i];
	}
}

static void watch(struct simulation *s)
{
	uv_signal_init(&s->loop.uv, &s->term);
	uv_signal_init(&s->loop.uv, &s->interrupt);
	s->term.data = s->interrupt.data = &s->loop;
	uv_signal_start(&s->term, on_signal, SIGTERM);
	uv_signal_start(&s->interrupt, on_signal, SIGINT);
	if (!s->control)
		return;
	uv_pipe_init(&s->loop.uv, &s->input, 0);
	s->input.data = s;
	if (!uv_pipe_open(&s->input, 0))
		uv_read_start((uv_stream_t *)&s->input, on_room, on_input);
}

static void unwatch(struct simulation *s)
{
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	if (s->control)
		uv_close((uv_handle_t *)&s->input, NULL);
}

static int open_tls(struct simulation *s)
{
	char cert[512], key[512], why[TLS_WHY_SIZE];
	if (!s->tls_dir)
		return 0;
	snprintf(cert, sizeof cert, "%s/cert.pem", s->tls_dir);
	snprintf(key, sizeof key, "%s/key.pem", s->tls_dir);
	int r = carrier_certificate_make(s->tls_dir, s->config.wire.ips[0]);
	if (r == 0)
		r = tls_context_new(&s->tls, &(struct tls_config){.cert_file = cert, .key_file = key}, why);
	s->config.wire.tls = s->tls;
	if (r)
		log_error("simulate", "no certificate can be written to %s", s->tls_dir);
	return r ? -1 : 0;
}

static int run(struct simulation *s)
{
	int status = CLI_FAILED;
	int r = open_tls(s);
	if (r < 0)
		return CLI_FAILED;
	r = loop_init(&s->loop);
	if (r < 0)
		return CLI_FAILED;
	r = carrier_new(&s->carrier, &s->loop, &s->config);
	if (r < 0) {
		log_error("simulate", "%s:%u cannot be opened: %s", s->config.wire.ips[0], s->config.wire.port, strerror(-r));
	} else if (!apply_all(s)) {
		status = CLI_USAGE;
	} else {
		printf("The simulator listens on %s:%u. Stop with Ctrl-C.\n", s->config.wire.ips[0],
			carrier_port(s->carrier, CARRIER_UDP));
		if (s->tls)
			printf("TLS on port %u; trust %s/ca.pem.\n", carrier_port(s->carrier, CARRIER_TLS), s->tls_dir);
		fflush(stdout);
		watch(s);
		loop_run(&s->loop);
		unwatch(s);
		status = CLI_OK;
	}
	carrier_free(s->carrier);
	loop_fini(&s->loop);
	tls_context_free(s->tls);
	return status;
}

int cli_simulate(int argc, char **argv)
{
	struct simulation s = {.config = {.wire = {.ips = {"127.0.0.1"}, .ip_count = 1, .port = 5070,
		.tls_port = 5061}, .seed = rng_u64()}};
	s.config.profile = carrier_profile_find("bank");
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_usage(stdout);
		return CLI_OK;
	}
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		print_list();
		return CLI_OK;
	}
	if (!read_arguments(&s, argc, argv)) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	s.config.owner = &s;
	s.config.event = s.events ? on_event : NULL;
	s.config.message = s.pcap ? on_message : NULL;
	return run(&s);
}
