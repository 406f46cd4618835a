// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BGP_PARTS_H
#define HERALD_CORE_BGP_PARTS_H

#include "herald/core/bgp_plan.h"
#include "plan_parts.h"

/* What the files of the BGP plan share. Private to lib/core/bgp_*.c. */
struct bgp_maker {
	const struct bgp_plan_input *input;
	const struct config_bgp *config;
	const struct node *self;
	struct bgp_plan *plan;
	size_t problem_room;
};

const char *bgp_keep_text(struct bgp_maker *m, const char *text);

/* Whom a problem is about; unset members are "" and 0. */
struct bgp_concern {
	enum bgp_problem_kind kind;
	const char *namespace, *name;
	unsigned line;
};
void bgp_tell(struct bgp_maker *m, const struct bgp_concern *concern, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The sessions of this node (bgp_session.c). */
void bgp_make_sessions(struct bgp_maker *m);

#endif
