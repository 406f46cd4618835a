// SPDX-License-Identifier: Apache-2.0
/*
 * The items as one document of Herald's, and the way back from a field of that document
 * to where it came from. What MetalLB does not announce without being told is switched
 * off by an empty list, since Herald announces everything where nothing is said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "import.h"
#include "yaml_write.h"

static const struct {
	const char *key; /* within its part of the document */
	bool bgp;
	bool when_empty; /* written all the same */
} layout[IMPORT_SECTIONS] = {
	[IMPORT_POOLS] = {"pools", false, true},
	[IMPORT_LAYER2] = {"layer2", false, true},
	[IMPORT_BFD_PROFILES] = {"bfdProfiles", true, false},
	[IMPORT_COMMUNITIES] = {"communities", true, false},
	[IMPORT_PEERS] = {"peers", true, false},
	[IMPORT_ADVERTISEMENTS] = {"advertisements", true, true},
};

static json_t *section_json(const struct import_list *list)
{
	json_t *values = json_array();

	for (size_t i = 0; i < list->count; i++) {
		if (!list->items[i]->dropped)
			json_array_append(values, list->items[i]->value);
	}
	return values;
}

char *import_write(const struct import *import)
{
	json_t *document = json_pack("{s:s, s:{s:b}}", "apiVersion", CONFIG_API_VERSION,
		"compatibility", "metallbAnnotations", 1);
	json_t *bgp = json_object();
	bool any_bgp = false;
	char *text;

	for (int section = 0; section < IMPORT_SECTIONS; section++) {
		json_t *values = section_json(&import->sections[section]);

		any_bgp |= layout[section].bgp && json_array_size(values) > 0;
		if (json_array_size(values) > 0 || layout[section].when_empty)
			json_object_set(
				layout[section].bgp ? bgp : document, layout[section].key, values);
		json_decref(values);
	}
	if (any_bgp)
		json_object_set(document, "bgp", bgp);
	text = yaml_write(document, 0);
	json_decref(bgp);
	json_decref(document);
	return text;
}

static const struct import_item *nth(const struct import_list *list, unsigned long n)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->items[i]->dropped && n-- == 0)
			return list->items[i];
	}
	return NULL;
}

const struct import_item *import_find(
	const struct import *import, const char *field, const char **ret_rest)
{
	bool bgp = strncmp(field, "bgp.", 4) == 0;
	const char *within = bgp ? field + 4 : field;

	for (int section = 0; section < IMPORT_SECTIONS; section++) {
		size_t length = strlen(layout[section].key);
		char *end;
		unsigned long n;

		if (layout[section].bgp != bgp ||
			strncmp(within, layout[section].key, length) != 0 || within[length] != '[')
			continue;
		n = strtoul(within + length + 1, &end, 10);
		if (*end == ']')
			end++;
		*ret_rest = *end == '.' ? end + 1 : end;
		return nth(&import->sections[section], n);
	}
	return NULL;
}
