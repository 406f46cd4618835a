// SPDX-License-Identifier: Apache-2.0
/*
 * This node's BGP sessions. In: the peers of the configuration, the node, the Secrets. Out:
 * a session for each peer that selects the node, with every default resolved, or why there
 * is none. A peer that is held back does no harm to the others (C28).
 */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "bgp_parts.h"

#define HOPS_ANY 255u
/* Of a peer's name: BIRD's names have less than 64 bytes, and attributes are named after it. */
#define NAME_KEPT 24u

/* Where the routers of an unnumbered link are. */
static const struct ip_prefix link_local = {{IP_V6, {0xfe, 0x80}}, 10};

/* As the names of what BIRD has beside the session end: its filter, template and attributes. */
static bool ends_as_a_part_does(const char *peer)
{
	static const char *const ends[] = {"-out", "-base", "-told", "-pref", "-community",
		"-large", "-med", "-prepend", "-bandwidth", "-hop"};
	size_t length = strlen(peer);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (length > end && strcmp(peer + length - end, ends[i]) == 0)
			return true;
	}
	return false;
}

/* A DNS label has no '_', so that different peers get different names. A hash keeps apart those
   that are cut, and "rack-out" from what sends routes out to "rack". */
static const char *bird_name(
	struct bgp_maker *m, const char *prefix, const char *peer, const char *suffix)
{
	char name[64];
	int length = snprintf(name, sizeof(name), "%s%.*s", prefix, (int)NAME_KEPT, peer);

	if (strlen(peer) > NAME_KEPT || ends_as_a_part_does(peer))
		length += snprintf(name + length, sizeof(name) - (size_t)length, "_%08x",
			(unsigned)XXH64(peer, strlen(peer), 0));
	snprintf(name + length, sizeof(name) - (size_t)length, "%s", suffix);
	for (char *c = name; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	return bgp_keep_text(m, name);
}

/* For a node without an IPv4 address any will do that differs from other nodes' and looks
   like a host's, which some routers insist on. */
static struct ip router_id_of(const struct bgp_maker *m, const struct config_bgp_peer *peer)
{
	struct ip own = bgp_node_address(m->self, IP_V4);
	uint64_t hash = XXH64(m->self->meta.name, strlen(m->self->meta.name), 0);

	if (peer->router_id.family != IP_NONE)
		return peer->router_id;
	if (own.family == IP_NONE) {
		own.family = IP_V4;
		memcpy(own.bytes, &hash, 4);
		own.bytes[0] = (uint8_t)(1 + own.bytes[0] % 126);
	}
	return own;
}

static const char *find_password(struct bgp_maker *m, const struct config_bgp_peer *peer)
{
	const struct bgp_concern concern = {BGP_PROBLEM_PEER, peer->name, peer->line};
	const struct bgp_secret *secret = NULL;

	if (!*peer->password_secret)
		return peer->password;
	for (size_t i = 0; i < m->input->secret_count && !secret; i++) {
		if (strcmp(m->input->secrets[i].name, peer->password_secret) == 0)
			secret = &m->input->secrets[i];
	}
	if (!secret && m->input->assume_secrets)
		return "";
	if (!secret || !secret->password) {
		bgp_tell(m, &concern,
			"the peer \"%s\" is held back: its password is in the Secret \"%s\", %s",
			peer->name, peer->password_secret,
			secret && secret->why ? secret->why : "which has not been read yet");
		return NULL;
	}
	if (!config_is_bgp_password(secret->password, strlen(secret->password))) {
		bgp_tell(m, &concern,
			"the peer \"%s\" is held back: the password in the Secret \"%s\" must be "
			"text of 1 to %d bytes without '\"' and control characters",
			peer->name, peer->password_secret, CONFIG_PASSWORD_MAX);
		return NULL;
	}
	if (secret->why)
		bgp_tell(m, &concern,
			"the peer \"%s\" goes on with the password that it had, from the Secret "
			"\"%s\", %s",
			peer->name, peer->password_secret, secret->why);
	return secret->password;
}

static const struct config_bfd_profile *find_profile(const struct config_bgp *bgp, const char *name)
{
	for (size_t i = 0; i < bgp->bfd_profile_count; i++) {
		if (strcmp(bgp->bfd_profiles[i].name, name) == 0)
			return &bgp->bfd_profiles[i];
	}
	return NULL;
}

static uint8_t family_of(const struct bgp_session *s)
{
	return s->dynamic ? s->range.address.family : s->address.family;
}

/* BIRD wants to know where BFD sessions with a peer beyond a router begin. */
static bool set_bfd(struct bgp_maker *m, const struct config_bgp_peer *peer, struct bgp_session *s)
{
	const struct config_bfd_profile *profile =
		*peer->bfd_profile ? find_profile(m->config, peer->bfd_profile) : NULL;

	if (!profile)
		return true;
	s->bfd = true;
	s->profile = *profile;
	s->profile.name = bgp_keep_text(m, profile->name);
	if (s->hops > 1 && s->source.family == IP_NONE)
		s->source = bgp_node_address(m->self, family_of(s));
	if (s->hops == 1 || s->source.family != IP_NONE)
		return true;
	bgp_tell(m, &(struct bgp_concern){BGP_PROBLEM_PEER, peer->name, peer->line},
		"the peer \"%s\" is held back on the node \"%s\": BFD over several hops begins at "
		"an "
		"IPv%u address, and the node has none: add \"sourceAddress\", or remove "
		"\"bfdProfile\"",
		peer->name, m->self->meta.name, family_of(s));
	return false;
}

/* IPv6 routes without a next hop are left out. IPv4 ones over IPv6 may have an IPv6 one
   (RFC 8950), where the peer knows that. */
static void set_families(
	struct bgp_maker *m, const struct config_bgp_peer *peer, struct bgp_session *s)
{
	s->ipv4 = peer->ipv4;
	s->ipv6 = peer->ipv6;
	if (family_of(s) == IP_V4) {
		s->next_hop_v6 = bgp_node_address(m->self, IP_V6);
		s->ipv6 = s->ipv6 && (s->next_hop_v6.family != IP_NONE || !s->ipv4);
	} else if (!*s->interface) {
		s->next_hop_v4 = bgp_node_address(m->self, IP_V4);
	}
}

static uint32_t hops_of(const struct config_bgp_peer *peer, bool internal)
{
	if (*peer->interface)
		return 1;
	if (peer->hops)
		return peer->hops;
	return peer->multihop || internal ? HOPS_ANY : 1;
}

static bool make_session(
	struct bgp_maker *m, const struct config_bgp_peer *peer, struct bgp_session *s)
{
	uint32_t ours = peer->local_asn ? peer->local_asn : peer->my_asn;
	const char *password = find_password(m, peer);

