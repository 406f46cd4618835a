// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_REPORT_H
#define HERALD_SPEAKER_REPORT_H

#include "bgp.h"
#include "herald/core/ownership.h"
#include "herald/core/plan.h"
#include "herald/kube/cluster.h"
#include "herald/kube/program.h"
#include "layer2.h"

/*
 * Telling people what happened to an address: one log line and, where a Service's owner
 * would want to know, one Event on the Service.
 */
struct report {
	struct program *program;
	const char *self;
	const struct layer2 *layer2;
	const struct cluster *cluster;
	const struct bgp *bgp;
	struct metric *failovers, *failover_seconds;
};

void report_init(struct report *report, struct program *program, const char *self);

/* An effect carried out. `before` may be NULL: the plan that was in force until now. */
void report_effect(const struct report *report, const struct ownership_effect *effect,
	const struct plan *before, const struct plan *after);
/* Another station has an address that was to be announced; heard on `port`. */
void report_conflict(const struct report *report, const struct conflict *conflict,
	const struct port *port, const struct plan *plan);
/* Addresses that nobody owns since this plan (K42, L14); to be called on one node only. */
void report_ownerless(
	const struct report *report, const struct plan *before, const struct plan *after);

#endif
