// SPDX-License-Identifier: Apache-2.0
/*
 * BGP peers: each peer's fields and what must hold among them (B12). A password is read
 * here and never repeated in a message (B07). Whether two peers are one is judged by
 * config_bgp_check.
 */
#include <string.h>

#include "config_bgp.h"

static const struct config_text_rule name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_PEER, NULL};
static const struct config_text_rule profile_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_BFD_PROFILE, NULL};
static const struct config_text_rule secret_rule = {config_is_dns_subdomain,
	"a Secret's name: labels of a-z, 0-9 and '-' with dots between them", CONFIG_NAME_NONE,
	NULL};
static const struct config_text_rule interface_rule = {config_is_interface,
	"an interface's name: at most 15 characters, without '/', blanks, quotes and wildcards",
	CONFIG_NAME_NONE, NULL};

static bool is_family(const char *text)
{
	return strcmp(text, "ipv4") == 0 || strcmp(text, "ipv6") == 0;
}
static const struct config_text_rule family_rule = {
	is_family, "ipv4 or ipv6", CONFIG_NAME_NONE, "remove it to carry both families"};

static const char *const dynamic_names[] = {"", "internal", "external", NULL};
static const struct config_choice_rule dynamic_rule = {dynamic_names + 1};
static const struct config_number_rule port_rule = {1, 65535, NULL};
static const struct config_duration_rule hold_rule = {.min_ms = 3000,
	.max_ms = 65535u * 1000,
	.unit_ms = 1000,
	.zero = true,
	.why = "1 and 2 seconds are forbidden and the field has 16 bits (RFC 4271, 4.2)"};
static const struct config_duration_rule keepalive_rule = {.min_ms = 1000,
	.max_ms = 21845u * 1000,
	.unit_ms = 1000,
	.why = "it is at most a third of the longest hold time"};
static const struct config_duration_rule connect_rule = {
	.min_ms = 1000, .max_ms = 65535u * 1000, .unit_ms = 1000};
static const struct config_number_rule hops_rule = {1, 254, "a packet's TTL begins at 255"};
static const struct config_duration_rule restart_rule = {.min_ms = 1000,
	.max_ms = 4095u * 1000,
	.unit_ms = 1000,
	.why = "the field has 12 bits (RFC 4724, 3)"};
/* The field has 24 bits of seconds, a duration here 32 of milliseconds. */
static const struct config_duration_rule long_lived_rule = {
	.min_ms = 1000, .max_ms = 4294967u * 1000, .unit_ms = 1000, .zero = true};

static void read_dynamic(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	enum config_dynamic_asn *out = ret;
	uint32_t index = UINT32_MAX;

	config_read_choice(r, node, &index, rule);
	if (index != UINT32_MAX)
		*out = index == 0 ? DYNAMIC_ASN_INTERNAL : DYNAMIC_ASN_EXTERNAL;
}

static void read_families(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp_peer *peer = ret;
	struct config_string_list list = {0};

	config_read_texts(r, node, &list, rule);
	peer->ipv4 = peer->ipv6 = false;
	for (size_t i = 0; i < list.count; i++) {
		if (strcmp(list.items[i], "ipv4") == 0)
			peer->ipv4 = true;
		else
			peer->ipv6 = true;
	}
}

static void read_range(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char *text = config_text(r, node);
	struct ip_prefix prefix;

	(void)rule;
	if (!text)
		return;
	if (ip_prefix_parse(text, &prefix))
		memcpy(ret, &prefix, sizeof(prefix));
	else
		config_problem(r, node,
			"is %s, which is no network: write one such as 192.0.2.0/24, with no bit "
			"set beyond its length",
			config_show(node).s);
}

static void read_password(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char **out = ret;

	(void)rule;
	if (node->kind == YAML_TREE_SCALAR && node->length && config_other_type(node)) {
		config_problem(r, node,
			"is %s (not shown here) where text is wanted: put it in quotes; better: "
			"put it into a Secret and name that in passwordSecret",
			config_other_type(node));
		return;
	}
	if (node->kind != YAML_TREE_SCALAR || !config_is_bgp_password(node->text, node->length)) {
		config_problem(r, node,
			"must be text of 1 to %d bytes without '\"' and control characters (not "
			"shown here); better: put it into a Secret and name that in passwordSecret",
			CONFIG_PASSWORD_MAX);
		return;
	}
	*out = arena_strndup(r->memory, node->text, node->length);
}

