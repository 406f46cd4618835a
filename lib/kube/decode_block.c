// SPDX-License-Identifier: Apache-2.0
/*
 * Memory of a decoded object: one tight block, found by running the decoder twice. Two
 * passes cost less than an arena that is compacted afterwards, and no pointer is ever
 * relocated. It knows nothing of Kubernetes.
 */
#include "decode_block.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static size_t part_of(size_t align)
{
	switch (align) {
	case 8:
		return 0;
	case 4:
		return 1;
	case 2:
		return 2;
	case 1:
		return 3;
	default:
		DIE("alignment that no part of a block has");
	}
}

void *decode_take(struct decode_block *block, size_t count, size_t size, size_t align)
{
	size_t part = part_of(align);
	size_t at = block->used[part];

	block->used[part] += count * size;
	if (block->start && block->used[part] > block->end[part])
		DIE("a decoder took more while filling than while measuring");
	return block->start && count ? block->start + at : NULL;
}

const char *decode_keep(struct decode_block *block, const char *text, size_t length)
{
	char *copy;

	if (!length)
		return "";
	copy = decode_take(block, length + 1, 1, 1);
	if (!copy)
		return text;
	memcpy(copy, text, length);
	return copy; /* the block was zeroed: the NUL is there */
}

void *decode_build(size_t size, decode_fill_fn *fill, const json_t *object, const void *context)
{
	size_t at = (size + 7) & ~(size_t)7;
	AUTO_FREE void *scratch = xcalloc(1, size);
	struct decode_block measured = {0};
	struct decode_block block = {0};

	fill(&measured, object, context, scratch);
	for (size_t part = 0; part < 4; part++) {
		block.used[part] = at;
		at += measured.used[part];
		block.end[part] = at;
	}
	block.start = xcalloc(1, at);
	fill(&block, object, context, block.start);
	return block.start;
}
