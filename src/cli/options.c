#include "cli/options.h"

#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

static void print_help(const struct options *o)
{
	printf("usage: %s\n\n%s\n", o->usage, o->about);
	if (o->count)
		printf("\nOptions:\n");
	for (size_t i = 0; i < o->count; ++i) {
		char left[64];
		snprintf(left, sizeof left, "%s%s%s", o->list[i].name, o->list[i].value ? " " : "",
			o->list[i].value ? o->list[i].value : "");
		printf("  %-26s %s\n", left, o->list[i].help);
	}
	printf("  %-26s %s\n", "--help", "this text");
}

int options_complain(const struct options *o, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "ringdown: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: %s\n", o->usage);
	return CLI_USAGE;
}

int options_status(int outcome)
{
	return outcome == OPTIONS_E_HELP ? CLI_OK : CLI_USAGE;
}

static const struct option *find(const struct options *o, const char *arg, size_t size)
{
	for (size_t i = 0; i < o->count; ++i)
		if (strlen(o->list[i].name) == size && !strncmp(o->list[i].name, arg, size))
			return &o->list[i];
	return NULL;
}

/* Takes one option at argv[*at]. */
static int take(struct options *o, int argc, char **argv, int *at)
{
	const char *arg = argv[*at], *equals = strchr(arg, '=');
	const struct option *found = find(o, arg, equals ? (size_t)(equals - arg) : strlen(arg));
	if (!found) {
		options_complain(o, "unknown option %s", arg);
		return OPTIONS_E_USAGE;
	}
	if (!found->value) {
		if (equals) {
			options_complain(o, "%s takes no value", found->name);
			return OPTIONS_E_USAGE;
		}
		*found->flag = true;
		return 0;
	}
	if (!equals && *at + 1 >= argc) {
		options_complain(o, "%s needs a value: %s", found->name, found->value);
		return OPTIONS_E_USAGE;
	}
	*found->text = equals ? equals + 1 : argv[++*at];
	return 0;
}

int options_read(struct options *o, int argc, char **argv)
{
	bool words_only = false;
	for (int i = 1; i < argc; ++i) {
		if (!words_only && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			print_help(o);
			return OPTIONS_E_HELP;
		}
		if (!words_only && !strcmp(argv[i], "--")) {
			words_only = true;
		} else if (!words_only && argv[i][0] == '-' && argv[i][1]) {
			int r = take(o, argc, argv, &i);
			if (r)
				return r;
		} else if (o->word_count == o->words_max) {
			options_complain(o, "too many arguments");
			return OPTIONS_E_USAGE;
		} else {
			o->words[o->word_count++] = argv[i];
		}
	}
	return 0;
}
