// SPDX-License-Identifier: Apache-2.0
/*
 * What must hold among the fields of one BGP peer (B12): where it is, whose AS it is of,
 * how far away, its timers. Fields one by one are read by config_bgp_peer.
 */
#include <ctype.h>

#include "config_bgp.h"

bool config_is_bgp_password(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (iscntrl((unsigned char)text[i]) || text[i] == '"')
			return false;
	}
	return length > 0 && length <= CONFIG_PASSWORD_MAX;
}

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

/* Exactly one of the three ways to say who the peer is. */
static void want_place(struct config_reader *r, const struct yaml_node *node)
{
	static const char *const fields[] = {"peerAddress", "interface", "peerRange"};
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct yaml_node *at = yaml_tree_get(node, fields[i]);

		if (at && first)
			config_problem(r, at, "stands beside \"%s\": keep one of the two", first);
		else if (at)
			first = fields[i];
	}
	if (!first)
		config_problem(r, node,
			"the field \"peerAddress\" is missing: add it, or \"interface\" or "
			"\"peerRange\"");
}

static uint8_t family_of(const struct config_bgp_peer *peer)
{
	return peer->address.family != IP_NONE ? peer->address.family : peer->range.address.family;
}

static void check_range(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *at = yaml_tree_get(node, "peerRange");
	const struct yaml_node *port = yaml_tree_get(node, "peerPort");

	if (!at)
		return;
	if (ip_is_link_local(&peer->range.address) || ip_is_multicast(&peer->range.address))
		config_problem(r, at,
			"is %s, where no router calls from: write the routers' network; those on "
			"a link of their own are found by \"interface\"",
			config_show(at).s);
	if (port)
		config_problem(
			r, port, "stands beside \"peerRange\", whose routers call us: remove it");
}

static void check_addresses(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *at = yaml_tree_get(node, "peerAddress");

	want_place(r, node);
	check_range(r, node, peer);
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
	if (at && family_of(peer) != IP_NONE && peer->source_address.family != IP_NONE &&
		peer->source_address.family != family_of(peer))
		config_problem(r, at, "is %s, of another family than %s %s", config_show(at).s,
			peer->address.family != IP_NONE ? "peerAddress" : "peerRange",
			ip_text(peer->address.family != IP_NONE ? &peer->address
								: &peer->range.address)
				.s);
}

static bool is_internal(const struct config_bgp_peer *peer)
{
	uint32_t ours = peer->local_asn ? peer->local_asn : peer->my_asn;

	return peer->dynamic_asn == DYNAMIC_ASN_INTERNAL ||
	       (peer->peer_asn != 0 && peer->peer_asn == ours);
}

static void check_asn(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	want_one(r, node, "peerASN", "dynamicASN");
	if (peer->my_asn == 0 && !yaml_tree_get(node, "myASN") &&
		!yaml_tree_get(node->up->up, "asn"))
		config_problem(r, node,
			"the field \"myASN\" is missing: add it, or \"asn\" for all peers under "
			"\"bgp\"");
}

static void check_multihop(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *multihop = yaml_tree_get(node, "ebgpMultiHop");

	if (!multihop || !peer->multihop)
		return;
	if (is_internal(peer))
		config_problem(r, multihop,
			"is true, but the peer is of our own AS, where every session may take "
			"several hops: remove it");
	if (peer->interface[0])
		config_problem(r, multihop,
			"is true, but a peer found on an interface is one hop away: remove it");
	if (peer->hops)
		config_problem(r, multihop, "stands beside \"hops\": keep one, better that one");
}

static void check_hops(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	const struct yaml_node *security = yaml_tree_get(node, "ttlSecurity");
	bool any = peer->multihop || (is_internal(peer) && !peer->interface[0]);

	check_multihop(r, node, peer);
	if (peer->hops > 1 && peer->interface[0])
		config_problem(r, yaml_tree_get(node, "hops"),
			"is %u, but a peer found on an interface is one hop away: remove it",
			peer->hops);
	if (peer->ttl_security && any && !peer->hops)
		config_problem(r, security,
			"is true, but how far away the peer is at most is not said: add \"hops\"%s",
			peer->multihop ? " in place of \"ebgpMultiHop\"" : "");
}

/* What speaks of graceful restart where there is none. */
static void check_restart(
	struct config_reader *r, const struct yaml_node *node, const struct config_bgp_peer *peer)
{
	static const char *const fields[] = {"gracefulRestartTime", "longLivedTime"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !peer->graceful_restart; i++) {
		const struct yaml_node *at = yaml_tree_get(node, fields[i]);

		if (at)
			config_problem(r, at,
				"has no meaning without \"gracefulRestart: true\": add that, or "
				"remove this");
	}
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

void config_check_peer(
	struct config_reader *r, const struct yaml_node *node, struct config_bgp_peer *peer)
{
	check_addresses(r, node, peer);
	check_asn(r, node, peer);
	check_hops(r, node, peer);
	check_times(r, node, peer);
	check_restart(r, node, peer);
	check_password(r, node);
}
