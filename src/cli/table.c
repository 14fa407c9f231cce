#include "cli/table.h"

#include <assert.h>
#include <stdio.h>

bool table_init(struct table *t, struct proto_arena *a, const char *const *titles, size_t columns, size_t rows_max)
{
	assert(columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){.titles = titles, .columns = columns, .rows_max = rows_max};
	t->cells = proto_alloc(a, (rows_max * columns + 1) * sizeof *t->cells);
	return t->cells;
}

void table_add(struct table *t, const char *const *cells)
{
	assert(t->rows < t->rows_max);
	memcpy(t->cells + t->rows++ * t->columns, cells, t->columns * sizeof *cells);
}

/* Characters, not bytes; control characters are shown as '?'. */
static size_t width(const char *text)
{
	size_t count = 0;
	for (; text && *text; ++text)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static void print_cell(const char *text, size_t to)
{
	fputs(" ", stdout);
	for (const char *c = text ? text : ""; *c; ++c)
		putchar((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c);
	for (size_t i = width(text); i < to; ++i)
		putchar(' ');
	fputs(" ", stdout);
}

static void print_rule(const size_t *widths, size_t columns, const char *left, const char *middle, const char *right)
{
	for (size_t i = 0; i < columns; ++i) {
		fputs(i ? middle : left, stdout);
		for (size_t j = 0; j < widths[i] + 2; ++j)
			fputs("─", stdout);
	}
	printf("%s\n", right);
}

static void print_row(const size_t *widths, size_t columns, const char *const *cells)
{
	for (size_t i = 0; i < columns; ++i) {
		fputs("│", stdout);
		print_cell(cells[i], widths[i]);
	}
	printf("│\n");
}

void table_print(const struct table *t)
{
	size_t widths[TABLE_COLUMNS_MAX];
	for (size_t i = 0; i < t->columns; ++i) {
		widths[i] = width(t->titles[i]);
		for (size_t j = 0; j < t->rows; ++j)
			if (width(t->cells[j * t->columns + i]) > widths[i])
				widths[i] = width(t->cells[j * t->columns + i]);
	}
	print_rule(widths, t->columns, "┌", "┬", "┐");
	print_row(widths, t->columns, t->titles);
	print_rule(widths, t->columns, "├", "┼", "┤");
	for (size_t j = 0; j < t->rows; ++j)
		print_row(widths, t->columns, t->cells + j * t->columns);
	print_rule(widths, t->columns, "└", "┴", "┘");
}
