// SPDX-License-Identifier: Apache-2.0
/*
 * BGP peers: each peer's fields and what must hold among them (B12). A password is read
 * here and never repeated in a message (B07). Whether two peers are one is judged by
 * config_bgp_check.
 */
#include <ctype.h>
#include <string.h>

#include "config_bgp.h"

#define PASSWORD_MAX 80 /* TCP_MD5SIG_MAXKEYLEN of the kernel */

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

/* What BIRD can read between double quotes. */
static bool is_password(const struct yaml_node *node)
{
	for (size_t i = 0; i < node->length; i++) {
		if (iscntrl((unsigned char)node->text[i]) || node->text[i] == '"')
			return false;
	}
	return node->kind == YAML_TREE_SCALAR && node->length > 0 && node->length <= PASSWORD_MAX;
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
	if (!is_password(node)) {
		config_problem(r, node,
			"must be text of 1 to %d bytes without '\"' and control characters (not "
			"shown here); better: put it into a Secret and name that in passwordSecret",
			PASSWORD_MAX);
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
	{"interface", config_read_text, PEER(interface), &interface_rule, false},
	{"sourceAddress", config_read_ip, PEER(source_address), NULL, false},
	{"peerPort", config_read_u32, PEER(port), &port_rule, false},
	{"holdTime", config_read_duration, PEER(hold_time_s), &hold_rule, false},
	{"keepaliveTime", config_read_duration, PEER(keepalive_time_s), &keepalive_rule, false},
	{"connectTime", config_read_duration, PEER(connect_time_s), &connect_rule, false},
	{"ebgpMultiHop", config_read_bool, PEER(multihop), NULL, false},
	{"gracefulRestart", config_read_bool, PEER(graceful_restart), NULL, false},
	{"families", read_families, 0, &family_rule, false},
	{"password", read_password, PEER(password), NULL, false},
	{"passwordSecret", read_password_secret, PEER(password_secret), NULL, false},
	{"routerID", config_read_router_id, PEER(router_id), NULL, false},
	{"bfdProfile", config_read_text, PEER(bfd_profile), &profile_rule, false},
	{"vrf", config_read_text, PEER(vrf), &interface_rule, false},
	{"nodeSelectors", config_read_selectors, PEER(node_selectors), NULL, false},
};
static const struct config_fields peer_table = CONFIG_FIELDS(peer_fields);

/* Exactly one of the two fields. */
static void want_one(
	struct config_reader *r, const struct yaml_node *node, const char *a, const char *b)
{
	const struct yaml_node *second = yaml_tree_get(node, b);

	if (!yaml_tree_get(node, a) && !second)
		config_problem(r, node, "the field \"%s\" is missing: add it, or \"%s\"", a, b);
	else if (yaml_tree_get(node, a) && second)
		config_problem(r, second, "stands beside \"%s\": keep one of the two", a);
}

static void check_addresses(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *at = yaml_tree_get(node, "peerAddress");

	want_one(r, node, "peerAddress", "interface");
	if (at && (ip_is_unspecified(&peer->address) || ip_is_multicast(&peer->address)))
		config_problem(r, at, "is %s, which no router can have: write the peer's own",
			config_show(at).s);
	if (at && peer->address.family == IP_V6 && ip_is_link_local(&peer->address))
		config_problem(r, at,
			"is %s, a link-local address: name the interface in \"interface\" instead",
			config_show(at).s);
	at = yaml_tree_get(node, "sourceAddress");
	if (at && (ip_is_unspecified(&peer->source_address) ||
			  ip_is_multicast(&peer->source_address)))
		config_problem(r, at,
			"is %s, which no node can have: write the node's own, or "
			"remove it",
			config_show(at).s);
	if (at && peer->address.family != IP_NONE && peer->source_address.family != IP_NONE &&
		peer->source_address.family != peer->address.family)
		config_problem(r, at, "is %s, of another family than peerAddress %s",
			config_show(at).s, ip_text(&peer->address).s);
}

static void check_asn(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *multihop = yaml_tree_get(node, "ebgpMultiHop");
	uint32_t ours = peer->local_asn ? peer->local_asn : peer->my_asn;
	bool internal = peer->dynamic_asn == DYNAMIC_ASN_INTERNAL ||
			(peer->peer_asn != 0 && peer->peer_asn == ours);

	want_one(r, node, "peerASN", "dynamicASN");
	if (peer->my_asn == 0 && !yaml_tree_get(node, "myASN") &&
		!yaml_tree_get(node->up->up, "asn"))
		config_problem(r, node,
			"the field \"myASN\" is missing: add it, or \"asn\" for all peers under "
			"\"bgp\"");
	if (multihop && peer->multihop && internal)
		config_problem(r, multihop,
			"is true, but the peer is of our own AS, where every session may take "
			"several hops: remove it");
	if (multihop && peer->multihop && peer->interface[0])
		config_problem(r, multihop,
			"is true, but a peer found on an interface is one hop away: remove it");
}

static void check_times(
	struct config_reader *r, const struct yaml_node *node, struct config_bgp_peer *peer)
{
	const struct yaml_node *keepalive = yaml_tree_get(node, "keepaliveTime");

	if (!keepalive) {
		peer->keepalive_time_s = peer->hold_time_s / 3;
		return;
	}
	if (config_is_told_of(r, keepalive) ||
		config_is_told_of(r, yaml_tree_get(node, "holdTime")))
		return;
	if (peer->hold_time_s == 0)
		config_problem(r, keepalive,
			"stands beside a hold time of 0s, which means no keepalives: remove it");
	else if (peer->keepalive_time_s > peer->hold_time_s)
		config_problem(r, keepalive,
			"is %s, above the hold time of %us: write %us, a third of it",
			config_show(keepalive).s, peer->hold_time_s, peer->hold_time_s / 3);
}

static void check_password(struct config_reader *r, const struct yaml_node *node)
{
	const struct yaml_node *secret = yaml_tree_get(node, "passwordSecret");

	if (secret && yaml_tree_get(node, "password"))
		config_problem(r, secret, "stands beside \"password\": keep one, better this one");
}

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
			.connect_time_s = 120,
			.ipv4 = true,
			.ipv6 = true,
			.password = "",
			.password_secret = "",
			.router_id = bgp->router_id,
			.bfd_profile = "",
			.vrf = "",
			.line = item->line};
		if (!config_read_mapping(r, item, &peer_table, peer))
			continue;
		check_addresses(r, item, peer);
		check_asn(r, item, peer);
		check_times(r, item, peer);
		check_password(r, item);
	}
}
