// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_SELECTOR_H
#define HERALD_CORE_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/core/objects.h"

/*
 * Label selectors (meta/v1 LabelSelector): matchLabels and matchExpressions with In,
 * NotIn, Exists, DoesNotExist; all requirements must hold. matchLabels is kept as In
 * with one value.
 */
enum selector_operator { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };

struct selector_requirement {
	const char *key;
	enum selector_operator operator;
	const char **values;
	size_t value_count;
};

struct selector {
	struct selector_requirement *requirements; /* none: matches everything */
	size_t requirement_count;
};

/* Alternatives: matches when any does; an empty list matches everything. */
struct selector_list {
	struct selector *items;
	size_t count;
};

bool selector_matches(const struct selector *selector, const struct string_map *labels);
bool selector_list_matches(const struct selector_list *list, const struct string_map *labels);

#endif
