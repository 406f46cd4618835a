// SPDX-License-Identifier: Apache-2.0
/*
 * Who owns which field (metadata.managedFields) is half of an object's text, and of no use
 * here: to decode it would take most of the time of a list. It is found as the text that
 * an API server writes, without blanks; where it is written otherwise it is decoded as
 * anything else. Inside of a string the same text has its quotes escaped.
 */
#include "json_prune.h"

#include <stdbool.h>
#include <string.h>

#define MEMBER "\"managedFields\":["
#define MEMBER_LENGTH (sizeof(MEMBER) - 1)

/* Behind the closing quote of the string whose text begins at `i`. */
static size_t string_end(const char *text, size_t length, size_t i)
{
	for (; i < length && text[i] != '"'; i++) {
		if (text[i] == '\\')
			i++;
	}
	return i + 1;
}

/* Of the bracket that closes the array whose first element begins at `i`. */
static size_t array_end(const char *text, size_t length, size_t i)
{
	size_t depth = 1;

	while (i < length) {
		char c = text[i];

		if (c == '"') {
			i = string_end(text, length, i + 1);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && --depth == 0)
			return i;
		i++;
	}
	return length;
}

size_t json_prune(char *text, size_t length)
{
	size_t from = 0;
	char *found;

	while ((found = memmem(text + from, length - from, MEMBER, MEMBER_LENGTH))) {
		size_t start = (size_t)(found - text) + MEMBER_LENGTH;
		size_t end = array_end(text, length, start);

		memmove(text + start, text + end, length - end);
		length -= end - start;
		from = start;
	}
	return length;
}
