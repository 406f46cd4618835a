// SPDX-License-Identifier: Apache-2.0
/*
 * Label selectors: does a set of labels satisfy one, with the meaning that the API server
 * gives to meta/v1 LabelSelector. A key that is absent satisfies NotIn and DoesNotExist.
 * Selectors are read from text by core/config_selector.
 */
#include "herald/core/selector.h"

#include <string.h>

static bool is_among(const struct selector_requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->value_count; i++) {
		if (strcmp(requirement->values[i], value) == 0)
			return true;
	}
	return false;
}

static bool requirement_holds(
	const struct selector_requirement *requirement, const struct string_map *labels)
{
	const char *value = string_map_get(labels, requirement->key);

	switch (requirement->operator) {
	case SELECTOR_IN:
		return value && is_among(requirement, value);
	case SELECTOR_NOT_IN:
		return !value || !is_among(requirement, value);
	case SELECTOR_EXISTS:
		return value != NULL;
	case SELECTOR_DOES_NOT_EXIST:
		return value == NULL;
	}
	return false;
}

bool selector_matches(const struct selector *selector, const struct string_map *labels)
{
	for (size_t i = 0; i < selector->requirement_count; i++) {
		if (!requirement_holds(&selector->requirements[i], labels))
			return false;
	}
	return true;
}

bool selector_list_matches(const struct selector_list *list, const struct string_map *labels)
{
	if (list->count == 0)
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (selector_matches(&list->items[i], labels))
			return true;
	}
	return false;
}
