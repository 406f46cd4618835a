// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_DECODE_BLOCK_H
#define HERALD_KUBE_DECODE_BLOCK_H

#include <jansson.h>
#include <stddef.h>

/*
 * One malloc'ed block for a struct and all that it points to. The same fill function
 * runs twice: first it only measures, then it fills, so that the block is exactly as big
 * as needed. While measuring, decode_take gives NULL and decode_keep the text it was
 * given; a fill function makes each array element in a local and stores it if it can.
 */
struct decode_block {
	char *start; /* NULL while measuring */
	/* Parts by falling alignment, so that nothing is lost to padding. */
	size_t used[4], end[4];
};

/* `object` is borrowed, `context` is what decode_build was given; *ret is zeroed. */
typedef void decode_fill_fn(
	struct decode_block *block, const json_t *object, const void *context, void *ret);

/* The filled struct of `size` bytes; to be freed with free(). */
void *decode_build(size_t size, decode_fill_fn *fill, const json_t *object, const void *context);

/* Zeroed room for an array; NULL while measuring and for count 0. align: 1, 2, 4 or 8. */
void *decode_take(struct decode_block *block, size_t count, size_t size, size_t align);
#define DECODE_TAKE(block, count, type)                                                            \
	((type *)decode_take((block), (count), sizeof(type), _Alignof(type)))

/* A copy that ends with NUL. The empty string takes no room. */
const char *decode_keep(struct decode_block *block, const char *text, size_t length);

#endif
