/* cli/doctor_report.c - what `ringdown doctor` found, for a person and as JSON. */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const words[DOCTOR__COUNT] = {
	[DOCTOR_GOOD] = "good",
	[DOCTOR_NOTE] = "note",
	[DOCTOR_BAD] = "bad",
	[DOCTOR_SKIPPED] = "skipped",
};
static const char *const marks[DOCTOR__COUNT] = {
	[DOCTOR_GOOD] = "ok  ",
	[DOCTOR_NOTE] = "note",
	[DOCTOR_BAD] = "BAD ",
	[DOCTOR_SKIPPED] = "--  ",
};

void doctor_found(struct doctor *d, const char *check, enum doctor_grade grade, const char *fix, const char *format, ...)
{
	va_list args;
	if (d->finding_count == DOCTOR_FINDINGS_MAX)
		return;
	struct doctor_finding *f = &d->findings[d->finding_count++];
	*f = (struct doctor_finding){.check = check, .grade = grade};
	va_start(args, format);
	vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	snprintf(f->fix, sizeof f->fix, "%s", fix ? fix : "");
}

size_t doctor_count(const struct doctor *d, enum doctor_grade grade)
{
	size_t n = 0;
	for (size_t i = 0; i < d->finding_count; ++i)
		n += d->findings[i].grade == grade;
	return n;
}

/* Steps come in the order in which one thing stands on the other: the first bad one is the cause of more. */
static const struct doctor_finding *first_bad(const struct doctor *d)
{
	for (size_t i = 0; i < d->finding_count; ++i)
		if (d->findings[i].grade == DOCTOR_BAD)
			return &d->findings[i];
	return NULL;
}

/* Texts of the far end may hold anything. */
static void put(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; ++c)
		putchar(*c < 0x20 || *c == 0x7f ? '?' : *c);
}

void doctor_print(const struct doctor *d)
{
	printf("Trunk %s (%s) at %s\n\n", d->trunk->name, d->trunk->sip_trunk_id, d->trunk->address);
	for (size_t i = 0; i < d->finding_count; ++i) {
		const struct doctor_finding *f = &d->findings[i];
		printf("%s %-13s ", marks[f->grade], f->check);
		put(f->text);
		putchar('\n');
	}
	const struct doctor_finding *worst = first_bad(d);
	if (!worst) {
		printf("\nNothing is wrong that can be seen from here.\n");
		return;
	}
	printf("\nFix first: ");
	put(*worst->fix ? worst->fix : worst->text);
	putchar('\n');
}

static json_t *finding(const struct doctor_finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "check", f->check, "result", words[f->grade], "text", f->text, "fix",
		*f->fix ? json_string(f->fix) : json_null());
}

bool doctor_print_json(const struct doctor *d)
{
	const struct doctor_finding *worst = first_bad(d);
	json_t *list = json_array();
	for (size_t i = 0; list && i < d->finding_count; ++i)
		json_array_append_new(list, finding(&d->findings[i]));
	json_t *all = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "sip_trunk_id", d->trunk->sip_trunk_id, "name",
		d->trunk->name, "address", d->trunk->address, "ok", !worst, "fix_first",
		worst ? json_string(*worst->fix ? worst->fix : worst->text) : json_null(), "checks", list);
	char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
	if (text)
		puts(text);
	free(text); /* jansson's */
	json_decref(all);
	return text;
}
