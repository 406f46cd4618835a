// SPDX-License-Identifier: Apache-2.0
/*
 * The nearest of several names to a misspelt one, by the number of letters that were
 * inserted, left out, replaced or swapped with their neighbour (case does not count).
 */
#include "herald/core/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The optimal string alignment distance, over three rows of its table. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
		const unsigned *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1);
			row[j] = least(row[j], above[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
				same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

/* A slip leaves most of the word standing; of "x" nothing would be left. */
static unsigned slips_allowed(size_t length)
{
	if (length < 6)
		return (unsigned)length / 2;
	return (unsigned)length / 3;
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t length = strlen(s->word), other = strlen(candidate);
	unsigned d, allowed = slips_allowed(length);

	if (length == 0 || length > WORD_MAX || other > WORD_MAX)
		return;
	d = distance(s->word, length, candidate, other);
	if (d > allowed || (s->best && d >= s->distance))
		return;
	s->best = candidate;
	s->distance = d;
}
