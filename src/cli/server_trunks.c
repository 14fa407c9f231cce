/* cli/server_trunks.c - the lines to the carriers: begun with the server, ended with it, and what
 * Prometheus reads of them. */
#include "cli/server.h"

#include "call/lines.h"

#include <stdio.h>

int server_build_lines(struct server *s)
{
	return lines_new(&s->lines, &(struct lines_config){
					    .loop = &s->loop,
					    .trunks = s->trunks,
					    .sip = s->sip,
					    .own_host = s->sip_host,
				    });
}

enum { LABELS_SIZE = 700 };

static const char *labels(char out[LABELS_SIZE], const Livekit__SIPOutboundTrunkInfo *trunk)
{
	char id[64], name[600];
	exposition_label(id, sizeof id, trunk->sip_trunk_id);
	exposition_label(name, sizeof name, trunk->name);
	snprintf(out, LABELS_SIZE, "trunk_id=\"%s\",trunk=\"%s\"", id, name);
	return out;
}

struct trunk_family {
	const char *name, *help;
	/* False: this trunk has no such sample. */
	bool (*value)(const struct line_status *l, double *ret);
};

static bool is_up(const struct line_status *l, double *ret)
{
	*ret = l->state == LINE_UP;
	return l->state != LINE_UNKNOWN;
}

static bool is_registered(const struct line_status *l, double *ret)
{
	*ret = l->registration.held;
	return l->registers;
}

static bool round_trip(const struct line_status *l, double *ret)
{
	*ret = l->options_rtt_ms / 1000.0;
	return l->options_status != 0;
}

void server_write_trunks(void *owner, struct exposition *e)
{
	static const struct trunk_family families[] = {
		{"ringdown_trunk_up", "1: the trunk answers, and is registered if it has to be. 0: it does not. Unknown ones are missing.",
			is_up},
		{"ringdown_trunk_registered", "1: the registrar has our binding.", is_registered},
		{"ringdown_trunk_round_trip_seconds", "Of the last OPTIONS.", round_trip},
	};
	struct server *s = owner;
	for (size_t f = 0; f < COUNT_OF(families); ++f) {
		exposition_family(e, families[f].name, EXPOSITION_GAUGE, families[f].help);
		for (size_t i = 0; s->lines && i < trunks_count(s->trunks); ++i) {
			const Livekit__SIPOutboundTrunkInfo *trunk = trunks_at(s->trunks, i);
			struct line_status status;
			char text[LABELS_SIZE];
			double value;
			if (lines_status(s->lines, trunk->sip_trunk_id, &status) && families[f].value(&status, &value))
				exposition_sample(e, labels(text, trunk), value);
		}
	}
}
