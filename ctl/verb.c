// SPDX-License-Identifier: Apache-2.0
/*
 * The manners that all verbs share: the choice of the output's format, data on stdout,
 * words on stderr, and a result that could not be written is no success.
 */
#include "verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/utf8.h"
#include "yaml_write.h"

enum output_format output_format_of(const char *text, struct argp_state *state)
{
	static const char *const names[] = {[OUTPUT_TABLE] = "table",
		[OUTPUT_WIDE] = "wide",
		[OUTPUT_JSON] = "json",
		[OUTPUT_YAML] = "yaml"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0)
			return (enum output_format)i;
	}
	argp_error(state, "-o %s: write -o table, -o wide, -o json or -o yaml", text);
	return OUTPUT_TABLE;
}

bool output_is_data(enum output_format format)
{
	return format == OUTPUT_JSON || format == OUTPUT_YAML;
}

void output_data(json_t *value, enum output_format format)
{
	if (!value)
		DIE("a value could not be built");
	/* A failed write stays in stdout's error flag, which output_end reads. */
	if (format == OUTPUT_YAML) {
		AUTO_FREE char *text = yaml_write(value, 0);

		fputs(text, stdout);
	} else {
		(void)json_dumpf(value, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(value);
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

char *text_join(char *list, const char *separator, const char *more)
{
	char *longer = xasprintf("%s%s%s", list, *list ? separator : "", more);

	free(list);
	return longer;
}

void complain(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	fprintf(stderr, "heraldctl: %s\n", text_clean(text));
	free(text);
}
