/* cli/table.h - a table with lines around it, as `lk` prints its lists.
 *
 * Owner:   the command. Owns: the cells, in an arena. Thread: the main thread.
 */
#pragma once

#include "wire/proto.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	const char *const *titles;
	size_t columns;
	const char **cells; /* rows one after the other */
	size_t rows, rows_max;
};
/* NULL cells are empty. False: out of memory. */
bool table_init(struct table *t, struct proto_arena *a, const char *const *titles, size_t columns, size_t rows_max);
void table_add(struct table *t, const char *const *cells);
void table_print(const struct table *t);
