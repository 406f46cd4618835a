// SPDX-License-Identifier: Apache-2.0
/*
 * Memory freed as a whole, for values that are built once, are then read only and end
 * together: a document's tree, a configuration. Not for anything that grows and shrinks.
 */
#include "herald/core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

struct arena_piece {
	struct arena_piece *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	struct arena_piece *piece;
	size_t total;

	if (__builtin_mul_overflow(count, size, &total) ||
		__builtin_add_overflow(total, sizeof(*piece), &total))
		DIE("allocation size overflows");
	piece = xcalloc(1, total);
	piece->next = arena->pieces;
	arena->pieces = piece;
	return piece->bytes;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1, 1);

	memcpy(copy, text, length);
	return copy;
}

void arena_done(struct arena *arena)
{
	while (arena->pieces) {
		struct arena_piece *next = arena->pieces->next;

		free(arena->pieces);
		arena->pieces = next;
	}
}
