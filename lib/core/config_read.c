// SPDX-License-Identifier: Apache-2.0
/*
 * The readers of plain values that all sections of the configuration use, and the reading
 * of a mapping by a table of its fields. Nodes in, members of a struct out; what is wrong
 * goes to the list of problems, and reading goes on so that one run tells of everything.
 */
#include "config_read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"
#include "herald/base/utf8.h"
#include "herald/core/suggest.h"

static bool is_full(const struct config_reader *r)
{
	return r->problems->count == CONFIG_PROBLEMS_MAX;
}

/* C0, C1 and DEL, line separators, and what turns the direction of writing. */
static bool is_printable(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code < 0xa0) &&
	       !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

/* Problems go to terminals, logs and Events: valid UTF-8, whatever was cut or quoted. */
static void make_printable(char *text)
{
	size_t length = strlen(text), used = 0;

	for (size_t i = 0, size; i < length; i += size) {
		uint32_t code = 0;

		size = utf8_next(text + i, length - i, &code);
		if (size == 0 && length - i < 4)
			break;
		if (size == 0 || !is_printable(code)) {
			size = size ? size : 1;
			text[used++] = '?';
			continue;
		}
		memmove(text + used, text + i, size);
		used += size;
	}
	text[used] = '\0';
}

void config_problem(struct config_reader *r, const struct yaml_node *node, const char *fmt, ...)
{
	struct config_problems *problems = r->problems;
	struct config_problem *problem;
	va_list args;

	if (is_full(r)) {
		problems->omitted++;
		return;
	}
	if (!problems->items)
		problems->items = xcalloc(CONFIG_PROBLEMS_MAX, sizeof(*problems->items));
	problem = &problems->items[problems->count++];
	problem->line = node->line;
	problem->column = node->column;
	yaml_tree_path(node, problem->field, sizeof(problem->field));
	va_start(args, fmt);
	vsnprintf(problem->text, sizeof(problem->text), fmt, args);
	va_end(args);
	make_printable(problem->field);
	make_printable(problem->text);
}

bool config_is_told_of(const struct config_reader *r, const struct yaml_node *node)
{
	for (size_t i = 0; node && i < r->problems->count; i++) {
		if (r->problems->items[i].line == node->line &&
			r->problems->items[i].column == node->column)
			return true;
	}
	return node && (node->kind == YAML_TREE_FAULTY || is_full(r));
}

/* Cut at the start of a UTF-8 character, so that messages stay valid text. */
struct config_shown config_show(const struct yaml_node *node)
{
	struct config_shown shown = {"a list"};
	size_t n = 0, i = 0;

	if (node->kind == YAML_TREE_MAPPING)
		return (struct config_shown){"a mapping"};
	if (node->kind != YAML_TREE_SCALAR)
		return shown;
	if (node->length == 0 && node->style == YAML_TREE_PLAIN)
		return (struct config_shown){"nothing"};
	shown.s[n++] = '"';
	for (; i < node->length && n < sizeof(shown.s) - 5; i++) {
		char c = node->text[i];

		shown.s[n++] = iscntrl((unsigned char)c) ? '?' : c;
	}
	if (i < node->length) {
		while (n > 1 && ((unsigned char)node->text[i] & 0xc0) == 0x80) {
			i--;
			n--;
		}
		memcpy(shown.s + n, "...", 3);
		n += 3;
	}
	shown.s[n++] = '"';
	shown.s[n] = '\0';
	return shown;
}

static const struct config_field *find_field(
	const struct config_fields *fields, const struct yaml_node *key)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (strlen(fields->items[i].key) == key->length &&
			memcmp(fields->items[i].key, key->text, key->length) == 0)
			return &fields->items[i];
	}
	return NULL;
}

static void tell_unknown_key(
	struct config_reader *r, const struct yaml_node *node, const struct config_fields *fields)
{
	struct suggestion suggestion = {.word = node->key->text};
	/* The place is the key's, the path that of its value. */
	struct yaml_node at = *node;
	char known[512] = "";
	size_t used = 0;

