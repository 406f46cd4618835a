// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of label selectors, in the shape of meta/v1 LabelSelector: matchLabels and
 * matchExpressions. What the API server would refuse in one is refused here.
 */
#include "config_read.h"

#include <string.h>

static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
static const struct config_choice_rule operator_rule = {operators};

static const struct config_text_rule key_rule = {config_is_qualified_name,
	"a label's key: \"name\" or \"prefix/name\", the name at most 63 of letters, digits, "
	"'-', '_' and '.'",
	CONFIG_NAME_NONE, NULL};
static const struct config_text_rule value_rule = {config_is_label_value,
	"a label's value: at most 63 of letters, digits, '-', '_' and '.', beginning and ending "
	"with a letter or digit",
	CONFIG_NAME_NONE, NULL};

struct expression {
	const char *key;
	uint32_t operator;
	struct config_string_list values;
};

static const struct config_field expression_fields[] = {
	{"key", config_read_text, offsetof(struct expression, key), &key_rule, true},
	{"operator", config_read_choice, offsetof(struct expression, operator), &operator_rule,
		true},
	{"values", config_read_texts, offsetof(struct expression, values), &value_rule, false},
};
static const struct config_fields expression_table = CONFIG_FIELDS(expression_fields);

static void check_values(struct config_reader *r, const struct yaml_node *node, uint32_t operator)
{
	const struct yaml_node *values = yaml_tree_get(node, "values");
	bool wanted = operator== SELECTOR_IN || operator== SELECTOR_NOT_IN;

	if (config_is_told_of(r, values))
		return;
	if (wanted && !values)
		config_problem(r, node,
			"the field \"values\" is missing: the operator %s needs at least one",
			operators[operator]);
	else if (wanted && values->count == 0)
		config_problem(r, values, "is empty: the operator %s needs at least one value",
			operators[operator]);
	else if (!wanted && values && values->count > 0)
		config_problem(r, values,
			"stands beside the operator %s, which takes none: remove it",
			operators[operator]);
}

static void read_expression(
	struct config_reader *r, const struct yaml_node *node, struct selector_requirement *ret)
{
	struct expression e = {.operator= UINT32_MAX };

	if (!config_read_mapping(r, node, &expression_table, &e) || !e.key ||
		e.operator== UINT32_MAX)
		return;
	check_values(r, node, e.operator);
	ret->key = e.key;
	ret->operator=(enum selector_operator) e.operator;
	ret->values = e.values.items;
	ret->value_count = e.values.count;
}

static void read_label(
	struct config_reader *r, const struct yaml_node *node, struct selector_requirement *ret)
{
	ret->operator= SELECTOR_IN;
	ret->key = arena_strndup(r->memory, node->key->text, node->key->length);
	if (node->key->kind == YAML_TREE_FAULTY)
		ret->key = "";
	else if (strlen(ret->key) != node->key->length || !config_is_qualified_name(ret->key))
		config_problem(r, node, "%s is not %s", config_show(node->key).s, key_rule.what);
	ret->values = arena_alloc(r->memory, 1, sizeof(*ret->values));
	config_read_text(r, node, &ret->values[0], &value_rule);
	if (!ret->values[0])
		ret->values[0] = "";
	ret->value_count = 1;
}

/* Both parts of a selector add to one list of requirements. */
static void grow(struct config_reader *r, struct selector *selector, size_t more)
{
	struct selector_requirement *larger =
		arena_alloc(r->memory, selector->requirement_count + more, sizeof(*larger));

	if (selector->requirement_count)
		memcpy(larger, selector->requirements,
			selector->requirement_count * sizeof(*larger));
	selector->requirements = larger;
}

static void read_match_labels(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct selector *selector = ret;

	(void)rule;
	if (node->kind != YAML_TREE_MAPPING) {
		config_problem(r, node, "is %s where labels are wanted: write \"key: value\"",
			config_show(node).s);
		return;
	}
	grow(r, selector, node->count);
	for (const struct yaml_node *item = node->first; item; item = item->next)
		read_label(r, item, &selector->requirements[selector->requirement_count++]);
}

static void read_match_expressions(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct selector *selector = ret;

	(void)rule;
	if (!config_is_list(r, node, NULL))
		return;
	grow(r, selector, node->count);
	for (const struct yaml_node *item = node->first; item; item = item->next)
		read_expression(r, item, &selector->requirements[selector->requirement_count++]);
}

static const struct config_field selector_fields[] = {
	{"matchLabels", read_match_labels, 0, NULL, false},
	{"matchExpressions", read_match_expressions, 0, NULL, false},
};
static const struct config_fields selector_table = CONFIG_FIELDS(selector_fields);

void config_read_selector(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	(void)rule;
	config_read_mapping(r, node, &selector_table, ret);
}

void config_read_selectors(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct selector_list *list = ret;

	(void)rule;
	if (!config_is_list(r, node, "remove it to select everything"))
		return;
	list->items = arena_alloc(r->memory, node->count, sizeof(*list->items));
	for (const struct yaml_node *item = node->first; item; item = item->next)
		config_read_mapping(r, item, &selector_table, &list->items[list->count++]);
}
