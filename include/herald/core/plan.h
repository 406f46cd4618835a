// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_PLAN_H
#define HERALD_CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/core/config.h"
#include "herald/core/interfaces.h"
#include "herald/core/members.h"
#include "herald/core/objects.h"

/*
 * Which node owns which address: the same answer on every node that sees the same
 * objects (C30). An address is in the plan when it stands in status.loadBalancer.ingress
 * of a Service of ours and lies in a pool of the configuration, or in any Service's
 * spec.externalIPs, outside the pools, where the configuration allows that (only rules
 * that name no pool cover these). Each node gets a verdict for each address. The owner is
 * among the nodes with the best one; of these among those that hold it (core/holds.h), if
 * any; of these among those of the highest preference (L13: the weights of all rules that
 * cover the address, select the node and match its labels, added up); and of these the
 * election's choice (elect.h). Where the pool says `spread: per-client` all of those with the
 * best verdict and the highest preference serve it, each its own clients (sharing.h), and
 * the owner is one of them. A Service that shares its address with others owns it together with
 * them: a node must suit all of them, or any where none suits all.
 */
enum plan_verdict {
	/* Refusals, the first that applies. */
	PLAN_NO_SPEAKER, /* no Lease was seen */
	PLAN_LEASE_EXPIRED,
	PLAN_SUSPECTED,		  /* dead by BFD (suspicion.h), its Lease is alive yet */
	PLAN_LEAVING,		  /* its speaker has released its Lease */
	PLAN_NODE_DELETING,	  /* deletionTimestamp is set */
	PLAN_TO_BE_DELETED,	  /* taint of the cluster autoscaler (K40) */
	PLAN_OUT_OF_SERVICE,	  /* taint node.kubernetes.io/out-of-service (C21) */
	PLAN_SHUTTING_DOWN,	  /* C12 */
	PLAN_DRAINED,		  /* label herald.io/drain (C21) */
	PLAN_CORDONED,		  /* where the configuration wants that (C21) */
	PLAN_NETWORK_UNAVAILABLE, /* K40 */
	PLAN_EXCLUDED,		  /* K39 */
	PLAN_NO_RULE,		  /* no layer 2 rule covers pool and Service (L14) */
	PLAN_NOT_SELECTED,	  /* no rule's nodeSelectors match */
	PLAN_NO_INTERFACE,	  /* no interface that is up matches */
	PLAN_NO_ENDPOINT,	  /* externalTrafficPolicy Local, none on this node (K30) */
	PLAN_REFUSAL_COUNT,
	/* From here on it may own it; lower is better, so these bits add up. */
	PLAN_ELIGIBLE = 0x80,
	PLAN_WORSE_TERMINATING = 0x01, /* its endpoints are all terminating (K44) */
	PLAN_WORSE_NOT_READY = 0x02,   /* K40 */
	PLAN_WORSE_OFF_LINK = 0x04     /* the address is in none of its networks (L06) */
};
/* "its Lease has expired", ...; for eligible ones what makes them worse, or "eligible". */
const char *plan_verdict_text(uint8_t verdict);

/* Which Services are ours (K01, K02). */
struct plan_class {
	const char *name;  /* loadBalancerClass; NULL: those without a class */
	bool handle_unset; /* with a name: those without a class too */
};
bool plan_class_matches(const struct plan_class *class, const struct service *service);

struct plan_input {
	const struct config *config; /* NULL: nothing is ours */
	struct plan_class class;
	const struct service *const *services;
	size_t service_count;
	const struct endpoint_slice *const *slices;
	size_t slice_count;
	const struct node *const *nodes;
	size_t node_count;
	const struct members *members;
	const char *self;
	bool self_leaving; /* as if our own Lease had been released already */
};

/* On a node and its speaker, whatever the address; with a configuration. */
uint8_t plan_verdict_on_node(const struct plan_input *input, const struct node *node);

/* Where this node answers an address that it owns. */
struct plan_where {
	const char *const *patterns; /* of interface names */
	size_t pattern_count;
	bool suitable; /* and all interfaces that need not be named */
};
bool plan_where_allows(const struct plan_where *where, const struct interface *interface);

struct plan_vip {
	struct ip address;
	const char *namespace, *service, *uid; /* the oldest by name of those that share it */
	size_t sharers;
	bool covered;	       /* by some layer 2 rule (L14) */
	const char *owner;     /* NULL: no node is eligible */
	bool ours;	       /* we are the owner; where per client, we serve it */
	bool per_client;       /* several nodes serve it at the same time */
	const size_t *serving; /* which of plan.nodes serve it: the owner, or these several */
	size_t serving_count;
	/* Of ours: another node would own it if all were well (astray), or does not own it
	   just because we hold it (heir; else NULL). */
	bool astray;
	const char *heir;
	const uint8_t *verdicts; /* one for each of plan.nodes */
	struct plan_where where;
};

struct plan {
	struct plan_vip *vips; /* sorted by address */
	size_t vip_count;
	const char **nodes; /* sorted */
	uint8_t *standing;  /* for each of them the verdict that holds for every address */
	size_t node_count;
	struct plan_block *memory; /* what the above points into */
};

/* Holds copies: valid after the input is gone. */
struct plan *plan_make(const struct plan_input *input);
void plan_free(struct plan *plan); /* NULL is allowed */
/* Whether a node serves an address, alone or with others. */
bool plan_serves(const struct plan *plan, const struct plan_vip *vip, const char *node);
const struct plan_vip *plan_find(const struct plan *plan, const struct ip *address);

/* How many addresses have another owner than before. */
size_t plan_moved(const struct plan *before, const struct plan *after);

/* "node1: no Lease ...; node2: ...", at most `limit` nodes, then "and N more". malloc'ed. */
char *plan_explain(const struct plan *plan, const struct plan_vip *vip, size_t limit);

#endif
