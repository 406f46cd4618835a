// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_UTF8_H
#define HERALD_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The code point at `text` and the number of bytes it takes (1..4); 0 when the bytes are
 * not well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing
 * above U+10FFFF) or cut off at `length`.
 */
size_t utf8_next(const char *text, size_t length, uint32_t *ret);

/* How many bytes of a text to keep, `max` at most, so that no character is cut. */
size_t utf8_length_within(const char *text, size_t max);

#endif
