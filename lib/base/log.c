// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines, logfmt or JSON: time (RFC 3339, UTC, milliseconds), level, area, msg, then
 * the caller's fields. A line is built in memory and written with one call, so that lines
 * of several programs do not mix. Values are hostile: whatever could end a line, a quote
 * or a terminal's good behaviour is escaped, and long ones are cut.
 */
#include "herald/base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/base/utf8.h"

#define VALUE_MAX 4096 /* bytes of one value that are written */

struct log {
	FILE *out;
	enum log_format format;
	enum log_level level;
	char *area;
};

struct line {
	char *text;
	size_t length, room;
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};

struct log *log_new(FILE *out, enum log_format format, enum log_level level, const char *area)
{
	struct log *log = xcalloc(1, sizeof(*log));

	log->out = out;
	log->format = format;
	log->level = level;
	log->area = xstrdup(area);
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	free(log->area);
	free(log);
}

struct log *log_area(const struct log *log, const char *area)
{
	return log_new(log->out, log->format, log->level, area);
}

static void put_bytes(struct line *line, const char *bytes, size_t count)
{
	if (line->length + count > line->room) {
		line->room = 2 * (line->length + count);
		line->text = xrealloc(line->text, line->room, 1);
	}
	memcpy(line->text + line->length, bytes, count);
	line->length += count;
}

static void put(struct line *line, const char *text)
{
	put_bytes(line, text, strlen(text));
}

/* Control characters (C0, DEL, C1), line separators and bidirectional overrides. */
static bool is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static void put_escape(struct line *line, uint32_t code)
{
	char escape[8];

	if (code == '"' || code == '\\')
		snprintf(escape, sizeof(escape), "\\%c", (char)code);
	else if (code == '\n')
		snprintf(escape, sizeof(escape), "\\n");
	else if (code == '\t')
		snprintf(escape, sizeof(escape), "\\t");
	else
		snprintf(escape, sizeof(escape), "\\u%04x", code & 0xffffu);
	put(line, escape);
}

/* As both JSON and Go's quoted strings read it; a byte that is not UTF-8 is U+FFFD. */
static void put_quoted(struct line *line, const char *value)
{
	size_t whole = strnlen(value, VALUE_MAX + 1);
	size_t length = whole > VALUE_MAX ? VALUE_MAX : whole;

	put(line, "\"");
	for (size_t i = 0; i < length;) {
		uint32_t code;
		size_t size = utf8_next(value + i, length - i, &code);

		if (size == 0)
			put_escape(line, 0xfffd);
		else if (is_unsafe(code) || code == '"' || code == '\\')
			put_escape(line, code);
		else
			put_bytes(line, value + i, size);
		i += size ? size : 1;
	}
	put(line, whole > VALUE_MAX ? "...\"" : "\"");
}

static bool is_bare(const char *value)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.:/@+,%*[]";
	size_t length = strspn(value, bare);

	return length > 0 && value[length] == '\0' && length <= VALUE_MAX;
}

static void put_field(struct line *line, enum log_format format, const char *key, const char *value)
{
	bool is_first = line->length == 0;

	if (!value)
		value = "";
	if (format == LOG_FORMAT_JSON) {
		put(line, is_first ? "{" : ",");
		put_quoted(line, key);
		put(line, ":");
		put_quoted(line, value);
		return;
	}
	if (!is_first)
		put(line, " ");
	put(line, key);
	put(line, "=");
	if (is_bare(value))
		put(line, value);
	else
		put_quoted(line, value);
}

static void put_time(struct line *line, enum log_format format)
{
	struct timespec now;
	struct tm utc;
	char seconds[32], text[48];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
	put_field(line, format, "time", text);
}

void log_at(struct log *log, enum log_level level, const char *message, ...)
{
	struct line line = {0};
	const char *key;
	va_list fields;

	if (level < log->level)
		return;
	put_time(&line, log->format);
	put_field(&line, log->format, "level", level_names[level]);
	put_field(&line, log->format, "area", log->area);
	put_field(&line, log->format, "msg", message);
	va_start(fields, message);
	while ((key = va_arg(fields, const char *)))
		put_field(&line, log->format, key, va_arg(fields, const char *));
	va_end(fields);
	put(&line, log->format == LOG_FORMAT_JSON ? "}\n" : "\n");
	/* Nobody is left to be told when the log itself cannot be written. */
	fwrite(line.text, 1, line.length, log->out);
	fflush(log->out);
	free(line.text);
}

static int index_of(const char *const *names, int count, const char *text)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], text) == 0)
			return i;
	}
	return -1;
}

bool log_level_parse(const char *text, enum log_level *ret)
{
	int i = index_of(level_names, LOG_LEVEL_ERROR + 1, text);

	if (i < 0)
		return false;
	*ret = (enum log_level)i;
	return true;
}

bool log_format_parse(const char *text, enum log_format *ret)
{
	int i = index_of(format_names, LOG_FORMAT_JSON + 1, text);

	if (i < 0)
		return false;
	*ret = (enum log_format)i;
	return true;
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ns, uint64_t *ret_suppressed)
{
	uint64_t interval_ns = (uint64_t)limit->interval_ms * 1000000u;

	if (limit->used == 0 || now_ns - limit->window_start_ns >= interval_ns) {
		limit->window_start_ns = now_ns;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		limit->suppressed++;
		return false;
	}
	limit->used++;
	*ret_suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
}
