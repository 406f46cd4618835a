// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BGP_PLAN_H
#define HERALD_CORE_BGP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/core/arena.h"
#include "herald/core/config_bgp.h"
#include "herald/core/plan.h"

/*
 * What THIS node says by BGP: its sessions, its routes, and what is held back and why.
 * Pure: objects, configuration and what the shell found out in, values out. Nothing is
 * chosen among nodes: every node that suits an address announces it, so that routers
 * spread traffic over them (ECMP).
 *
 * The addresses are those of plan.h: in a Service's status and in a pool, or allowed
 * external ones; and the cluster IPs that bgp.announceClusterIPs allows, for which
 * internalTrafficPolicy stands in the place of externalTrafficPolicy. A node suits an address when
 *  - nothing about the node itself speaks against it: plan_judge's verdicts, without those
 *    on membership for ourselves. A speaker that runs may announce, whatever the API
 *    server thinks of its Lease: two announcers do no harm here;
 *  - under externalTrafficPolicy Local it has endpoints that are ready (K30);
 *  - no other node suits it better: NotReady nodes, and nodes with endpoints that are
 *    serving though terminating, announce while there is no better one (K40, K44).
 *
 * One thing that is wrong holds back only what it concerns (C28): a peer, an advertisement
 * for a route, a Service's address. All else goes on, and the next plan without the fault
 * has no problem left.
 */

/* What became of the Secret that a peer names (`password_secret`). */
struct bgp_secret {
	const char *name;
	const char *password; /* NULL: none yet, the peer is held back */
	const char *why;      /* NULL: all is well; else "which does not exist", ... */
};

/*
 * How far the node's own leaving has come. The shell runs the clock (B05): when
 * bgp_plan_node_verdict turns into a refusal, or the speaker is removed for good, it goes
 * to BGP_DRAIN_SHUTDOWN, waits for `bgp.drainTime`, and goes on to BGP_DRAIN_WITHDRAW. It
 * returns to BGP_DRAIN_NONE when the verdict is no refusal any more.
 */
enum bgp_drain {
	BGP_DRAIN_NONE,	    /* as the node's verdict says; a refusal withdraws everything */
	BGP_DRAIN_SHUTDOWN, /* whatever the verdict: routes stay, with the community
			       GRACEFUL_SHUTDOWN and local preference 0 (RFC 8326) */
	BGP_DRAIN_WITHDRAW  /* no routes; sessions stay */
};

struct bgp_plan_input {
	const struct plan_input *cluster; /* as for plan_make; `self` is this node */
	const struct bgp_secret *secrets; /* in any order; a name that is missing is "not read" */
	size_t secret_count;
	bool assume_secrets; /* one that is missing is well: for who may not read them */
	enum bgp_drain drain;
};

#define BGP_PROTOCOL_PREFIX "herald_bgp_"
#define BGP_SPAWNED_PREFIX "herald_dyn_"

/* A session of this node, everything resolved. The password must not be shown (B07). */
struct bgp_session {
	const char *peer;     /* its name in the configuration */
	const char *protocol; /* its name in BIRD, unique on the node */
	bool dynamic;	      /* nobody is called; BIRD spawns a session for who connects, */
	const char *spawned;  /* named by this with a number after it */
	bool internal;	      /* the peer is of our own AS */
	uint32_t local_asn;
	uint32_t peer_asn;	/* 0: any of the kind that `internal` says */
	struct ip address;	/* IP_NONE: `range` */
	struct ip_prefix range; /* with `dynamic`: whoever connects from there */
	const char *interface;	/* unnumbered: where the peer is; "" otherwise */
	struct ip source;	/* IP_NONE: chosen by BIRD */
	uint32_t port, local_port;
	uint32_t hold_time_s, keepalive_time_s, connect_time_s;
	uint32_t hops; /* 1: direct; 255: any number */
	bool ttl_security, passive;
	bool graceful_restart;
	uint32_t restart_time_s;    /* how long the peer is to keep routes while BIRD is away */
	uint32_t long_lived_time_s; /* 0: no long-lived graceful restart (RFC 9494) */
	bool ipv4, ipv6;	    /* families carried */
	struct ip next_hop_v4;	    /* where the session's own address is of the other family */
	struct ip next_hop_v6;
	const char *password; /* "" none */
	struct ip router_id;
	const char *vrf; /* "" the default one */
	bool bfd;
	struct config_bfd_profile profile; /* with `bfd` */
	const char *extra; /* BIRD text for this session; "" none. The shell may set another,
			      or "", before bird_config_text: see bird_config_blame */
	unsigned line;	   /* of the peer in the configuration */
};

