// SPDX-License-Identifier: Apache-2.0
/*
 * What holds between the resources. Names become such as Herald takes, references follow
 * them, pools selected by label are named, and MetalLB's order of pools becomes
 * priorities: those with serviceAllocation by their priority (none: last among them),
 * then the others.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "import.h"

#define NAME_MAX_LENGTH 63

static const char *const well_known[] = {"no-export", "no-advertise", "no-export-subconfed",
	"no-peer", "blackhole", "graceful-shutdown"};

static bool is_well_known(const char *name)
{
	for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++) {
		if (strcmp(well_known[i], name) == 0)
			return true;
	}
	return false;
}

static const char *new_name(const struct import_item *item)
{
	const char *name = json_string_value(json_object_get(item->value, "name"));

	return name ? name : "";
}

static struct import_item *find(struct import_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->items[i]->dropped && strcmp(list->items[i]->name, name) == 0)
			return list->items[i];
	}
	return NULL;
}

/* ---- names ---- */

static void make_label(const char *name, char label[static NAME_MAX_LENGTH + 1])
{
	size_t n = 0;

	for (; *name && n < NAME_MAX_LENGTH; name++) {
		char c = (char)tolower((unsigned char)*name);

		if (!isalnum((unsigned char)c) || (unsigned char)c > 127)
			c = '-';
		if (n > 0 || c != '-')
			label[n++] = c;
	}
	while (n > 0 && label[n - 1] == '-')
		n--;
	label[n] = '\0';
}

static bool is_taken(const struct import_list *list, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++) {
		if (!list->items[i]->dropped && strcmp(new_name(list->items[i]), name) == 0)
			return true;
	}
	return false;
}

/* A name that Herald takes and no item before has. */
static void rename_item(
	struct import_list *list, size_t index, enum import_section section, const char *fallback)
{
	struct import_item *item = list->items[index];
	char label[NAME_MAX_LENGTH + 1], name[NAME_MAX_LENGTH + 24];

	make_label(item->name, label);
	if (!*label)
		snprintf(label, sizeof(label), "%s", fallback);
	snprintf(name, sizeof(name), "%s", label);
	if (section == IMPORT_COMMUNITIES && is_well_known(label))
		snprintf(name, sizeof(name), "%s-community", label);
	for (unsigned i = 2; is_taken(list, index, name); i++)
		snprintf(name, sizeof(name), "%.55s-%u", label, i);
	json_object_set_new(item->value, "name", json_string(name));
}

static void name_section(struct import *import, enum import_section section, const char *fallback)
{
	struct import_list *list = &import->sections[section];

	for (size_t i = 0; i < list->count; i++) {
		struct import_item *item = list->items[i];
		const struct import_item *first = find(list, item->name);

		if (item == import->old_layer2)
			continue;
		if (first != item && !item->named_here) {
			import_item_left_out(import, item,
				"\"%s\" is given twice, first in %s on line %u: that one is taken",
				item->name, first->origin.file, first->origin.line);
			item->dropped = true;
			continue;
		}
		rename_item(list, i, section, fallback);
		if (item->named_here)
			continue;
		if (section == IMPORT_POOLS && strcmp(item->name, new_name(item)) != 0)
			import_item_left_out(import, item,
				"the name \"%s\", which can't be a pool's here; it is called "
				"\"%s\": change the annotation of the Services that ask for it",
				item->name, new_name(item));
		else if (strcmp(item->name, new_name(item)) != 0)
			import_item_note(import, item, "\"%s\" is called \"%s\" here", item->name,
				new_name(item));
	}
}

/* ---- references ---- */

/* The names in value[key] become the new ones; false: none of them is left. */
static bool follow(struct import *import, struct import_item *item, const char *key,
	enum import_section section)
{
	json_t *names = json_object_get(item->value, key), *kept = json_array(), *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const struct import_item *found =
			find(&import->sections[section], json_string_value(name));

		if (found)
			json_array_append_new(kept, json_string(new_name(found)));
		else
			import_item_left_out(import, item, "%s: there is no \"%s\"", key,
				json_string_value(name));
	}
	if (names)
		json_object_set(item->value, key, kept);
	i = json_array_size(kept);
	json_decref(kept);
	return !names || i > 0;
}

static bool has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

/* A requirement of a label selector (meta/v1 LabelSelectorRequirement). */
static bool meets(const json_t *expression, const json_t *labels)
{
	const char *key = json_string_value(json_object_get(expression, "key"));
	const char *operator= json_string_value(json_object_get(expression, "operator"));
	const char *value = json_string_value(json_object_get(labels, key));
	bool among = value && has(json_object_get(expression, "values"), value);

	if (strcmp(operator, "In") == 0)
		return among;
	if (strcmp(operator, "NotIn") == 0)
		return !among;
	return strcmp(operator, "Exists") == 0 ? value != NULL : value == NULL;
}

