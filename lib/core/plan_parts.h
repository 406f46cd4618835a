// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_PLAN_PARTS_H
#define HERALD_CORE_PLAN_PARTS_H

#include "herald/core/elect.h"
#include "herald/core/plan.h"

/* One address of one Service. */
struct plan_claim {
	struct ip address;
	const struct service *service;
	const struct config_pool *pool; /* NULL: one of spec.externalIPs or spec.clusterIPs */
	bool local;			/* only nodes with endpoints take traffic for it */
};
struct plan_claims {
	struct plan_claim *items; /* sorted by address, then by Service */
	size_t count;
};
struct plan_claims plan_claims_collect(const struct plan_input *input);
/* Adds cluster IPs that BGP is to announce (bgp.announceClusterIPs). */
void plan_claims_add_cluster(struct plan_claims *claims, const struct plan_input *input);
void plan_claims_done(struct plan_claims *claims);
/* The index after the last claim of the same address. */
size_t plan_claims_end(const struct plan_claims *claims, size_t begin);

/* What the plans of layer 2 and BGP share: the facts about nodes and rules of one plan. */
struct plan_node {
	const struct node *node;
	uint64_t hash; /* of the election */
	uint8_t base;  /* PLAN_ELIGIBLE, perhaps worse, or what refuses it for all addresses */
	struct interface_list interfaces;
};

/* A set of rules that some address falls under, judged for every node. */
struct plan_rules {
	size_t *indexes; /* into the configuration's rules, ascending */
	size_t count;
	uint8_t *verdicts;	 /* for each node: PLAN_ELIGIBLE or a refusal */
	uint32_t *weights;	 /* for each node: the sum of the preferences that match */
	uint64_t *interfaces;	 /* for each node: bit n: its interface n is allowed */
	struct plan_where where; /* on ourselves */
};

/* A node says that it holds the addresses of this hash (core/holds.h). */
struct plan_hold {
	uint32_t hash;
	size_t node;
};

enum plan_endpoints { PLAN_ENDPOINTS_NONE, PLAN_ENDPOINTS_TERMINATING, PLAN_ENDPOINTS_READY };

struct plan_facts {
	const struct plan_input *input;
	const struct config_layer2 *rules; /* none: layer 2 is off */
	size_t rule_count;
	struct plan_node *nodes; /* sorted by name */
	size_t node_count;
	const struct endpoint_slice **slices; /* sorted by namespace and Service */
	size_t slice_count;
	struct plan_hold *holds; /* sorted */
	size_t hold_count;
};

void plan_facts_init(struct plan_facts *facts, const struct plan_input *input);
void plan_facts_done(struct plan_facts *facts);

/* Fills verdicts, weights and interfaces of a set of rules. */
void plan_judge_rules(const struct plan_facts *facts, struct plan_rules *rules);

/* For each node what endpoints the Service has there, of one family. */
void plan_judge_endpoints(const struct plan_facts *facts, const struct service *service,
	uint8_t family, uint8_t *ret_by_node);

/* Adds how many ready endpoints the Service has on each node. */
void plan_count_endpoints(const struct plan_facts *facts, const struct service *service,
	uint8_t family, uint32_t *by_node);

/* What endpoints all (or, where no node has that, any) of the claims that are
   local have on each node; false, all of them ready, where none has that policy. */
bool plan_judge_claims(const struct plan_facts *facts, const struct plan_claim *claims,
	size_t count, uint8_t *ret_by_node);

/* What speaks against the node, whatever the state of its Lease. */
uint8_t plan_judge_node(const struct plan_input *input, const struct node *node);

/* The verdict on node `index` for an address; `endpoints` NULL where they don't matter. */
uint8_t plan_judge(const struct plan_facts *facts, const struct plan_rules *rules,
	const uint8_t *endpoints, const struct ip *address, size_t index);

/* Room for the election of one address at a time (plan_elect.c). */
struct plan_election {
	const struct plan_facts *facts;
	const char *const *names; /* of the nodes; the plan's, since the choice outlives facts */
	size_t *field;		  /* indexes of the nodes that are left */
	size_t count;
	struct elect_candidate *candidates;
};
void plan_election_init(
	struct plan_election *election, const struct plan_facts *facts, const char *const *names);
void plan_election_done(struct plan_election *election);

/* Sets what follows from the address and the verdicts: who owns it. Where per client, those
   who serve it are left in the field. */
void plan_elect(
	struct plan_election *election, const struct plan_rules *rules, struct plan_vip *vip);

/* Memory that lives as long as its plan. */
struct plan_block;
void *plan_keep(struct plan *plan, const void *bytes, size_t size);
const char *plan_keep_text(struct plan *plan, const char *text);

#endif