	at.line = node->key->line;
	at.column = node->key->column;
	if (is_full(r)) {
		config_problem(r, &at, "is not known");
		return;
	}
	if (strlen(node->key->text) != node->key->length) {
		config_problem(r, &at, "the key holds a NUL character: remove it");
		return;
	}
	for (size_t i = 0; i < fields->count; i++) {
		suggest_offer(&suggestion, fields->items[i].key);
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
				i ? ", " : "", fields->items[i].key);
	}
	if (suggestion.best)
		config_problem(
			r, &at, "there is no such field: did you mean \"%s\"?", suggestion.best);
	else
		config_problem(
			r, &at, "there is no such field: remove it, or use one of %s", known);
}

bool config_read_mapping(struct config_reader *r, const struct yaml_node *node,
	const struct config_fields *fields, void *object)
{
	if (node->kind == YAML_TREE_FAULTY)
		return false;
	if (node->kind != YAML_TREE_MAPPING) {
		config_problem(r, node, "is %s where fields are wanted: write \"%s: ...\"",
			config_show(node).s, fields->items[0].key);
		return false;
	}
	for (const struct yaml_node *value = node->first; value; value = value->next) {
		if (value->key->kind != YAML_TREE_FAULTY && !find_field(fields, value->key))
			tell_unknown_key(r, value, fields);
	}
	for (size_t i = 0; i < fields->count; i++) {
		const struct config_field *field = &fields->items[i];
		const struct yaml_node *value = yaml_tree_get(node, field->key);

		if (value && value->kind != YAML_TREE_FAULTY)
			field->read(r, value, (char *)object + field->offset, field->rule);
		else if (!value && field->required)
			config_problem(r, node, "the field \"%s\" is missing: add it", field->key);
	}
	return true;
}

void config_read_section(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	config_read_mapping(r, node, rule, ret);
}

bool config_is_list(struct config_reader *r, const struct yaml_node *node, const char *empty)
{
	if (node->kind == YAML_TREE_FAULTY)
		return false;
	if (node->kind != YAML_TREE_SEQUENCE) {
		config_problem(r, node,
			"is %s where a list is wanted: write \"[...]\", or each "
			"item on its own line after \"- \"",
			config_show(node).s);
		return false;
	}
	if (node->count == 0 && empty) {
		config_problem(r, node, "is an empty list: %s", empty);
		return false;
	}
	return true;
}

void config_read_bool(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	bool *value = ret;

	(void)rule;
	if (node->kind == YAML_TREE_SCALAR && node->style == YAML_TREE_PLAIN) {
		if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
			*value = node->text[0] == 't';
			return;
		}
	}
	config_problem(r, node, "is %s%s: write true or false, without quotes", config_show(node).s,
		node->style == YAML_TREE_QUOTED ? " in quotes" : "");
}

static bool read_number(struct config_reader *r, const struct yaml_node *node,
	const struct config_number_rule *rule, int64_t *ret)
{
	const char *digits = node->text + (node->text[0] == '-');
	char *end = NULL;
	long long value = 0;

	errno = 0;
	if (node->kind == YAML_TREE_SCALAR && isdigit((unsigned char)*digits))
		value = strtoll(node->text, &end, 10);
	if (!end || end != node->text + node->length || node->style != YAML_TREE_PLAIN ||
		(digits[0] == '0' && digits[1])) {
		config_problem(r, node,
			"is %s where a whole number is wanted: write one from %" PRId64
			" to %" PRId64 ", without quotes",
			config_show(node).s, rule->min, rule->max);
		return false;
	}
	if (errno == ERANGE || value < rule->min || value > rule->max) {
		config_problem(r, node,
			"is %s, out of bounds%s%s: write a number from %" PRId64 " to %" PRId64,
			config_show(node).s, rule->why ? ", since " : "",
			rule->why ? rule->why : "", rule->min, rule->max);
		return false;
	}
	*ret = value;
	return true;
}

void config_read_u32(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	uint32_t *out = ret;
	int64_t value;

	if (read_number(r, node, rule, &value))
		*out = (uint32_t)value;
}

