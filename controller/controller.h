// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_CONTROLLER_H
#define HERALD_CONTROLLER_CONTROLLER_H

#include "herald/core/assign.h"
#include "herald/kube/program.h"

/*
 * The controller: takes part in the election of a leader, and while it leads, watches and
 * assigns. One that does not lead watches nothing, so that it begins from a list that is
 * younger than the last write of the leader before it (K59).
 */
struct controller_options {
	const char *identity;	   /* --identity, $POD_NAME, else the host's name */
	struct assign_rules rules; /* --load-balancer-class, --handle-unset-class */
	uint32_t retry_ms;	   /* --retry-interval */
};

struct controller;

/* `program` and `options` are borrowed. */
struct controller *controller_new(
	struct program *program, const struct controller_options *options);
/* `controller` is a struct controller. */
bool controller_is_leading(void *controller);
void controller_free(struct controller *controller); /* NULL is allowed */

/* Ends what is being written, releases the Lease, stops the loop; within this bound. */
#define CONTROLLER_STOP_MS 8000u
void controller_stop(void *controller);

#endif
