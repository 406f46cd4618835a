// SPDX-License-Identifier: Apache-2.0
/*
 * The `bgp` section: its own fields and the BFD profiles. Peers, communities and
 * advertisements have a file each; config_bgp_check has what holds between them.
 */
#include "config_bgp.h"

#include <string.h>

const struct config_number_rule config_asn_rule = {
	1, 4294967294, "0 and 4294967295 are reserved (RFC 7607, RFC 7300)"};

bool config_is_bgp_list(struct config_reader *r, const struct yaml_node *node)
{
	if (!config_is_list(r, node, NULL))
		return false;
	if (node->count > CONFIG_BGP_ITEMS_MAX) {
		config_problem(r, node, "has %zu items, more than the %d that are possible",
			node->count, CONFIG_BGP_ITEMS_MAX);
		return false;
	}
	return true;
}

void config_read_router_id(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct ip ip = {0};

	config_read_ip(r, node, &ip, rule);
	if (ip.family == IP_V6 || ip_is_unspecified(&ip)) {
		config_problem(r, node,
			"is %s: a router ID has the form of an IPv4 address and is not 0.0.0.0",
			config_show(node).s);
		return;
	}
	memcpy(ret, &ip, sizeof(ip));
}

static const struct config_text_rule profile_name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_BFD_PROFILE, NULL};
static const struct config_duration_rule interval_rule = {
	.min_ms = 10, .max_ms = 60000, .unit_ms = 1, .why = "no BFD session works beyond"};
static const struct config_number_rule multiplier_rule = {
	2, 255, "one lost packet must not end a session, and the field has 8 bits (RFC 5880)"};
static const struct config_number_rule ttl_rule = {1, 254, "255 is what a single hop has"};

#define PROFILE(member) offsetof(struct config_bfd_profile, member)
static const struct config_field profile_fields[] = {
	{"name", config_read_name, PROFILE(name), &profile_name_rule, true},
	{"receiveInterval", config_read_duration, PROFILE(receive_interval_ms), &interval_rule,
		false},
	{"transmitInterval", config_read_duration, PROFILE(transmit_interval_ms), &interval_rule,
		false},
	{"detectMultiplier", config_read_u32, PROFILE(detect_multiplier), &multiplier_rule, false},
	{"minimumTTL", config_read_u32, PROFILE(minimum_ttl), &ttl_rule, false},
	{"passiveMode", config_read_bool, PROFILE(passive), NULL, false},
};
static const struct config_fields profile_table = CONFIG_FIELDS(profile_fields);

static void read_profiles(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp *bgp = ret;

	(void)rule;
	if (!config_is_bgp_list(r, node))
		return;
	bgp->bfd_profiles = arena_alloc(r->memory, node->count, sizeof(*bgp->bfd_profiles));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_bfd_profile *profile = &bgp->bfd_profiles[bgp->bfd_profile_count++];

		*profile = (struct config_bfd_profile){.name = "",
			.receive_interval_ms = 300,
			.transmit_interval_ms = 300,
			.detect_multiplier = 3,
			.minimum_ttl = 254,
			.line = item->line};
		config_read_mapping(r, item, &profile_table, profile);
	}
}

static const struct config_duration_rule drain_rule = {
	.min_ms = 1000, .max_ms = 600u * 1000, .unit_ms = 1000, .zero = true};

static void read_cluster(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp *bgp = ret;

	(void)rule;
	config_read_range_list(r, node, &bgp->cluster, &bgp->cluster_count);
}

/* In this order: peers take defaults from the first two, advertisements use communities. */
static const struct config_field bgp_fields[] = {
	{"asn", config_read_u32, offsetof(struct config_bgp, asn), &config_asn_rule, false},
	{"routerID", config_read_router_id, offsetof(struct config_bgp, router_id), NULL, false},
	{"drainTime", config_read_duration, offsetof(struct config_bgp, drain_time_s), &drain_rule,
		false},
	{"birdConfig", config_read_bird_text, offsetof(struct config_bgp, extra), NULL, false},
	{"announceClusterIPs", read_cluster, 0, NULL, false},
	{"bfdProfiles", read_profiles, 0, NULL, false},
	{"communities", config_read_communities, 0, NULL, false},
	{"peers", config_read_peers, 0, NULL, false},
	{"advertisements", config_read_advertisements, 0, NULL, false},
};
static const struct config_fields bgp_table = CONFIG_FIELDS(bgp_fields);

static void add_default_advertisement(struct config_reader *r, struct config_bgp *bgp)
{
	bgp->advertisements = arena_alloc(r->memory, 1, sizeof(*bgp->advertisements));
	bgp->advertisements[0] = (struct config_bgp_advertisement){
		.name = "", .aggregation_length = 32, .aggregation_length_v6 = 128};
	bgp->advertisement_count = 1;
}

void config_read_bgp(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config *config = ret;
	struct config_bgp *bgp = arena_alloc(r->memory, 1, sizeof(*bgp));

	(void)rule;
	bgp->drain_time_s = 5;
	bgp->extra = "";
	if (!config_read_mapping(r, node, &bgp_table, bgp))
		return;
	if (!yaml_tree_get(node, "advertisements"))
		add_default_advertisement(r, bgp);
	config->bgp = bgp;
}
