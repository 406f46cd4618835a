// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BGP_PARTS_H
#define HERALD_CORE_BGP_PARTS_H

#include "herald/core/bgp_plan.h"
#include "plan_parts.h"

/* What the files of the BGP plan share. Private to lib/core/bgp_*.c. */

/* An advertisement as it concerns this cluster and this node. */
struct bgp_rule {
	const struct config_bgp_advertisement *from;
	bool *pools; /* by index of the configuration's; the last: addresses of no pool */
	bool *nodes; /* by index of the facts' nodes: those that it selects, and that have a peer */
	bool on_self;
	bool *sessions; /* by index of the plan's; NULL: all */
};

struct bgp_recipe;

struct bgp_maker {
	const struct bgp_plan_input *input;
	const struct config_bgp *config;
	const struct node *self;
	struct bgp_plan *plan;
	size_t problem_room;
	struct plan_facts facts;
	size_t self_index; /* into the facts' nodes */
	struct bgp_rule *rules;
	size_t rule_count;
	struct bgp_recipe **recipes; /* hashed, room a power of two */
	size_t recipe_room;
};

const char *bgp_keep_text(struct bgp_maker *m, const char *text);
/* The node's first address of the family; IP_NONE where it has none. */
struct ip bgp_node_address(const struct node *node, uint8_t family);

/* Whom a problem is about; unset members are "" and 0. */
struct bgp_concern {
	enum bgp_problem_kind kind;
	const char *name;
	unsigned line;
};
/* Once, however often it is told. */
void bgp_tell(struct bgp_maker *m, const struct bgp_concern *concern, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The sessions of this node (bgp_session.c). */
void bgp_make_sessions(struct bgp_maker *m);

/* The addresses and the routes, once the sessions are made (bgp_route.c). */
void bgp_make_routes(struct bgp_maker *m);

/* What a route is made of: the same offers for all routes made of the same (bgp_offer.c). */
struct bgp_ingredients {
	uint8_t family;
	uint32_t endpoints;    /* on this node; 0 where nobody weighs */
	uint32_t behind;       /* so many fewer than the node with most */
	const uint32_t *rules; /* ascending, unique */
	size_t rule_count;
};
struct bgp_recipe {
	uint64_t hash;
	size_t index; /* in order of making */
	struct bgp_ingredients from;
	const struct bgp_offer *offers;
	size_t offer_count;
	const char *problem; /* "" none */
};
const struct bgp_recipe *bgp_recipe_for(struct bgp_maker *m, const struct bgp_ingredients *from);
void bgp_recipes_done(struct bgp_maker *m);

#endif
