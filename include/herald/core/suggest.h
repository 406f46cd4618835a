// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_SUGGEST_H
#define HERALD_CORE_SUGGEST_H

/*
 * "Did you mean": the candidate nearest to a word, as far as it can be a slip of the pen.
 * Begin with {.word = ...}, offer every candidate, read `best` (NULL: none is near).
 */
struct suggestion {
	const char *word;
	const char *best; /* borrowed from the caller */
	unsigned distance;
};
void suggest_offer(struct suggestion *s, const char *candidate);

#endif
