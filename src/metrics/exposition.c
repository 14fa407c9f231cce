#include "metrics/exposition.h"

#include <assert.h>
#include <stdio.h>

static void check(struct exposition *e, int r)
{
	e->failed |= r != 0;
}

void exposition_family(struct exposition *e, const char *name, enum exposition_type type, const char *help)
{
	static const char *const types[] = {
		[EXPOSITION_COUNTER] = "counter",
		[EXPOSITION_GAUGE] = "gauge",
		[EXPOSITION_HISTOGRAM] = "histogram",
	};
	e->family = name;
	check(e, buf_format(&e->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]));
}

/* "name_suffix{common,labels,extra} value" */
static void put(struct exposition *e, const char *suffix, const char *labels, const char *extra, double value)
{
	const char *parts[] = {e->common, labels, extra};
	bool first = true;

	check(e, buf_format(&e->text, "%s%s", e->family, suffix));
	for (size_t i = 0; i < COUNT_OF(parts); ++i) {
		if (!parts[i] || !*parts[i])
			continue;
		check(e, buf_format(&e->text, "%c%s", first ? '{' : ',', parts[i]));
		first = false;
	}
	check(e, buf_format(&e->text, "%s %.17g\n", first ? "" : "}", value));
}

void exposition_sample(struct exposition *e, const char *labels, double value)
{
	put(e, "", labels, NULL, value);
}

void exposition_one(struct exposition *e, const char *name, enum exposition_type type, const char *help,
	double value)
{
	exposition_family(e, name, type, help);
	exposition_sample(e, NULL, value);
}

void exposition_label(char *out, size_t size, const char *text)
{
	size_t at = 0;
	for (; *text && at + 3 <= size; ++text) {
		bool special = *text == '"' || *text == '\\' || *text == '\n';
		if (special)
			out[at++] = '\\';
		out[at++] = *text == '\n' ? 'n' : *text;
	}
	out[at] = 0;
}

void histogram_observe(struct histogram *h, double value)
{
	size_t i = 0;
	while (i < h->bound_count && value > h->bounds[i])
		++i;
	++h->counts[i];
	h->sum += value;
}

void exposition_histogram(struct exposition *e, const char *name, const char *help, const char *labels,
	const struct histogram *h)
{
	uint64_t count = 0;
	char le[40];

	assert(h->bound_count <= HISTOGRAM_BUCKETS_MAX);
	exposition_family(e, name, EXPOSITION_HISTOGRAM, help);
	for (size_t i = 0; i <= h->bound_count; ++i) {
		count += h->counts[i];
		if (i < h->bound_count)
			snprintf(le, sizeof le, "le=\"%.10g\"", h->bounds[i]);
		else
			snprintf(le, sizeof le, "le=\"+Inf\"");
		put(e, "_bucket", labels, le, (double)count);
	}
	put(e, "_sum", labels, NULL, h->sum);
	put(e, "_count", labels, NULL, (double)count);
}