static bool selects(json_t *selector, const json_t *labels)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach (json_object_get(selector, "matchLabels"), key, value) {
		const char *has_it = json_string_value(json_object_get(labels, key));

		if (!has_it || strcmp(has_it, json_string_value(value)) != 0)
			return false;
	}
	json_array_foreach (json_object_get(selector, "matchExpressions"), i, value) {
		if (!meets(value, labels))
			return false;
	}
	return true;
}

static void name_selected_pools(struct import *import, struct import_item *item)
{
	json_t *pools = json_object_get(item->value, "pools"), *selector;
	size_t i, added = 0;

	if (!item->pool_selectors)
		return;
	if (!pools) {
		pools = json_array();
		json_object_set_new(item->value, "pools", pools);
	}
	for (size_t k = 0; k < import->sections[IMPORT_POOLS].count; k++) {
		const struct import_item *pool = import->sections[IMPORT_POOLS].items[k];

		json_array_foreach (item->pool_selectors, i, selector) {
			if (pool->dropped || has(pools, pool->name) ||
				!selects(selector, pool->labels))
				continue;
			json_array_append_new(pools, json_string(pool->name));
			added++;
		}
	}
	import_item_note(import, item,
		"ipAddressPoolSelectors: pools have no labels here; the %zu that they select now "
		"are named",
		added);
}

/* An advertisement of named things of which none is there announces nothing. */
static void link_advertisement(
	struct import *import, struct import_item *item, enum import_section section)
{
	name_selected_pools(import, item);
	if (!follow(import, item, "pools", IMPORT_POOLS) ||
		(section == IMPORT_ADVERTISEMENTS &&
			!follow(import, item, "peers", IMPORT_PEERS))) {
		import_item_left_out(import, item,
			"all of it: none of the pools or peers that it names is there");
		item->dropped = true;
	}
}

static void link_communities(struct import *import, struct import_item *item)
{
	json_t *names = json_object_get(item->value, "communities"), *kept = json_array(), *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);
		const struct import_item *found = find(&import->sections[IMPORT_COMMUNITIES], text);
		const char *written = found ? new_name(found) : text;

		if (!found && !strchr(text, ':') && !is_well_known(text))
			import_item_left_out(import, item, "communities: there is no \"%s\"", text);
		else if (!has(kept, written))
			json_array_append_new(kept, json_string(written));
	}
	if (json_array_size(kept) > 0)
		json_object_set(item->value, "communities", kept);
	else
		json_object_del(item->value, "communities");
	json_decref(kept);
}

static void link_profile(struct import *import, struct import_item *peer)
{
	const char *name = json_string_value(json_object_get(peer->value, "bfdProfile"));
	const struct import_item *found =
		name ? find(&import->sections[IMPORT_BFD_PROFILES], name) : NULL;

	if (found) {
		json_object_set_new(peer->value, "bfdProfile", json_string(new_name(found)));
	} else if (name) {
		import_item_left_out(import, peer, "bfdProfile: there is no \"%s\"", name);
		json_object_del(peer->value, "bfdProfile");
	}
}

/* ---- priorities ---- */

static void set_priorities(struct import_list *pools)
{
	json_int_t last = 0;
	bool pinned = false;

	for (size_t i = 0; i < pools->count; i++) {
		json_int_t priority =
			json_integer_value(json_object_get(pools->items[i]->value, "priority"));

		pinned |= pools->items[i]->pinned;
		last = priority > last ? priority : last;
	}
	for (size_t i = 0; pinned && i < pools->count; i++) {
		struct import_item *pool = pools->items[i];

		if (!json_object_get(pool->value, "priority"))
			json_object_set_new(pool->value, "priority",
				json_integer(pool->pinned ? last + 1 : last + 2));
	}
}

void import_link(struct import *import)
{
	static const char *const fallbacks[] = {
		"pool", "advertisement", "profile", "community", "peer", "advertisement"};
	struct import_list *sections = import->sections;

	for (int section = 0; section < IMPORT_SECTIONS; section++)
		name_section(import, (enum import_section)section, fallbacks[section]);
	set_priorities(&sections[IMPORT_POOLS]);
	for (size_t i = 0; i < sections[IMPORT_LAYER2].count; i++)
		link_advertisement(import, sections[IMPORT_LAYER2].items[i], IMPORT_LAYER2);
	for (size_t i = 0; i < sections[IMPORT_ADVERTISEMENTS].count; i++) {
		struct import_item *item = sections[IMPORT_ADVERTISEMENTS].items[i];

		link_advertisement(import, item, IMPORT_ADVERTISEMENTS);
		link_communities(import, item);
	}
	for (size_t i = 0; i < sections[IMPORT_PEERS].count; i++)
		link_profile(import, sections[IMPORT_PEERS].items[i]);
}
