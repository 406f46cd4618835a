// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ARENA_H
#define HERALD_CORE_ARENA_H

#include <stddef.h>

/*
 * Memory that is freed as a whole: each piece is a malloc of its own, chained to the
 * arena, so that sanitizers see overflows of any of them. Zero an arena to begin it.
 */
struct arena {
	struct arena_piece *pieces;
};

/* Zeroed memory, aligned for any type; dies when there is none. */
void *arena_alloc(struct arena *arena, size_t count, size_t size) __attribute__((alloc_size(2, 3)));
/* A copy of `length` bytes with a NUL after them. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
void arena_done(struct arena *arena);

#endif
