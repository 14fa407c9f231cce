#include "cli/cli.h"

#include "cli/server.h"

#include <stdio.h>

enum { WORDS_MAX = 3 };

static int help(int argc, char **argv);

static int version(int argc, char **argv)
{
	printf("ringdown %s\n", RINGDOWN_VERSION);
	return CLI_OK;
}

static const struct command {
	const char *words[WORDS_MAX];
	int (*run)(int argc, char **argv);
	const char *about;
} commands[] = {
	{{"serve"}, cli_serve, "run the server: rooms, SIP, backend and the page"},
	{{"simulate"}, cli_simulate, "run the far end: a trunk with a bank behind it"},
	{{"doctor"}, cli_doctor, "examine a trunk: what is wrong, and what to fix first"},
	{{"sip", "outbound", "create"}, cli_outbound_create, "make an outbound trunk from a JSON file"},
	{{"sip", "outbound", "list"}, cli_outbound_list, "show the outbound trunks"},
	{{"sip", "outbound", "update"}, cli_outbound_update, "replace an outbound trunk"},
	{{"sip", "outbound", "delete"}, cli_outbound_delete, "delete outbound trunks"},
	{{"sip", "participant", "create"}, cli_participant_create, "call a phone into a room"},
	{{"calls", "show"}, cli_calls_show, "show one phone call: its ending, its SIP messages"},
	{{"calls"}, cli_calls_list, "list the phone calls and how they ended"},
	{{"policy", "check"}, cli_policy_check, "say whether a number may be called, and why not"},
	{{"token", "create"}, cli_token_create, "print an access token"},
	{{"generate-keys"}, cli_generate_keys, "print a new API key with its secret"},
	{{"version"}, version, "print the version"},
	{{"help"}, help, "this text"},
};

/* Names of lk that mean the same. */
static const char *canonical(const char *word)
{
	if (!strcmp(word, "out") || !strcmp(word, "outbound-trunk"))
		return "outbound";
	if (!strcmp(word, "--version") || !strcmp(word, "-v"))
		return "version";
	return !strcmp(word, "--help") || !strcmp(word, "-h") ? "help" : word;
}

/* How many words of the command are there, in order; -1: another word is. */
static int match(const struct command *c, int argc, char **argv)
{
	int i = 0;
	for (; i < WORDS_MAX && c->words[i] && i < argc; ++i)
		if (strcmp(c->words[i], canonical(argv[i])))
			return -1;
	return i;
}

static int word_count(const struct command *c)
{
	int i = 0;
	while (i < WORDS_MAX && c->words[i])
		++i;
	return i;
}

/* The commands that begin with these words. */
static void print_commands(FILE *out, int argc, char **argv)
{
	fprintf(out, "usage: ringdown COMMAND [options]      (each command knows --help)\n\n");
	for (size_t i = 0; i < COUNT_OF(commands); ++i) {
		const struct command *c = &commands[i];
		char name[64];
		if (match(c, argc, argv) < argc)
			continue;
		snprintf(name, sizeof name, "%s%s%s%s%s", c->words[0], c->words[1] ? " " : "",
			c->words[1] ? c->words[1] : "", c->words[2] ? " " : "",
			c->words[2] ? c->words[2] : "");
		fprintf(out, "  %-26s %s\n", name, c->about);
	}
	fprintf(out, "\nExit status: 0 done, 1 failed, 2 not understood.\n"
		     "Settings: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, LIVEKIT_SIP_TRUNK in the\n"
		     "environment or in a .env file of the working directory.\n");
}

static int help(int argc, char **argv)
{
	print_commands(stdout, argc - 1, argv + 1);
	return CLI_OK;
}

/* The first words of a command, and no more: `ringdown sip outbound [--help]`. */
static bool is_group(int argc, char **argv, int *words)
{
	bool found = false;
	int plain = 0;
	while (plain < argc && argv[plain][0] != '-')
		++plain;
	for (size_t i = 0; plain && i < COUNT_OF(commands); ++i)
		found |= match(&commands[i], plain, argv) == plain;
	*words = plain;
	return found;
}

int cli_main(int argc, char **argv)
{
	int words;
	if (argc < 2) {
		print_commands(stderr, 0, NULL);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < COUNT_OF(commands); ++i) {
		int count = word_count(&commands[i]);
		if (match(&commands[i], argc - 1, argv + 1) == count)
			return commands[i].run(argc - count, argv + count);
	}
	if (is_group(argc - 1, argv + 1, &words)) {
		bool asked = words + 1 < argc;
		print_commands(asked ? stdout : stderr, words, argv + 1);
		return asked ? CLI_OK : CLI_USAGE;
	}
	fprintf(stderr, "ringdown: there is no command \"%s\"\n", argv[1]);
	print_commands(stderr, 0, NULL);
	return CLI_USAGE;
}
