// SPDX-License-Identifier: Apache-2.0
/*
 * Names in the configuration: each kind is defined once, and every reference must find
 * its definition, wherever in the text the two stand. Sorted, so that 10,000 pools and as
 * many references cost no square.
 */
#include "config_read.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/suggest.h"

struct name_list {
	const struct yaml_node **items;
	size_t count, capacity;
};

struct config_names {
	struct name_list defined[CONFIG_NAME_KINDS];
	struct name_list referred[CONFIG_NAME_KINDS];
};

static const char *const kind_names[CONFIG_NAME_KINDS] = {
	[CONFIG_NAME_POOL] = "pool",
	[CONFIG_NAME_LAYER2] = "layer2 rule",
	[CONFIG_NAME_BFD_PROFILE] = "BFD profile",
	[CONFIG_NAME_COMMUNITY] = "community",
	[CONFIG_NAME_PEER] = "BGP peer",
	[CONFIG_NAME_ADVERTISEMENT] = "BGP advertisement",
};

struct config_names *config_names_new(void)
{
	return xcalloc(1, sizeof(struct config_names));
}

void config_names_free(struct config_names *names)
{
	for (size_t kind = 0; kind < CONFIG_NAME_KINDS; kind++) {
		free(names->defined[kind].items);
		free(names->referred[kind].items);
	}
	free(names);
}

static void add(struct name_list *list, const struct yaml_node *node)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->items =
			xrealloc(list->items, list->capacity, sizeof(const struct yaml_node *));
	}
	list->items[list->count++] = node;
}

void config_names_define(
	struct config_names *names, enum config_name_kind kind, const struct yaml_node *node)
{
	add(&names->defined[kind], node);
}

void config_names_refer(
	struct config_names *names, enum config_name_kind kind, const struct yaml_node *node)
{
	add(&names->referred[kind], node);
}

static int compare_by_text(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

static int compare_by_text_and_place(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;
	int order = compare_by_text(a, b);

	if (order != 0)
		return order;
	if ((*x)->line != (*y)->line)
		return (*x)->line < (*y)->line ? -1 : 1;
	return (*x)->column < (*y)->column ? -1 : (*x)->column > (*y)->column;
}

static void refuse_doubles(struct config_reader *r, const struct name_list *list, const char *kind)
{
	for (size_t i = 1, first = 0; i < list->count; i++) {
		if (strcmp(list->items[first]->text, list->items[i]->text) != 0) {
			first = i;
			continue;
		}
		config_problem(r, list->items[i],
			"the %s %s is defined twice, first on line %u: rename one", kind,
			config_show(list->items[i]).s, list->items[first]->line);
	}
}

static void tell_unknown(struct config_reader *r, const struct yaml_node *node,
	const struct name_list *defined, const char *kind)
{
	struct suggestion suggestion = {.word = node->text};

	for (size_t i = 0; i < defined->count && r->problems->count < CONFIG_PROBLEMS_MAX; i++)
		suggest_offer(&suggestion, defined->items[i]->text);
	if (suggestion.best)
		config_problem(r, node, "there is no %s %s: did you mean \"%s\"?", kind,
			config_show(node).s, suggestion.best);
	else
		config_problem(r, node, "there is no %s %s: define it, or remove it here", kind,
			config_show(node).s);
}

static void check_kind(struct config_reader *r, enum config_name_kind kind)
{
	struct name_list *defined = &r->names->defined[kind];
	const struct name_list *referred = &r->names->referred[kind];

	if (defined->count)
		qsort(defined->items, defined->count, sizeof(*defined->items),
			compare_by_text_and_place);
	refuse_doubles(r, defined, kind_names[kind]);
	for (size_t i = 0; i < referred->count; i++) {
		const struct yaml_node *node = referred->items[i];

		if (!defined->count || !bsearch(&node, defined->items, defined->count,
					       sizeof(*defined->items), compare_by_text))
			tell_unknown(r, node, defined, kind_names[kind]);
	}
}

void config_names_check(struct config_reader *r)
{
	for (int kind = 0; kind < CONFIG_NAME_KINDS; kind++)
		check_kind(r, (enum config_name_kind)kind);
}
