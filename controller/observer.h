// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_OBSERVER_H
#define HERALD_CONTROLLER_OBSERVER_H

#include "herald/core/plan.h"
#include "herald/kube/program.h"
#include "timeline.h"
#include "view.h"

/*
 * The cluster as the status page shows it, on any replica, whether it leads or not. It
 * watches what the speakers watch and makes the same plan (core/plan.h), so that it knows
 * the owner of each address without anybody having to publish it. It only reads.
 */
struct observer;

/* `changed`: something that is shown is other than before. */
struct observer *observer_new(struct program *program, const struct plan_class *class,
	void (*changed)(void *context), void *context);
void observer_free(struct observer *observer); /* NULL is allowed */

/* Everything was seen once. */
bool observer_is_synced(const struct observer *observer);
bool observer_in_contact(const struct observer *observer);
/* The ConfigMap as it is now is in force. */
bool observer_config_is_valid(const struct observer *observer);
/* NULL: none was seen yet. */
const struct config *observer_config(const struct observer *observer);
/* With the configuration; holds nothing. */
const struct alloc *observer_alloc(const struct observer *observer);
/* Rises with each change. */
uint64_t observer_revision(const struct observer *observer);

/* All of these until the loop turns. */
const struct view *observer_view(struct observer *observer);
const struct plan *observer_plan(const struct observer *observer); /* NULL: none yet */
void observer_objects(const struct observer *observer, struct plan_input *ret);
const struct timeline *observer_timeline(const struct observer *observer);

#endif