	if (!password)
		return false;
	*s = (struct bgp_session){
		.peer = bgp_keep_text(m, peer->name),
		.protocol = bird_name(m, BGP_PROTOCOL_PREFIX, peer->name, ""),
		.spawned = bird_name(m, BGP_SPAWNED_PREFIX, peer->name, "_"),
		.internal = peer->dynamic_asn == DYNAMIC_ASN_INTERNAL || peer->peer_asn == ours,
		.local_asn = ours,
		.peer_asn = peer->peer_asn,
		.address = peer->address,
		.interface = bgp_keep_text(m, peer->interface),
		.source = peer->source_address,
		.port = peer->port,
		.local_port = peer->local_port,
		.hold_time_s = peer->hold_time_s,
		.keepalive_time_s = peer->keepalive_time_s,
		.connect_time_s = peer->connect_time_s,
		.graceful_restart = peer->graceful_restart,
		.restart_time_s = peer->restart_time_s,
		.long_lived_time_s = peer->long_lived_time_s,
		.ttl_security = peer->ttl_security,
		.passive = peer->passive,
		.password = bgp_keep_text(m, password),
		.router_id = router_id_of(m, peer),
		.vrf = bgp_keep_text(m, peer->vrf),
		.extra = bgp_keep_text(m, peer->extra),
		.line = peer->line,
	};
	s->dynamic = s->address.family == IP_NONE;
	if (s->dynamic)
		s->range = *s->interface ? link_local : peer->range;
	s->hops = hops_of(peer, s->internal);
	set_families(m, peer, s);
	return set_bfd(m, peer, s);
}

static bool is_same_router(const struct bgp_session *a, const struct config_bgp_peer *b)
{
	return ip_equal(&a->address, &b->address) && a->port == b->port &&
	       (!a->dynamic || *a->interface ||
		       (ip_equal(&a->range.address, &b->range.address) &&
			       a->range.length == b->range.length)) &&
	       strcmp(a->interface, b->interface) == 0 && strcmp(a->vrf, b->vrf) == 0;
}

/* Two peers that are one router, on nodes that are disjoint, are well; on this node both
   are selected (B09). */
static bool is_taken(struct bgp_maker *m, const struct config_bgp_peer *peer)
{
	const struct bgp_concern concern = {BGP_PROBLEM_PEER, peer->name, peer->line};

	for (size_t i = 0; i < m->plan->session_count; i++) {
		const struct bgp_session *other = &m->plan->sessions[i];

		if (!is_same_router(other, peer))
			continue;
		bgp_tell(m, &concern,
			"the peer \"%s\" is held back on the node \"%s\": it is the same router as "
			"\"%s\" on line %u, and both select this node: remove one, or give them "
			"nodeSelectors that no node satisfies both of",
			peer->name, m->self->meta.name, other->peer, other->line);
		return true;
	}
	return false;
}

void bgp_make_sessions(struct bgp_maker *m)
{
	struct bgp_plan *plan = m->plan;

	plan->sessions = arena_alloc(&plan->memory, m->config->peer_count, sizeof(*plan->sessions));
	for (size_t i = 0; i < m->config->peer_count; i++) {
		const struct config_bgp_peer *peer = &m->config->peers[i];

		if (selector_list_matches(&peer->node_selectors, &m->self->labels) &&
			!is_taken(m, peer) &&
			make_session(m, peer, &plan->sessions[plan->session_count]))
			plan->session_count++;
	}
}
