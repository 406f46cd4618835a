// SPDX-License-Identifier: Apache-2.0
/*
 * Places in a text, and from a place in an embedded document to the one in its file. YAML
 * lets a scalar be indented, folded, quoted and escaped; in every style the characters
 * that are not blank stand in the file in the same order. So the place is found by their
 * number, and no style's rules for blanks need be known.
 */
#include "place.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/utf8.h"

/* The bytes of the line break at `text`, 0 when there is none: those libyaml knows. */
static size_t break_length(const char *text, size_t left)
{
	if (left >= 1 && text[0] == '\n')
		return 1;
	if (left >= 1 && text[0] == '\r')
		return left >= 2 && text[1] == '\n' ? 2 : 1;
	if (left >= 2 && memcmp(text, "\xc2\x85", 2) == 0)
		return 2;
	if (left >= 3 &&
		(memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

static size_t character_length(const char *text, size_t left)
{
	uint32_t unused;
	size_t n = utf8_next(text, left, &unused);

	return n ? n : 1;
}

struct place place_of(const char *text, size_t length, size_t offset)
{
	struct place place = {1, 1};

	for (size_t i = 0; i < offset && i < length;) {
		size_t n = break_length(text + i, length - i);

		if (n) {
			place.line++;
			place.column = 1;
		} else {
			n = character_length(text + i, length - i);
			place.column++;
		}
		i += n;
	}
	return place;
}

size_t place_offset(const char *text, size_t length, struct place place)
{
	size_t i = 0;

	for (unsigned line = 1; line < place.line && i < length;) {
		size_t n = break_length(text + i, length - i);

		line += n > 0;
		i += n ? n : character_length(text + i, length - i);
	}
	for (unsigned column = 1; column < place.column && i < length; column++) {
		if (break_length(text + i, length - i))
			break;
		i += character_length(text + i, length - i);
	}
	return i < length ? i : length;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Of a scalar as it stands in the file: how many bytes give how many that are not blank. */
struct step {
	size_t bytes, solid;
};

static size_t utf8_bytes(unsigned long point)
{
	if (point < 0x80)
		return point == ' ' || point == '\t' || point == '\n' || point == '\r' ? 0 : 1;
	return point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/* An escape of a double-quoted scalar (YAML 1.1, 5.6); the first byte is the backslash. */
static struct step escape_step(const char *text, size_t left)
{
	char digits[9] = "";
	size_t count;

	if (left < 2)
		return (struct step){left, 1};
	switch (text[1]) {
	case 'n':
	case 't':
	case 'r':
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		return (struct step){2, 0};
	case 'N':
	case '_':
		return (struct step){2, 2};
	case 'L':
	case 'P':
		return (struct step){2, 3};
	case 'x':
	case 'u':
	case 'U':
		count = text[1] == 'x' ? 2 : text[1] == 'u' ? 4 : 8;
		if (left < 2 + count)
			return (struct step){left, 1};
		memcpy(digits, text + 2, count);
		return (struct step){2 + count, utf8_bytes(strtoul(digits, NULL, 16))};
	default:
		return (struct step){2, 1};
	}
}

static struct step next_step(const char *text, size_t left, char quote)
{
	if (is_blank(text[0]))
		return (struct step){1, 0};
	if (quote == '"' && text[0] == '\\')
		return escape_step(text, left);
	if (quote == '\'' && text[0] == '\'' && left > 1)
		return (struct step){2, 1};
	return (struct step){1, 1};
}

static size_t count_solid(const char *text, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++)
		n += !is_blank(text[i]);
	return n;
}

struct place place_outside(
	const char *outer, size_t length, const struct yaml_node *scalar, struct place inner)
{
	size_t target = place_offset(scalar->text, scalar->length, inner);
	size_t solid = count_solid(scalar->text, target);
	bool more = count_solid(scalar->text + target, scalar->length - target) > 0;
	size_t at = place_offset(outer, length, (struct place){scalar->line, scalar->column});
	char quote = '\0';

	if (scalar->style == YAML_TREE_QUOTED && at < length)
		quote = outer[at++];
	if (scalar->style == YAML_TREE_LITERAL || scalar->style == YAML_TREE_FOLDED) {
		while (at < length && !break_length(outer + at, length - at))
			at++;
	}
	while (at < length && (solid > 0 || more)) {
		struct step step = next_step(outer + at, length - at, quote);

		if (solid == 0 && step.solid > 0)
			break;
		solid -= step.solid < solid ? step.solid : solid;
		at += step.bytes;
	}
	return place_of(outer, length, at);
}
