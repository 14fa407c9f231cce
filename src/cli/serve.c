/* cli/serve.c - `ringdown serve`: reads the command line and the configuration, and runs the server. */
#include "cli/cli.h"
#include "cli/server.h"

#include "base/log.h"
#include "config/flags.h"

#include <stdio.h>

static const char usage[] =
	"usage: ringdown serve [--dev] [--config FILE] [--config-body YAML] [--KEY VALUE ...]\n"
	"\n"
	"  --dev               loopback only, key devkey/secret, the simulator as trunk, backend without token\n"
	"  --config FILE       LiveKit's YAML keys and ours: see docs/configuration.md\n"
	"  --config-body YAML  the same as text\n"
	"  --KEY VALUE         one setting, such as --rtc.tcp_port 7881; wins over the file\n"
	"  --bind IP, --keys \"NAME: SECRET\", --key-file FILE, --node-ip IP, --udp-port PORT\n"
	"                      as livekit-server has them; --bind may be there several times\n"
	"  --disable-strict-config\n"
	"                      unknown keys of the file are told and ignored\n";

/* 0, or a positive status that was explained on stderr. */
static int load(struct server *s, struct config_source *from)
{
	unsigned line = 0;
	struct buf problems = {0};
	int r = env_load(&s->env, ".env", &line);
	if (r > 0) {
		fprintf(stderr, ".env, line %u: not NAME=value\n", line);
		return 1;
	}
	from->env = &s->env;
	if (r == 0)
		r = config_load(&s->config, from, &problems);
	if (r)
		fprintf(stderr, "%s", problems.data ? (char *)problems.data : "the configuration cannot be read\n");
	buf_fini(&problems);
	return r;
}

/* 0, or the status to exit with; `*done` when there is nothing to run. */
static int read_arguments(struct config_source *from, struct config_flag *flags, int argc, char **argv, bool *done)
{
	struct buf problems = {0};
	int r = flags_read(from, flags, argc, argv, &problems);
	*done = r != 0;
	if (r == FLAGS_E_HELP)
		fputs(usage, stdout);
	else if (r)
		fprintf(stderr, "%s\n%s", problems.data ? (char *)problems.data : "out of memory\n", usage);
	buf_fini(&problems);
	return r == 0 || r == FLAGS_E_HELP ? 0 : 2;
}

int cli_serve(int argc, char **argv)
{
	static struct server server; /* large, and one for the process */
	static struct config_flag flags[CONFIG_FLAGS_MAX];
	struct config_source from = {0};
	bool done;
	int r = read_arguments(&from, flags, argc, argv, &done);
	if (done)
		return r;
	r = load(&server, &from);
	if (r == 0) {
		log_configure((enum log_level)server.config.logging.level, server.config.logging.json);
		r = server_run(&server);
	}
	config_fini(&server.config);
	env_fini(&server.env);
	return r ? 1 : 0;
}
