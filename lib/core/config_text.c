// SPDX-License-Identifier: Apache-2.0
/*
 * Text in the configuration: what a name of each kind may look like (Kubernetes' rules,
 * apimachinery's validation of labels, and the kernel's for interfaces), and the readers
 * of one text, of a list of them, and of a name that others refer to.
 */
#include "config_read.h"

#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_label(const char *text, size_t length)
{
	if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_lower_or_digit(text[i]) && text[i] != '-')
			return false;
	}
	return true;
}

bool config_is_dns_label(const char *text)
{
	return is_label(text, strlen(text));
}

static bool is_subdomain(const char *text, size_t length)
{
	if (length > 253)
		return false;
	for (size_t begin = 0, i = 0; i <= length; i++) {
		if (i < length && text[i] != '.')
			continue;
		if (!is_label(text + begin, i - begin))
			return false;
		begin = i + 1;
	}
	return true;
}

bool config_is_dns_subdomain(const char *text)
{
	return is_subdomain(text, strlen(text));
}

static bool is_name_part(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > 63 || !is_alphanumeric(text[0]) ||
		!is_alphanumeric(text[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_alphanumeric(text[i]) && !strchr("-_.", text[i]))
			return false;
	}
	return true;
}

bool config_is_qualified_name(const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash)
		return is_name_part(text);
	return is_subdomain(text, (size_t)(slash - text)) && is_name_part(slash + 1);
}

bool config_is_label_value(const char *text)
{
	return text[0] == '\0' || is_name_part(text);
}

static bool has_only_name_characters(const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '/' || !isgraph((unsigned char)text[i]))
			return false;
	}
	return strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* The kernel allows more; but "eth*" is meant as a pattern, and quotes as no one's name. */
bool config_is_interface(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length < IF_NAMESIZE && has_only_name_characters(text) &&
	       !strpbrk(text, "*?[]\"'\\");
}

bool config_is_interface_pattern(const char *text)
{
	if (!strpbrk(text, "*?["))
		return config_is_interface(text);
	return strlen(text) <= 63 && has_only_name_characters(text);
}

/* What YAML's core schema makes of plain text, when that is not a string. */
const char *config_other_type(const struct yaml_node *node)
{
	static const char *const words[][2] = {{"", "nothing"}, {"~", "nothing"},
		{"null", "nothing"}, {"Null", "nothing"}, {"NULL", "nothing"},
		{"true", "a boolean"}, {"True", "a boolean"}, {"TRUE", "a boolean"},
		{"false", "a boolean"}, {"False", "a boolean"}, {"FALSE", "a boolean"}};
	char *end;

	if (node->style != YAML_TREE_PLAIN)
		return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(node->text, words[i][0]) == 0)
			return words[i][1];
	}
	if (strspn(node->text, "+-.0123456789eExXoabcdefABCDEF") != node->length ||
		!strpbrk(node->text, "0123456789"))
		return NULL;
	strtod(node->text, &end);
	return *end == '\0' ? "a number" : NULL;
}

const char *config_text(struct config_reader *r, const struct yaml_node *node)
{
	const char *other;

	if (node->kind == YAML_TREE_FAULTY)
		return NULL;
	if (node->kind != YAML_TREE_SCALAR) {
		config_problem(r, node, "is %s where text is wanted: write one value",
			config_show(node).s);
		return NULL;
	}
	if (strlen(node->text) != node->length) {
		config_problem(r, node, "holds a NUL character: remove it");
		return NULL;
	}
	other = config_other_type(node);
	if (other && node->length == 0) {
		config_problem(r, node, "has no value: give it one, or remove it");
		return NULL;
	}
	if (other) {
		config_problem(r, node, "is %s, which YAML takes for %s: put it in quotes",
			config_show(node).s, other);
		return NULL;
	}
	return node->text;
}

/* In the config's memory, or NULL with the problem told. */
static const char *read_checked(
	struct config_reader *r, const struct yaml_node *node, const struct config_text_rule *rule)
{
	const char *text = config_text(r, node);

	if (!text)
		return NULL;
	if (!rule->holds(text)) {
		config_problem(r, node, "is %s, which is not %s", config_show(node).s, rule->what);
		return NULL;
	}
	return arena_strndup(r->memory, text, node->length);
}

void config_read_text(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const struct config_text_rule *text_rule = rule;
	const char *text = read_checked(r, node, text_rule);
	const char **out = ret;

	if (!text)
		return;
	*out = text;
	if (text_rule->kind != CONFIG_NAME_NONE)
		config_names_refer(r->names, (enum config_name_kind)text_rule->kind, node);
}

void config_read_name(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const struct config_text_rule *text_rule = rule;
	const char *text = read_checked(r, node, text_rule);
	const char **out = ret;

	if (!text)
		return;
	*out = text;
	config_names_define(r->names, (enum config_name_kind)text_rule->kind, node);
}

static int compare_texts(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;
	int order = strcmp((*x)->text, (*y)->text);

	if (order != 0)
		return order;
	return (*x)->index < (*y)->index ? -1 : (*x)->index > (*y)->index;
}

static void refuse_doubles(struct config_reader *r, const struct yaml_node **items, size_t count)
{
	if (count < 2)
		return;
	qsort(items, count, sizeof(*items), compare_texts);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(items[i - 1]->text, items[i]->text) == 0)
			config_problem(r, items[i], "%s stands twice in the list: remove one",
				config_show(items[i]).s);
	}
}

void config_read_texts(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const struct config_text_rule *text_rule = rule;
	struct config_string_list *list = ret;
	const struct yaml_node **good;
	size_t n = 0;

	if (!config_is_list(r, node, text_rule->empty))
		return;
	list->items = arena_alloc(r->memory, node->count, sizeof(*list->items));
	good = arena_alloc(r->memory, node->count, sizeof(struct yaml_node *));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		const char *text = read_checked(r, item, text_rule);

		if (!text)
			continue;
		good[n] = item;
		list->items[n++] = text;
		if (text_rule->kind != CONFIG_NAME_NONE)
			config_names_refer(r->names, (enum config_name_kind)text_rule->kind, item);
	}
	list->count = n;
	refuse_doubles(r, good, n);
}
