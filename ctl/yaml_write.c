// SPDX-License-Identifier: Apache-2.0
/*
 * JSON values as YAML in block style, the way people write it: text stands without quotes
 * where no reader of YAML could take it for something else.
 */
#include "yaml_write.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static bool is_word(const char *text)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "null", "y", "n"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* Letters first, or an IPv4 address, prefix or range, or a time: none reads as a number. */
static bool is_plain(const char *text)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._/-";
	const char *unit = text + strspn(text, "0123456789");
	size_t dots = 0;

	if (text[strspn(text, rest)] != '\0' || !isalnum((unsigned char)text[0]) || is_word(text))
		return false;
	for (const char *c = text; *c; c++)
		dots += *c == '.';
	return isalpha((unsigned char)text[0]) || strcmp(unit, "s") == 0 ||
	       strcmp(unit, "ms") == 0 ||
	       (dots >= 2 && text[strspn(text, "0123456789./-")] == '\0');
}

/* Readers of YAML 1.1 want a point and a sign of the exponent. */
static void write_real(FILE *out, json_t *value)
{
	AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);
	char *exponent = text ? strchr(text, 'e') : NULL;

	if (!text)
		DIE("out of memory");
	if (!exponent) {
		fputs(text, out);
		return;
	}
	*exponent++ = '\0';
	fprintf(out, "%s%se%s%s", text, strchr(text, '.') ? "" : ".0", *exponent == '-' ? "" : "+",
		exponent);
}

static void write_scalar(FILE *out, json_t *value)
{
	if (json_is_real(value))
		write_real(out, value);
	else if (json_is_string(value) && is_plain(json_string_value(value)))
		fputs(json_string_value(value), out);
	else
		(void)json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void write_value(FILE *out, json_t *value, unsigned indent, bool in_line);

static void pad(FILE *out, unsigned indent)
{
	fprintf(out, "%*s", (int)indent, "");
}

/* `in_line`: the first line is begun already, after "- ". */
static void write_mapping(FILE *out, json_t *value, unsigned indent, bool in_line)
{
	const char *key;
	json_t *item;

	json_object_foreach (value, key, item) {
		json_t *name = json_string(key);

		if (!in_line)
			pad(out, indent);
		in_line = false;
		write_scalar(out, name);
		json_decref(name);
		fputc(':', out);
		write_value(out, item, indent, false);
	}
}

static bool is_empty(json_t *value)
{
	return json_object_size(value) == 0 && json_array_size(value) == 0;
}

/* After a key's colon or, `in_line`, after a list's dash. */
static void write_value(FILE *out, json_t *value, unsigned indent, bool in_line)
{
	json_t *item;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value)) {
		fputc(' ', out);
		write_scalar(out, value);
		fputc('\n', out);
	} else if (is_empty(value)) {
		fputs(json_is_array(value) ? " []\n" : " {}\n", out);
	} else if (json_is_object(value)) {
		fputs(in_line ? " " : "\n", out);
		write_mapping(out, value, indent + 2, in_line);
	} else {
		fputc('\n', out);
		json_array_foreach (value, i, item) {
			pad(out, indent);
			fputc('-', out);
			write_value(out, item, indent, true);
		}
	}
}

char *yaml_write(json_t *value, unsigned indent)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		DIE("out of memory");
	write_mapping(out, value, indent, false);
	if (fclose(out) != 0)
		DIE("out of memory");
	return text;
}
