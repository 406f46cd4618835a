// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_REPORT_H
#define HERALD_CONTROLLER_REPORT_H

#include "herald/kube/program.h"
#include "record.h"

/*
 * What people see of assignments: log lines, Events and metrics.
 */
struct report {
	struct program *program;
	struct metric *states[ASSIGN_STATE_COUNT];
	struct metric *failures[ALLOC_REASON_COUNT];
	struct metric *assign_seconds, *conflicts, *contested, *queue;
};

void report_init(struct report *report, struct program *program);

/* A decision that was not known before: counts what it tells. */
void report_decided(const struct report *report, const struct assign_decision *decision,
	const struct assign_event *event);
/* What the record's events tell has been written. */
void report_events(const struct report *report, const struct record *record);
/* An Event that is no decision's. */
void report_problem(const struct report *report, const struct record *record, const char *reason,
	const char *message);
void report_assigned(const struct report *report, uint64_t waited_ns);
void report_pools(const struct report *report, const struct alloc *alloc);
/* Nothing more is known: what was told of the present holds no longer. */
void report_end(const struct report *report);

#endif
