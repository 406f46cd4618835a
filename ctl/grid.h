// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_GRID_H
#define HERALDCTL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A table as kubectl prints one: headings in capitals, columns as wide as their widest
 * cell, three blanks between them, none at a line's end. Cells are filled from left to
 * right, row after row; text in them is cleaned (verb.h), and "" becomes <none>.
 */
struct grid_column {
	const char *title;
	bool wide;   /* only with -o wide */
	bool hidden; /* not at all: it only tells rows apart */
};

struct grid {
	struct grid_column *columns; /* own copy, so that some may be hidden */
	size_t column_count;
	size_t key_columns; /* the first ones, which tell rows apart */
	bool discards;	    /* what is added is only counted: nobody will look at it */
	char **cells;
	size_t cell_count;
};

void grid_init(
	struct grid *grid, const struct grid_column *columns, size_t count, size_t key_columns);
void grid_done(struct grid *grid);
void grid_add(struct grid *grid, const char *text);
void grid_addf(struct grid *grid, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t grid_rows(const struct grid *grid);

void grid_print(const struct grid *grid, FILE *out, bool wide);
/* Whether the row is in `before` just as it is here; `before` has the same columns. */
bool grid_row_is_known(const struct grid *grid, size_t row, const struct grid *before);
/* The same rows without headings, and only those that `before` does not know. */
void grid_print_news(const struct grid *grid, FILE *out, bool wide, const struct grid *before);

#endif