/* What a route says; `*_count` 0 and `has_*` false: nothing of it. */
struct bgp_attributes {
	const struct config_community_value *communities; /* sorted, standard before large */
	size_t community_count;
	bool has_local_pref, has_med;
	uint32_t local_pref, med;
	uint32_t prepend;   /* own AS so many times more; not to internal peers */
	uint32_t bandwidth; /* endpoints here, for the link bandwidth community; 0: none */
	struct ip next_hop; /* IP_NONE: ourselves */
};

/* One route to some sessions. A route with several offers has a different one to each. */
struct bgp_offer {
	const struct bgp_attributes *attributes; /* shared by all that say the same */
	bool to_all;		/* every session of the family that no other offer names */
	const size_t *sessions; /* else these, ascending, into bgp_plan.sessions */
	size_t session_count;
};

struct bgp_route {
	struct ip_prefix prefix;
	const struct bgp_offer *offers;
	size_t offer_count;
	size_t recipe;	  /* below recipe_count; routes of one recipe have the same offers */
	size_t vip_count; /* addresses of ours that it stands for; more than 1: an aggregate */
};

/* An address, and whether this node announces it. */
struct bgp_vip {
	struct ip address;
	const char *namespace, *service, *uid; /* the first by name of those that share it */
	bool covered;			       /* some advertisement selects it, on whatever node */
	bool announced;			       /* there are routes for it */
	/* enum plan_verdict of this node. Eligible and not announced: another node suits the
	   address better, or no peer that would hear of it has a session here. */
	uint8_t verdict;
	const char *problem;  /* "" none; else where advertisements disagree (B02, B10) */
	const size_t *routes; /* into bgp_plan.routes */
	size_t route_count;
};

enum bgp_problem_kind {
	BGP_PROBLEM_PEER,	  /* `name`: this peer is held back */
	BGP_PROBLEM_ADVERTISEMENT /* `name`: it is not followed in what the text says */
};

struct bgp_problem {
	enum bgp_problem_kind kind;
	const char *name; /* "": the advertisement has none */
	unsigned line;	  /* of it in the configuration */
	const char *text; /* what is wrong, and how to mend it */
};

struct bgp_plan {
	struct bgp_session *sessions; /* in the configuration's order */
	size_t session_count;
	struct bgp_route *routes; /* sorted by prefix, IPv4 first */
	size_t route_count, recipe_count;
	struct bgp_vip *vips; /* sorted by address */
	size_t vip_count;
	struct bgp_problem *problems; /* in a stable order: the same input, the same list */
	size_t problem_count;
	uint8_t node_verdict; /* as bgp_plan_node_verdict */
	const char *extra;    /* BIRD text beside all sessions; "" none; as bgp_session.extra */
	struct arena memory;  /* what the above points into */
};

/* Holds copies: valid after the input is gone. NULL: the configuration has no BGP. */
struct bgp_plan *bgp_plan_make(const struct bgp_plan_input *input);
void bgp_plan_free(struct bgp_plan *plan); /* NULL is allowed */

/* What speaks against this node for all addresses, or PLAN_ELIGIBLE, perhaps worse. The
   node unknown yet: PLAN_NO_SPEAKER. */
uint8_t bgp_plan_node_verdict(const struct plan_input *cluster);

const struct bgp_vip *bgp_plan_find(const struct bgp_plan *plan, const struct ip *address);
/* As plan_verdict_text, in BGP's terms. */
const char *bgp_verdict_text(uint8_t verdict);
/* The session is one of those that it lists; see `to_all`, too. */
bool bgp_offer_names(const struct bgp_offer *offer, size_t session);
/* Is the route offered to the session (in a family that the session carries)? */
bool bgp_route_is_offered(
	const struct bgp_plan *plan, const struct bgp_route *route, size_t session);
/* The session whose protocol in BIRD has this name, or has spawned it; NULL: none. */
const struct bgp_session *bgp_plan_session_of(const struct bgp_plan *plan, const char *protocol);

#endif
