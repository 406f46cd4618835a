// SPDX-License-Identifier: Apache-2.0
/*
 * The writer of tables. In: cells. Out: lines of text. Widths are counted in characters
 * of UTF-8, as a terminal shows them.
 */
#include "grid.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "verb.h"

#define GAP 3

void grid_init(
	struct grid *grid, const struct grid_column *columns, size_t count, size_t key_columns)
{
	*grid = (struct grid){.columns = xcalloc(count, sizeof(*columns)),
		.column_count = count,
		.key_columns = key_columns};
	memcpy(grid->columns, columns, count * sizeof(*columns));
}

void grid_done(struct grid *grid)
{
	for (size_t i = 0; grid->cells && i < grid->cell_count; i++)
		free(grid->cells[i]);
	free(grid->cells);
	free(grid->columns);
	*grid = (struct grid){0};
}

static void append(struct grid *grid, char *text)
{
	if (grid->discards) {
		free(text);
		grid->cell_count++;
		return;
	}
	if ((grid->cell_count & (grid->cell_count - 1)) == 0)
		grid->cells = xrealloc(grid->cells, grid->cell_count ? 2 * grid->cell_count : 1,
			sizeof(*grid->cells));
	grid->cells[grid->cell_count++] = text_clean(text);
}

void grid_add(struct grid *grid, const char *text)
{
	append(grid, xstrdup(text && *text ? text : "<none>"));
}

void grid_addf(struct grid *grid, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	append(grid, text);
}

size_t grid_rows(const struct grid *grid)
{
	return grid->cell_count / grid->column_count;
}

static const char *cell(const struct grid *grid, size_t row, size_t column)
{
	return grid->cells[row * grid->column_count + column];
}

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static bool is_shown(const struct grid *grid, size_t column, bool wide)
{
	return !grid->columns[column].hidden && (wide || !grid->columns[column].wide);
}

static size_t *widths_of(const struct grid *grid)
{
	size_t *widths = xcalloc(grid->column_count, sizeof(*widths));

	for (size_t c = 0; c < grid->column_count; c++)
		widths[c] = width_of(grid->columns[c].title);
	for (size_t i = 0; i < grid->cell_count; i++) {
		size_t width = width_of(grid->cells[i]), c = i % grid->column_count;

		if (width > widths[c])
			widths[c] = width;
	}
	return widths;
}

/* `row` SIZE_MAX: the headings. The last cell has nothing behind it. */
static void print_line(
	const struct grid *grid, FILE *out, bool wide, const size_t *widths, size_t row)
{
	size_t blanks = 0;

	for (size_t c = 0; c < grid->column_count; c++) {
		const char *text = row == SIZE_MAX ? grid->columns[c].title : cell(grid, row, c);

		if (!is_shown(grid, c, wide))
			continue;
		fprintf(out, "%*s%s", (int)blanks, "", text);
		blanks = widths[c] - width_of(text) + GAP;
	}
	fputc('\n', out);
}

void grid_print(const struct grid *grid, FILE *out, bool wide)
{
	AUTO_FREE size_t *widths = widths_of(grid);

	print_line(grid, out, wide, widths, SIZE_MAX);
	for (size_t row = 0; row < grid_rows(grid); row++)
		print_line(grid, out, wide, widths, row);
}

static bool has_equal_cells(
	const struct grid *a, size_t row_a, const struct grid *b, size_t row_b, size_t count)
{
	for (size_t c = 0; c < count; c++) {
		if (strcmp(cell(a, row_a, c), cell(b, row_b, c)) != 0)
			return false;
	}
	return true;
}

bool grid_row_is_known(const struct grid *grid, size_t row, const struct grid *before)
{
	size_t rows = grid_rows(before);

	/* From its own place on, where it mostly is. */
	for (size_t i = 0; i < rows; i++) {
		size_t there = (row + i) % rows;

		if (has_equal_cells(grid, row, before, there, grid->key_columns))
			return has_equal_cells(grid, row, before, there, grid->column_count);
	}
	return false;
}

void grid_print_news(const struct grid *grid, FILE *out, bool wide, const struct grid *before)
{
	AUTO_FREE size_t *widths = widths_of(grid);

	for (size_t row = 0; row < grid_rows(grid); row++) {
		if (!grid_row_is_known(grid, row, before))
			print_line(grid, out, wide, widths, row);
	}
}
