// SPDX-License-Identifier: Apache-2.0
/*
 * BGP advertisements: each one's fields, with the communities' names looked up. What
 * holds between advertisements, pools and peers is judged by config_bgp_check.
 */
#include <stdlib.h>
#include <string.h>

#include "config_bgp.h"

static const struct config_text_rule name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_ADVERTISEMENT, NULL};
static const struct config_text_rule pools_rule = {config_is_dns_label, CONFIG_DNS_LABEL,
	CONFIG_NAME_POOL, "remove it to advertise every pool"};
static const struct config_text_rule peers_rule = {config_is_dns_label, CONFIG_DNS_LABEL,
	CONFIG_NAME_PEER, "remove it to advertise to every peer"};
static const struct config_number_rule length_rule = {1, 32, "a prefix length has at most 32"};
static const struct config_number_rule length_v6_rule = {1, 128, "a prefix length has at most 128"};
static const struct config_number_rule pref_rule = {0, UINT32_MAX, NULL};

static const struct config_number_rule prepend_rule = {
	0, CONFIG_PREPEND_MAX, "longer paths are refused by many routers"};
static const char *const weight_names[] = {"none", "bandwidth", "prepend", NULL};
static const struct config_choice_rule weight_rule = {weight_names};

static void read_local_pref(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp_advertisement *advertisement = ret;

	advertisement->has_local_pref = true;
	config_read_u32(r, node, &advertisement->local_pref, rule);
}

static void read_med(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp_advertisement *advertisement = ret;

	advertisement->has_med = true;
	config_read_u32(r, node, &advertisement->med, rule);
}

static void read_next_hop(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp_advertisement *advertisement = ret;
	const char *text = config_text(r, node);
	struct ip ip;

	(void)rule;
	if (!text)
		return;
	if (strcmp(text, "self") == 0) {
		advertisement->next_hop = NEXT_HOP_SELF;
	} else if (strcmp(text, "node") == 0) {
		advertisement->next_hop = NEXT_HOP_NODE;
	} else if (ip_parse(text, &ip) && !ip_is_unspecified(&ip) && !ip_is_multicast(&ip) &&
		   !ip_is_link_local(&ip) && !ip_is_loopback(&ip)) {
		advertisement->next_hop = NEXT_HOP_GIVEN;
		advertisement->next_hop_address = ip;
	} else {
		config_problem(r, node,
			"is %s, which is no address that a router can send to: write one, or self "
			"or node",
			config_show(node).s);
	}
}

/* What two advertisements share is then found in one pass over both. */
static int compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void read_sorted_texts(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_string_list *list = ret;

	config_read_texts(r, node, list, rule);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_texts);
}

static void leave_for_later(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	(void)r;
	(void)node;
	(void)ret;
	(void)rule;
}

#define ADVERTISEMENT(member) offsetof(struct config_bgp_advertisement, member)
static const struct config_field advertisement_fields[] = {
	{"name", config_read_name, ADVERTISEMENT(name), &name_rule, false},
	{"aggregationLength", config_read_u32, ADVERTISEMENT(aggregation_length), &length_rule,
		false},
	{"aggregationLengthV6", config_read_u32, ADVERTISEMENT(aggregation_length_v6),
		&length_v6_rule, false},
	{"localPref", read_local_pref, 0, &pref_rule, false},
	{"med", read_med, 0, &pref_rule, false},
	{"prepend", config_read_u32, ADVERTISEMENT(prepend), &prepend_rule, false},
	{"nextHop", read_next_hop, 0, NULL, false},
	{"weight", config_read_choice, ADVERTISEMENT(weight), &weight_rule, false},
	{"communities", leave_for_later, 0, NULL, false}, /* needs the section's names */
	{"pools", read_sorted_texts, ADVERTISEMENT(pools), &pools_rule, false},
	{"peers", read_sorted_texts, ADVERTISEMENT(peers), &peers_rule, false},
	{"nodeSelectors", config_read_selectors, ADVERTISEMENT(node_selectors), NULL, false},
	{"serviceSelectors", config_read_selectors, ADVERTISEMENT(service_selectors), NULL, false},
};
static const struct config_fields advertisement_table = CONFIG_FIELDS(advertisement_fields);

static bool find_community(
	const struct config_bgp *bgp, const char *name, struct config_community_value *ret)
{
	for (size_t i = 0; i < bgp->community_count; i++) {
		if (strcmp(bgp->communities[i].name, name) == 0) {
			*ret = bgp->communities[i].value;
			return true;
		}
	}
	return config_community_well_known(name, ret);
}

/* A name, known to the section or to all, or a value. */
static bool read_community(struct config_reader *r, const struct config_bgp *bgp,
	const struct yaml_node *node, struct config_community_value *ret)
{
	const char *text = config_text(r, node);
	const char *why = NULL;

	if (!text)
		return false;
	if (!strchr(text, ':')) {
		bool found = find_community(bgp, text, ret);

		if (!found)
			config_names_refer(r->names, CONFIG_NAME_COMMUNITY, node);
		return found;
	}
	if (config_community_parse(text, ret, &why))
		return true;
	config_problem(r, node, "is %s, which is no community: %s", config_show(node).s, why);
	return false;
}

static bool is_among(const struct config_bgp_advertisement *advertisement,
	const struct config_community_value *value)
{
	for (size_t i = 0; i < advertisement->community_count; i++) {
		if (config_community_equal(&advertisement->communities[i], value))
			return true;
	}
	return false;
}

static void read_communities(struct config_reader *r, const struct config_bgp *bgp,
	const struct yaml_node *node, struct config_bgp_advertisement *ret)
{
	if (!config_is_bgp_list(r, node))
		return;
	ret->communities = arena_alloc(r->memory, node->count, sizeof(*ret->communities));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_community_value value;

		if (!read_community(r, bgp, item, &value))
			continue;
		if (is_among(ret, &value))
			config_problem(r, item, "is %s, which this list has already: remove it",
				config_show(item).s);
		else
			ret->communities[ret->community_count++] = value;
	}
}

void config_read_advertisements(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp *bgp = ret;

	(void)rule;
	if (!config_is_bgp_list(r, node))
		return;
	bgp->advertisements = arena_alloc(r->memory, node->count, sizeof(*bgp->advertisements));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_bgp_advertisement *advertisement =
			&bgp->advertisements[bgp->advertisement_count++];
		const struct yaml_node *communities = yaml_tree_get(item, "communities");

		*advertisement = (struct config_bgp_advertisement){.name = "",
			.aggregation_length = 32,
			.aggregation_length_v6 = 128,
			.line = item->line};
		config_read_mapping(r, item, &advertisement_table, advertisement);
		if (communities)
			read_communities(r, bgp, communities, advertisement);
	}
}
