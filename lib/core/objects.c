// SPDX-License-Identifier: Apache-2.0
/*
 * The questions that the reduced Kubernetes objects answer about themselves. Values in,
 * values out: how the objects are made is kube/decode's business, what follows from the
 * answers is the allocator's and the plan's.
 */
#include "herald/core/objects.h"

#include <string.h>

#define EXCLUDE_LABEL "node.kubernetes.io/exclude-from-external-load-balancers"
#define DRAIN_LABEL "herald.io/drain"

const char *string_map_get(const struct string_map *map, const char *key)
{
	uint32_t low = 0, high = map->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(key, map->pairs[middle].key);

		if (order == 0)
			return map->pairs[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The spellings of false that Go's strconv.ParseBool knows, which Kubernetes uses here. */
static bool is_boolean_false(const char *text)
{
	static const char *const spellings[] = {"0", "f", "F", "false", "False", "FALSE"};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (strcmp(text, spellings[i]) == 0)
			return true;
	}
	return false;
}

static bool has_label(const struct node *node, const char *key)
{
	const char *value = string_map_get(&node->labels, key);

	return value && !is_boolean_false(value);
}

bool node_is_excluded_from_load_balancers(const struct node *node)
{
	return has_label(node, EXCLUDE_LABEL);
}

bool node_is_drained(const struct node *node)
{
	return has_label(node, DRAIN_LABEL);
}
