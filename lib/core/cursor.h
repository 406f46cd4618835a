// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CURSOR_H
#define HERALD_CORE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Reading a received frame: a cursor that never leaves its bytes. A read that would gives
 * zeros and makes the cursor bad for good, so that a parser may test once at the end.
 * Inline, since each frame of a flood goes through it a dozen times.
 */
struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline void cursor_take(struct cursor *c, void *ret, size_t size)
{
	if (c->bad || cursor_left(c) < size) {
		c->bad = true;
		memset(ret, 0, size);
		return;
	}
	memcpy(ret, c->at, size);
	c->at += size;
}

static inline unsigned cursor_take_u8(struct cursor *c)
{
	uint8_t b;

	cursor_take(c, &b, sizeof(b));
	return b;
}

static inline unsigned cursor_take_u16(struct cursor *c)
{
	uint8_t b[2];

	cursor_take(c, b, sizeof(b));
	return (unsigned)b[0] << 8 | b[1];
}

#endif
