/* metrics/exposition.h - Prometheus's text format, version 0.0.4: families, samples, histograms.
 *
 * Owner:   the caller. Owns: nothing. Thread: any. Pure but for the memory of the buffer.
 *
 * Out of memory, a page ends early: the caller looks at `failed`.
 */
#pragma once

#include "base/buf.h"

struct exposition {
	struct buf text;
	const char *common; /* labels that every sample has: `node_id="x",node_type="SERVER"` */
	const char *family;
	bool failed;
};

enum exposition_type {
	EXPOSITION_COUNTER,
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
};

/* Begins a family: "# HELP" and "# TYPE". */
void exposition_family(struct exposition *e, const char *name, enum exposition_type type, const char *help);
/* One sample of it. `labels` as in `common`, or NULL; what is a stranger's text in it must have
 * been through exposition_label(). */
void exposition_sample(struct exposition *e, const char *labels, double value);
/* A family of one sample. */
void exposition_one(struct exposition *e, const char *name, enum exposition_type type, const char *help,
	double value);
/* `text` as the value of a label: quotes, backslashes and new lines escaped, cut to fit. */
void exposition_label(char *out, size_t size, const char *text);

enum { HISTOGRAM_BUCKETS_MAX = 16 };
/* Counts per upper bound; zeroed memory with `bounds` set is an empty one. */
struct histogram {
	const double *bounds; /* ascending */
	size_t bound_count;   /* up to HISTOGRAM_BUCKETS_MAX */
	uint64_t counts[HISTOGRAM_BUCKETS_MAX + 1]; /* the last one: above all bounds */
	double sum;
};
void histogram_observe(struct histogram *h, double value);
void exposition_histogram(struct exposition *e, const char *name, const char *help, const char *labels,
	const struct histogram *h);