static const struct config_field secret_fields[] = {
	{"name", config_read_text, 0, &secret_rule, true},
};
static const struct config_fields secret_table = CONFIG_FIELDS(secret_fields);

/* Who writes a password here by mistake must not find it in a log. */
static void read_password_secret(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	(void)rule;
	if (node->kind != YAML_TREE_MAPPING)
		config_problem(r, node,
			"must name a Secret (the value is not shown here): write {name: ...}");
	else
		config_read_mapping(r, node, &secret_table, ret);
}

#define PEER(member) offsetof(struct config_bgp_peer, member)
static const struct config_field peer_fields[] = {
	{"name", config_read_name, PEER(name), &name_rule, true},
	{"myASN", config_read_u32, PEER(my_asn), &config_asn_rule, false},
	{"localASN", config_read_u32, PEER(local_asn), &config_asn_rule, false},
	{"peerASN", config_read_u32, PEER(peer_asn), &config_asn_rule, false},
	{"dynamicASN", read_dynamic, PEER(dynamic_asn), &dynamic_rule, false},
	{"peerAddress", config_read_ip, PEER(address), NULL, false},
	{"peerRange", read_range, PEER(range), NULL, false},
	{"interface", config_read_text, PEER(interface), &interface_rule, false},
	{"sourceAddress", config_read_ip, PEER(source_address), NULL, false},
	{"peerPort", config_read_u32, PEER(port), &port_rule, false},
	{"localPort", config_read_u32, PEER(local_port), &port_rule, false},
	{"holdTime", config_read_duration, PEER(hold_time_s), &hold_rule, false},
	{"keepaliveTime", config_read_duration, PEER(keepalive_time_s), &keepalive_rule, false},
	{"connectTime", config_read_duration, PEER(connect_time_s), &connect_rule, false},
	{"ebgpMultiHop", config_read_bool, PEER(multihop), NULL, false},
	{"hops", config_read_u32, PEER(hops), &hops_rule, false},
	{"ttlSecurity", config_read_bool, PEER(ttl_security), NULL, false},
	{"passive", config_read_bool, PEER(passive), NULL, false},
	{"gracefulRestart", config_read_bool, PEER(graceful_restart), NULL, false},
	{"gracefulRestartTime", config_read_duration, PEER(restart_time_s), &restart_rule, false},
	{"longLivedTime", config_read_duration, PEER(long_lived_time_s), &long_lived_rule, false},
	{"families", read_families, 0, &family_rule, false},
	{"password", read_password, PEER(password), NULL, false},
	{"passwordSecret", read_password_secret, PEER(password_secret), NULL, false},
	{"routerID", config_read_router_id, PEER(router_id), NULL, false},
	{"bfdProfile", config_read_text, PEER(bfd_profile), &profile_rule, false},
	{"vrf", config_read_text, PEER(vrf), &interface_rule, false},
	{"birdConfig", config_read_bird_text, PEER(extra), NULL, false},
	{"nodeSelectors", config_read_selectors, PEER(node_selectors), NULL, false},
};
static const struct config_fields peer_table = CONFIG_FIELDS(peer_fields);

void config_read_peers(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bgp *bgp = ret;

	(void)rule;
	if (!config_is_bgp_list(r, node))
		return;
	bgp->peers = arena_alloc(r->memory, node->count, sizeof(*bgp->peers));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_bgp_peer *peer = &bgp->peers[bgp->peer_count++];

		*peer = (struct config_bgp_peer){.name = "",
			.my_asn = bgp->asn,
			.interface = "",
			.port = CONFIG_BGP_PORT,
			.hold_time_s = CONFIG_HOLD_TIME_S,
			.local_port = CONFIG_BGP_PORT,
			.connect_time_s = 120,
			.restart_time_s = 120,
			.ipv4 = true,
			.ipv6 = true,
			.password = "",
			.password_secret = "",
			.router_id = bgp->router_id,
			.bfd_profile = "",
			.vrf = "",
			.extra = "",
			.line = item->line};
		if (!config_read_mapping(r, item, &peer_table, peer))
			continue;
		config_check_peer(r, item, peer);
	}
}
