// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_CHANGES_H
#define HERALD_CONTROLLER_CHANGES_H

#include "herald/core/bgp_plan.h"
#include "herald/core/members.h"
#include "herald/core/plan.h"
#include "timeline.h"

/*
 * What is told in the timeline: the differences between the cluster as it was seen before
 * and as it is now. Pure. What was there when it was first looked at is not told.
 */
struct changes; /* what was seen before */

struct changes *changes_new(struct timeline *timeline);
void changes_free(struct changes *changes); /* NULL is allowed */

struct changes_input {
	const struct plan *before, *plan; /* `before`: NULL at first */
	const struct bgp_plan *bgp;	  /* of any node; NULL: no BGP */
	const struct plan_input *objects;
	int64_t time_ms;
};
void changes_follow(struct changes *changes, const struct changes_input *input);

#endif