void config_read_i32(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	int32_t *out = ret;
	int64_t value;

	if (read_number(r, node, rule, &value))
		*out = (int32_t)value;
}

/* "200ms" to milliseconds, saturating; false when it is no duration. */
static bool parse_duration(const char *text, size_t length, uint64_t *ret_ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};
	char *end;
	unsigned long long number;

	if (!isdigit((unsigned char)text[0]) || strlen(text) != length)
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno == ERANGE || number > UINT32_MAX)
		number = UINT32_MAX;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) == 0) {
			*ret_ms = number * units[i].ms;
			return true;
		}
	}
	return false;
}

struct duration_text {
	char s[32];
};

static struct duration_text show_duration(uint64_t ms)
{
	struct duration_text text;

	if (ms % 3600000 == 0 && ms)
		snprintf(text.s, sizeof(text.s), "%" PRIu64 "h", ms / 3600000);
	else if (ms % 60000 == 0 && ms)
		snprintf(text.s, sizeof(text.s), "%" PRIu64 "m", ms / 60000);
	else if (ms % 1000 == 0)
		snprintf(text.s, sizeof(text.s), "%" PRIu64 "s", ms / 1000);
	else
		snprintf(text.s, sizeof(text.s), "%" PRIu64 "ms", ms);
	return text;
}

void config_read_duration(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const struct config_duration_rule *bounds = rule;
	uint32_t *out = ret;
	uint64_t ms;

	if (node->kind != YAML_TREE_SCALAR || !parse_duration(node->text, node->length, &ms)) {
		config_problem(r, node,
			"is %s, which is no duration: write a whole number with its unit (ms, s, m "
			"or h), for instance \"%s\"",
			config_show(node).s, show_duration(bounds->min_ms).s);
		return;
	}
	if (!(bounds->zero && ms == 0) && (ms < bounds->min_ms || ms > bounds->max_ms)) {
		config_problem(r, node, "is %s, out of bounds%s%s: write %s%s to %s",
			config_show(node).s, bounds->why ? ", since " : "",
			bounds->why ? bounds->why : "", bounds->zero ? "0s, or " : "",
			show_duration(bounds->min_ms).s, show_duration(bounds->max_ms).s);
		return;
	}
	if (ms % bounds->unit_ms != 0) {
		config_problem(r, node,
			"is %s, but only whole seconds are possible here: write "
			"\"%" PRIu64 "s\"",
			config_show(node).s, ms / 1000 + 1);
		return;
	}
	*out = (uint32_t)(ms / bounds->unit_ms);
}

void config_read_choice(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const struct config_choice_rule *choice = rule;
	struct suggestion suggestion = {.word = node->text};
	char names[160] = "";
	uint32_t *out = ret;
	size_t used = 0;

	for (uint32_t i = 0; choice->names[i]; i++) {
		if (node->kind == YAML_TREE_SCALAR && strcmp(node->text, choice->names[i]) == 0 &&
			strlen(node->text) == node->length) {
			*out = i;
			return;
		}
		suggest_offer(&suggestion, choice->names[i]);
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
				i ? " or " : "", choice->names[i]);
	}
	if (suggestion.best)
		config_problem(r, node, "is %s: did you mean \"%s\"? It can be %s",
			config_show(node).s, suggestion.best, names);
	else
		config_problem(r, node, "is %s: write %s", config_show(node).s, names);
}

void config_read_choice_bool(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	bool *out = ret;
	uint32_t index = *out;

	config_read_choice(r, node, &index, rule);
	*out = index == 1;
}

void config_read_ip(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char *text = config_text(r, node);
	struct ip ip;

	(void)rule;
	if (!text)
		return;
	if (!ip_parse(text, &ip)) {
		config_problem(r, node,
			"is %s, which is no IPv4 or IPv6 address: write one such as 192.0.2.1 or "
			"2001:db8::1",
			config_show(node).s);
		return;
	}
	memcpy(ret, &ip, sizeof(ip));
}
