// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_VIEW_H
#define HERALDCTL_VIEW_H

#include "adoption.h"
#include "facts.h"
#include "herald/core/plan.h"

/*
 * What follows from the facts: the configuration, who holds which address, and which node
 * owns it, all by the same pure functions as in the programs.
 */
struct bgp_view;

struct view {
	const struct facts *facts;
	const struct assign_rules *rules;
	struct config *config; /* NULL: there is none, or it is refused */
	char *config_problem;  /* why there is none, and what to do; NULL: it is good */
	struct plan *plan;
	struct adoption adoption;
	struct bgp_view *bgp; /* bgp_view.h; never NULL */
};
/* The facts and rules are borrowed. */
void view_make(const struct facts *facts, const struct assign_rules *rules, struct view *ret);
void view_done(struct view *view);
/* What plans are made from; `self` is nobody. */
void view_plan_input(const struct view *view, struct plan_input *ret);

/* The nodes that announce an address by BGP: "node1,node2"; malloc'ed. */
char *view_bgp_nodes(const struct view *view, const struct ip *address);

/* One Service in a few words. */
enum service_state {
	SERVICE_PENDING,   /* has no address */
	SERVICE_CONFLICT,  /* another machine has its address */
	SERVICE_NO_RULE,   /* its address is to be announced by nobody */
	SERVICE_NO_NODE,   /* no node may announce it */
	SERVICE_NO_CONFIG, /* who announces it is not known */
	SERVICE_ANNOUNCED
};
const char *service_state_name(enum service_state state); /* "Announced" */

struct service_health {
	enum service_state state;
	char *why; /* "" where it is announced; malloc'ed */
};
void service_health(
	const struct view *view, const struct service *service, struct service_health *ret);
void service_health_done(struct service_health *health);

/* The verdict on a node for an address of the plan; `node` by name. NULL: no such node. */
const uint8_t *view_verdict(const struct view *view, const struct plan_vip *vip, const char *node);

#endif
