// SPDX-License-Identifier: Apache-2.0
/*
 * The manners that all verbs share: the choice of the output's format, JSON on stdout,
 * words on stderr, and a result that could not be written is no success.
 */
#include "verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/utf8.h"

enum output_format output_format_of(const char *text, struct argp_state *state)
{
	if (strcmp(text, "json") == 0)
		return OUTPUT_JSON;
	if (strcmp(text, "table") != 0)
		argp_error(state, "-o %s: write -o table or -o json", text);
	return OUTPUT_TABLE;
}

void output_json(json_t *value)
{
	if (!value)
		DIE("a JSON value could not be built");
	/* A failed write stays in stdout's error flag, which output_end reads. */
	(void)json_dumpf(value, stdout, JSON_INDENT(2));
	json_decref(value);
	putchar('\n');
}

int output_end(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	complain("cannot write the results to standard output: %s", strerror(errno));
	return VERB_UNKNOWN;
}

char *text_clean(char *text)
{
	size_t length = strlen(text), kept = 0;

	for (size_t i = 0; i < length;) {
		uint32_t point = 0;
		size_t n = utf8_next(text + i, length - i, &point);
		bool shown = n > 0 && point >= 0x20 && !(point >= 0x7f && point < 0xa0);

		if (shown)
			memmove(text + kept, text + i, n);
		else
			text[kept] = '?';
		kept += shown ? n : 1;
		i += n ? n : 1;
	}
	text[kept] = '\0';
	return text;
}

void complain(const char *fmt, ...)
{
	va_list args;

	fputs("heraldctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}
