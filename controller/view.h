// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_VIEW_H
#define HERALD_CONTROLLER_VIEW_H

#include "herald/core/alloc.h"
#include "herald/core/bgp_plan.h"
#include "herald/core/conflicts.h"
#include "herald/core/plan.h"

/*
 * How the Services of ours stand, as the status page shows it: a row for each, what the
 * pools and nodes have, and those rows that somebody asks for. Pure; it borrows the
 * objects, the plan and the configuration, and is made anew whenever one of them changes.
 */
enum view_health {
	VIEW_CONFLICT,	   /* another machine has one of its addresses */
	VIEW_PENDING,	   /* has no address */
	VIEW_UNANNOUNCED,  /* nobody announces one of its addresses */
	VIEW_KEPT,	   /* something that it asks for can't be met */
	VIEW_NO_ENDPOINTS, /* announced, with no pod that is ready */
	VIEW_OK,
	VIEW_HEALTH_COUNT
};
/* "conflict", "pending", ... */
const char *view_health_text(enum view_health health);
/* False: there is none such. */
bool view_health_parse(const char *text, enum view_health *ret);

#define VIEW_ADDRESSES 2 /* one a family, as Herald assigns them */

struct view_address {
	struct ip ip;
	const struct config_pool *pool; /* NULL: of none */
	const struct plan_vip *vip;	/* NULL: not in the plan */
	const struct bgp_vip *bgp;	/* NULL: not in the plan of BGP */
	bool by_bgp;			/* an advertisement selects it, and some peer is there */
	const struct conflict *conflict;
};

struct view_row {
	const struct service *service;
	enum view_health health;
	struct view_address addresses[VIEW_ADDRESSES];
	size_t address_count;
	unsigned ready, endpoints;
};

struct view_input {
	const struct plan_input *objects;
	const struct plan *plan;
	const struct bgp_plan *bgp; /* of any node; NULL: no BGP */
	const struct alloc *alloc;  /* with the configuration in force; for pools alone */
};

struct view {
	struct view_row *rows; /* by namespace and name */
	size_t row_count;
	size_t health[VIEW_HEALTH_COUNT];
	uint64_t (*pool_use)[2]; /* one for each pool of the configuration, IPv4 and IPv6 */
	struct conflict_list conflicts;
};

struct view *view_make(const struct view_input *input);
void view_free(struct view *view); /* NULL is allowed */
/* NULL: there is none. */
const struct view_row *view_find(const struct view *view, const char *namespace, const char *name);

enum view_order { VIEW_BY_NAME, VIEW_BY_HEALTH, VIEW_BY_ADDRESS, VIEW_BY_NODE };

/* What is asked for; NULL: whatever. */
struct view_query {
	const char *text; /* in its name or one of its addresses, without regard to case */
	const char *namespace, *pool, *node;
	const enum view_health *health;
	enum view_order order;
	bool descending;
};
/* The rows that match, in order; malloc'ed. */
const struct view_row **view_select(
	const struct view *view, const struct view_query *query, size_t *ret_count);

#endif
