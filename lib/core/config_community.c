// SPDX-License-Identifier: Apache-2.0
/*
 * BGP communities as text: the standard ones of RFC 1997 ("64512:100"), the large ones of
 * RFC 8092 ("large:64512:1:2", as MetalLB writes them) and the well-known names; and the
 * section's list that gives names to values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_bgp.h"

static const struct {
	const char *name;
	uint32_t low; /* below 65535: */
} well_known[] = {
	{"no-export", 65281},
	{"no-advertise", 65282},
	{"no-export-subconfed", 65283},
	{"no-peer", 65284},
	{"blackhole", 666},
	{"graceful-shutdown", 0},
};

/* Decimal parts between colons; false when one is no number or there are others. */
static bool read_parts(const char *text, size_t count, uint64_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		size_t digits = strspn(text, "0123456789");

		if (digits == 0 || digits > 10)
			return false;
		ret[i] = strtoull(text, NULL, 10);
		text += digits;
		if (*text != (i + 1 < count ? ':' : '\0'))
			return false;
		text++;
	}
	return true;
}

bool config_community_parse(
	const char *text, struct config_community_value *ret, const char **ret_why)
{
	bool large = strncmp(text, "large:", 6) == 0;
	struct config_community_value value = {
		.kind = large ? COMMUNITY_LARGE : COMMUNITY_STANDARD};
	size_t count = large ? 3 : 2;
	uint64_t parts[3];

	if (!large && read_parts(text, 3, parts)) {
		*ret_why = "a large community is written with \"large:\" before it";
		return false;
	}
	if (!read_parts(large ? text + 6 : text, count, parts)) {
		*ret_why = "write \"64512:100\", or \"large:64512:1:2\" for a large one";
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (parts[i] > (large ? UINT32_MAX : UINT16_MAX)) {
			*ret_why = large ? "each part has 32 bits: at most 4294967295"
					 : "each part has 16 bits: at most 65535; for larger "
					   "numbers write \"large:A:B:C\"";
			return false;
		}
		value.parts[i] = (uint32_t)parts[i];
	}
	*ret = value;
	return true;
}

bool config_community_well_known(const char *name, struct config_community_value *ret)
{
	for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++) {
		if (strcmp(well_known[i].name, name) == 0) {
			*ret = (struct config_community_value){
				COMMUNITY_STANDARD, {65535, well_known[i].low}};
			return true;
		}
	}
	return false;
}

bool config_community_equal(
	const struct config_community_value *a, const struct config_community_value *b)
{
	return a->kind == b->kind && memcmp(a->parts, b->parts, sizeof(a->parts)) == 0;
}

static void read_value(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char *text = config_text(r, node);
	const char *why = NULL;

	(void)rule;
	if (text && !config_community_parse(text, ret, &why))
		config_problem(
			r, node, "is %s, which is no community: %s", config_show(node).s, why);
}

static const struct config_text_rule name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_COMMUNITY, NULL};

#define COMMUNITY(member) offsetof(struct config_community, member)
static const struct config_field community_fields[] = {
	{"name", config_read_name, COMMUNITY(name), &name_rule, true},
	{"value", read_value, COMMUNITY(value), NULL, true},
};
static const struct config_fields community_table = CONFIG_FIELDS(community_fields);

void config_read_communities(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp *bgp = ret;

	(void)rule;
	if (!config_is_bgp_list(r, node))
		return;
	bgp->communities = arena_alloc(r->memory, node->count, sizeof(*bgp->communities));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_community *community = &bgp->communities[bgp->community_count++];
		struct config_community_value known;

		community->name = "";
		community->line = item->line;
		config_read_mapping(r, item, &community_table, community);
		if (config_community_well_known(community->name, &known))
			config_problem(r, yaml_tree_get(item, "name"),
				"is \"%s\", the name of a well-known community (65535:%u): choose "
				"another, or use it without defining it",
				community->name, known.parts[1]);
	}
}
