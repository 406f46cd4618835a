// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_MEMBERS_H
#define HERALD_CORE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/monotime.h"
#include "herald/core/objects.h"
#include "herald/core/suspicion.h"

/*
 * Which speakers are alive, from their Leases. A member is alive until its Lease has not
 * been seen to change for the duration that stands in it by OUR monotonic clock (K58);
 * wall clocks are never compared. A Lease whose holder is "" was released: its member is
 * leaving.
 *
 * Fail static: nobody is judged dead while we are out of contact, that is, while no
 * Lease at all (ours renews too) was seen to change for duration - 5/4 of the renewal
 * interval. That is sooner than any member can expire, so an API server that is gone
 * makes nobody dead. After contact returns all get one more duration of grace.
 * A deleted Lease is not a death: it expires like one that is no longer renewed. Kubernetes
 * deletes it with its Node; then the member is forgotten (members_forget).
 *
 * Faster than by its Lease a node is known to be dead by what others say of their BFD
 * sessions with it (suspicion.h). Its state remains that of its Lease.
 *
 * The more speakers live the slower each renews, so that all together write no more than
 * MEMBER_WRITES_PER_SECOND. The Lease then lasts for as many renewals as the
 * configuration gives it, or for three where it gives more, and never shorter than
 * configured. Each Lease says how long it lasts, so that readers need not agree on the
 * number of speakers.
 */
#define MEMBER_WRITES_PER_SECOND 40u
#define MEMBER_DURATION_MAX_MS 900000u		/* whatever a Lease says */
#define MEMBER_LEASE_PREFIX "herald-speaker."	/* and the node's name: member_lease_name */
#define MEMBER_NODE_ANNOTATION "herald.io/node" /* where the Lease's name can't tell it */
#define MEMBER_INTERFACES_ANNOTATION "herald.io/interfaces"
#define MEMBER_BFD_ANNOTATION "herald.io/bfd" /* the address of its BFD sessions */
#define MEMBER_HOLDS_ANNOTATION "herald.io/holds"
#define MEMBER_CONFLICTS_ANNOTATION "herald.io/conflicts" /* core/conflicts.h */
#define MEMBER_BGP_ANNOTATION "herald.io/bgp"		  /* its BGP peers, as JSON */
#define MEMBER_COMPONENT_LABEL "app.kubernetes.io/component"

enum member_state {
	MEMBER_UNKNOWN, /* no Lease was ever seen */
	MEMBER_ALIVE,
	MEMBER_LEAVING, /* released its Lease */
	MEMBER_DEAD	/* let its Lease expire */
};
const char *member_state_text(enum member_state state);

struct member {
	const char *node;
	const char *version; /* resourceVersion of its Lease */
	enum member_state state;
	const char *interfaces; /* the annotation's value; "" when absent */
	const char *holds;	/* that of core/holds.h; NULL when absent */
	const char *conflicts;	/* that of core/conflicts.h; NULL when absent */
	const char *bfd;	/* the annotation's value; NULL: it has no BFD */
	const char *suspects;	/* that of SUSPECTS_ANNOTATION; NULL when absent */
	const char *bgp; /* the annotation's value; NULL when absent; no plan depends on it */
	struct suspicion_verdict suspicion; /* by the others; zero where it takes no part */
	struct monotime renewed;	    /* when its Lease was last seen to be renewed */
	uint32_t duration_ms;		    /* of its Lease */
	bool proven; /* a renewal was seen, not just an old Lease, since it was dead */
};

struct member_timing {
	uint32_t duration_ms; /* of a Lease */
	uint32_t renew_ms;    /* between its renewals */
};
/* What the configured timing becomes where so many speakers live; whole seconds. */
struct member_timing member_timing_for(const struct member_timing *configured, size_t alive);

/* The name of a node's Lease: at most 253 characters, as Kubernetes wants it; malloc'ed. */
char *member_lease_name(const char *node);

struct members; /* opaque; holds its own copies */

struct members *members_new(void);
void members_free(struct members *members); /* NULL is allowed */
/* The timing that speakers follow now: member_timing_for. */
void members_set_timing(struct members *members, const struct member_timing *timing);

/* How many watch each other by BFD in either direction; 0: suspicions do not count. True:
   somebody counts as dead by them, or not any more. */
bool members_set_watchers(struct members *members, unsigned watchers);
/* True: it takes part in BFD, its Lease being alive and saying so. */
bool member_has_bfd(const struct member *member);

/* Around a list: what is not shown in it is gone. */
void members_list_begin(struct members *members);
void members_list_end(struct members *members);
/* A Lease as it came from list or watch. Others than speakers' are ignored. True: what
   members_at shows has changed. */
bool members_put(struct members *members, const struct lease *lease, struct monotime now);
/* How often what the members tell of BGP has changed, which members_put does not count. */
uint64_t members_bgp_generation(const struct members *members);
/* This Lease is there no more. */
void members_gone(struct members *members, const char *lease_name);
/* Forgets whose Lease is gone and whose node does not exist; NULL: who is not alive. True: there
   was one. `exists` must not ask the members. */
bool members_forget(struct members *members, bool (*exists)(const void *context, const char *node),
	const void *context);
/* Judges by the time; to be called at members_next. True: somebody's state changed. */
bool members_judge(struct members *members, struct monotime now);
/* This one's Lease was not renewed for its duration, as the caller has seen for itself: for
   readers that are no speakers, and have seen too few Leases to be in contact. */
void members_bury(struct members *members, const char *node);
/* False: nothing to wait for; out of contact the next Lease seen is what matters. */
bool members_next(const struct members *members, struct monotime now, struct monotime *ret);
/* Leases are being seen to change, so silence of one means something. */
bool members_in_contact(const struct members *members, struct monotime now);

size_t members_alive(const struct members *members);
/* How many were seen to write their Lease since the first list was complete, and are not
   established (core/holds.h): they have just started. */
size_t members_starting(const struct members *members);
/* Sorted by node. */
size_t members_count(const struct members *members);
const struct member *members_at(const struct members *members, size_t index);
const struct member *members_find(const struct members *members, const char *node);

#endif
