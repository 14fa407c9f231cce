/* cli/simulate.c - `ringdown simulate`: the far end alone, for a server elsewhere. */
#include "cli/cli.h"

#include "base/log.h"
#include "net/dns.h"
#include "simulator/simulator.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void print_usage(FILE *out)
{
	size_t count;
	const struct simulator_number *numbers = simulator_numbers(&count);
	fprintf(out, "usage: ringdown simulate [--ip ADDRESS] [--port N] [--username U --password P]\n\n"
		     "A trunk that behaves as Twilio's does, with a bank behind it. Default: 127.0.0.1, port 5070, no\n"
		     "challenge. Numbers:\n\n");
	for (size_t i = 0; i < count; ++i)
		fprintf(out, "  %s  %s\n", numbers[i].number, numbers[i].what);
}

static void on_signal(uv_signal_t *handle, int number)
{
	loop_stop(handle->data);
}

static bool read_arguments(struct simulator_config *config, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--ip"))
			config->ip = argv[i + 1];
		else if (!strcmp(argv[i], "--port"))
			config->sip_port = (uint16_t)strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--username"))
			config->username = argv[i + 1];
		else if (!strcmp(argv[i], "--password"))
			config->password = argv[i + 1];
		else
			return false;
	}
	return argc % 2 == 1;
}

static int run(const struct simulator_config *config)
{
	struct loop loop;
	struct dns *dns = NULL;
	struct simulator *simulator = NULL;
	uv_signal_t stop;
	int r = loop_init(&loop);
	if (r < 0)
		return r;
	r = dns_new(&dns, &loop);
	if (r == 0)
		r = simulator_new(&simulator, &loop, dns, config);
	if (r == 0) {
		uv_signal_init(&loop.uv, &stop);
		stop.data = &loop;
		uv_signal_start(&stop, on_signal, SIGTERM);
		printf("The simulator listens on %s:%u. Stop with Ctrl-C.\n", config->ip, simulator_port(simulator));
		fflush(stdout);
		loop_run(&loop);
		uv_close((uv_handle_t *)&stop, NULL);
	} else {
		log_error("simulate", "%s:%u cannot be opened: %s", config->ip, config->sip_port, strerror(-r));
	}
	simulator_free(simulator);
	dns_free(dns);
	loop_fini(&loop);
	return r;
}

int cli_simulate(int argc, char **argv)
{
	struct simulator_config config = {.ip = "127.0.0.1", .sip_port = 5070};
	bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	if (help || !read_arguments(&config, argc, argv)) {
		print_usage(help ? stdout : stderr);
		return help ? 0 : 2;
	}
	return run(&config) < 0 ? 1 : 0;
}
