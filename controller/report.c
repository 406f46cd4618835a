// SPDX-License-Identifier: Apache-2.0
/*
 * Words and numbers about assignments. In: records and decisions. Out: log lines, Events
 * on the Service (K50) and metrics (O02, C32). Changes nothing.
 */
#include "report.h"

#include <string.h>

static const double assign_bounds[] = {
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};

static void make_states(struct report *report)
{
	static const char *const names[ASSIGN_STATE_COUNT] = {
		[ASSIGN_PENDING] = "pending",
		[ASSIGN_ASSIGNED] = "assigned",
		[ASSIGN_KEPT] = "kept",
		[ASSIGN_RELEASING] = "releasing",
	};

	for (size_t i = 0; i < ASSIGN_STATE_COUNT; i++) {
		if (names[i])
			report->states[i] =
				metric_gauge(report->program->metrics, "herald_controller_services",
					"Services of type LoadBalancer that are ours, by state.",
					"state", names[i], NULL);
	}
}

void report_init(struct report *report, struct program *program)
{
	struct metrics *metrics = program->metrics;

	*report = (struct report){.program = program};
	make_states(report);
	for (size_t i = ALLOC_OK + 1; i < ALLOC_REASON_COUNT; i++)
		report->failures[i] = metric_counter(metrics,
			"herald_controller_allocation_failures_total",
			"Services that could not be given what they ask for, by the first reason.",
			"reason", alloc_reason_name((enum alloc_reason)i), NULL);
	report->assign_seconds = metric_histogram(metrics, "herald_controller_assign_seconds",
		"Time from when a Service was seen to want an address until it was written.",
		assign_bounds, sizeof(assign_bounds) / sizeof(assign_bounds[0]));
	report->conflicts = metric_counter(metrics, "herald_controller_address_conflicts_total",
		"Services found with an address that an older one has.", NULL);
	report->contested = metric_counter(metrics, "herald_controller_contested_services_total",
		"Times that another program kept undoing what was written to a Service.", NULL);
	report->queue = metric_gauge(metrics, "herald_controller_queue_length",
		"Services that are still to be decided.", NULL);
}

void report_decided(const struct report *report, const struct assign_decision *decision,
	const struct assign_event *event)
{
	if (decision->failure != ALLOC_OK && strcmp(event->reason, "AllocationFailed") == 0)
		metric_add(report->failures[decision->failure], 1);
	if (strcmp(event->reason, "AddressConflict") == 0)
		metric_add(report->conflicts, 1);
}

static void tell(const struct report *report, const struct record *record, bool warning,
	const char *reason, const char *message)
{
	const struct object_meta *meta = &record->work->service->meta;
	const struct kube_object_ref about = {
		.api_version = "v1",
		.kind = "Service",
		.namespace = meta->namespace,
		.name = meta->name,
		.uid = meta->uid,
	};

	log_at(report->program->log, warning ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, message,
		"namespace", meta->namespace, "service", meta->name, "reason", reason, NULL);
	kube_event_record(report->program->events, &about,
		warning ? KUBE_EVENT_WARNING : KUBE_EVENT_NORMAL, reason, message);
}

void report_events(const struct report *report, const struct record *record)
{
	for (const struct record_event *event = record->work->events; event; event = event->next)
		tell(report, record, event->warning, event->reason, event->message);
}

void report_problem(const struct report *report, const struct record *record, const char *reason,
	const char *message)
{
	tell(report, record, true, reason, message);
}

void report_assigned(const struct report *report, uint64_t waited_ns)
{
	metric_observe(report->assign_seconds, (double)waited_ns / 1e9);
}

static void add_pool(struct metrics *metrics, const struct alloc_pool_usage *usage, size_t family)
{
	const char *name = family ? "ipv6" : "ipv4";

	metric_add(metric_gauge(metrics, "herald_controller_pool_addresses",
			   "Addresses that a pool can give out.", "pool", usage->name, "family",
			   name, NULL),
		usage->total[family]);
	metric_add(metric_gauge(metrics, "herald_controller_pool_addresses_in_use",
			   "Addresses of a pool that Services hold.", "pool", usage->name, "family",
			   name, NULL),
		(double)usage->in_use[family]);
}

/* So that no pool is shown that is gone, and those above the cap on series add up. */
static void forget_pools(const struct report *report)
{
	static const char *const names[] = {
		"herald_controller_pool_addresses", "herald_controller_pool_addresses_in_use"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		metrics_forget(report->program->metrics, names[i]);
}

void report_pools(const struct report *report, const struct alloc *alloc)
{
	struct metrics *metrics = report->program->metrics;

	forget_pools(report);
	for (size_t i = 0; i < alloc_pool_count(alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(alloc, i);

		for (size_t family = 0; family < 2; family++) {
			if (usage.total[family] > 0)
				add_pool(metrics, &usage, family);
		}
	}
}

void report_end(const struct report *report)
{
	forget_pools(report);
	for (size_t i = 0; i < ASSIGN_STATE_COUNT; i++) {
		if (report->states[i])
			metric_set(report->states[i], 0);
	}
	metric_set(report->queue, 0);
}
