// SPDX-License-Identifier: Apache-2.0
/*
 * Well-formed UTF-8, one code point at a time, for those who must not pass on anything
 * else (log lines, metric labels). Does not normalize, does not convert.
 */
#include "herald/base/utf8.h"

#include <string.h>

size_t utf8_next(const char *text, size_t length, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first;
	uint32_t code;
	size_t size;

	if (length == 0)
		return 0;
	first = (uint8_t)text[0];
	if (first < 0x80) {
		*ret = first;
		return 1;
	}
	size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc0 || first >= 0xf8 || size > length)
		return 0;
	code = first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		uint8_t next = (uint8_t)text[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret = code;
	return size;
}

size_t utf8_length_within(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (length <= max)
		return length;
	length = max;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}
