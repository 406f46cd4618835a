// SPDX-License-Identifier: Apache-2.0
/*
 * From one Service as it is to the write that makes it what it should be. The rules are
 * in core/assign.c; here is what happens while a write is under way, and to a Service
 * that another program keeps changing.
 *
 * A decision's Events are told, and addresses that are being left are freed, only once
 * the object is seen to be as it was decided: whatever was lost on the way is then made
 * good by deciding again.
 */
#include <string.h>
#include <time.h>

#include "assigner_state.h"
#include "status_patch.h"

#define CONTEST_WINDOW_S 60u
#define CONTEST_WRITES_MAX 30u /* to one Service in a window; more is a fight (C25) */

struct assign_input assigner_input_of(const struct assigner *a, struct record *record)
{
	const struct service *service = record->work->service;

	return (struct assign_input){
		.service = service,
		.namespace_labels =
			a->options.namespace_labels(a->options.context, service->meta.namespace),
		.holder = &record->holder,
		.ours = assign_is_ours(&a->options.rules, service),
	};
}

static bool wants_more(const struct record *record, const struct assign_decision *decision)
{
	if (decision->state == ASSIGN_ASSIGNED)
		return record->work->service->families[1] != IP_NONE && decision->address_count < 2;
	return decision->state == ASSIGN_PENDING || decision->state == ASSIGN_KEPT;
}

static void note_decision(
	struct assigner *a, struct record *record, const struct assign_decision *decision)
{
	assigner_set_state(a, record, decision->state);
	record_set_waiting(&a->records, record, wants_more(record, decision));
	for (size_t i = 0; i < decision->event_count; i++) {
		if (record_keep_event(record, &decision->events[i]))
			report_decided(&a->report, decision, &decision->events[i]);
	}
}

/* Counts a write; false: another program keeps undoing them, so that this one must wait. */
static bool may_write(struct assigner *a, struct record *record)
{
	uint32_t now = (uint32_t)(loop_now(a->program->loop).ns / 1000000000u);

	if (record->writes == 0 || now - record->window_start >= CONTEST_WINDOW_S) {
		record->window_start = now;
		record->writes = 0;
	}
	if (record->writes < CONTEST_WRITES_MAX) {
		record->writes++;
		return true;
	}
	if (record->writes == CONTEST_WRITES_MAX) {
		record->writes++;
		metric_add(a->report.contested, 1);
		report_problem(&a->report, record, "StatusContested",
			"another program keeps changing what Herald writes to this Service: see "
			"metadata.managedFields for its name, and give the two different "
			"loadBalancerClasses");
	}
	return false;
}

static void write_decision(
	struct assigner *a, struct record *record, const struct assign_decision *decision)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *body = NULL;

	if (record->work->job)
		return; /* when it has ended, this is decided anew */
	if (!writer_is_ready(a->writer) || a->drained) {
		record_mark(&a->records, record);
		return;
	}
	if (!may_write(a, record)) {
		record->work->failed = true;
		return;
	}
	path = service_path(record->work->service);
	body = status_patch_body(record->work->service, decision, time(NULL));
	record->work->job = writer_patch(a->writer, path, body, record);
}

/* The object is as it was decided. */
static void settle(struct assigner *a, struct record *record, enum assign_state state)
{
	struct monotime now = loop_now(a->program->loop);

	if (state == ASSIGN_RELEASED)
		alloc_release(a->alloc, &record->holder);
	else
		alloc_settle(a->alloc, &record->holder);
	for (const struct record_event *event = record->work->events; event; event = event->next) {
		if (strcmp(event->reason, "IPAllocated") == 0)
			report_assigned(&a->report, now.ns - record->work->since.ns);
	}
	report_events(&a->report, record);
	record_drop_events(record);
	if (!assigner_is_of_interest(record->work->service))
		assigner_forget(a, record);
	else if ((state == ASSIGN_ASSIGNED || state == ASSIGN_FOREIGN) &&
		 !record->work->is_waiting && record->work->service->external_ip_count == 0)
		record_settle(&a->records, record);
}

void assigner_decide(struct assigner *a, struct record *record)
{
	struct assign_input input = assigner_input_of(a, record);
	struct assign_decision decision;

	record->judgement = a->judgement;
	assign_decide(a->alloc, &input, &decision);
	note_decision(a, record, &decision);
	if (decision.write)
		write_decision(a, record, &decision);
	else if (!record->work->job)
		settle(a, record, decision.state);
}

void assigner_read(struct assigner *a, struct record *record)
{
	AUTO_FREE char *path = service_path(record->work->service);

	record->work->job = writer_read(a->writer, path, record);
}

void assigner_try_waiting(struct assigner *a)
{
	struct record *record = a->records.waiting.first;

	if (a->judged_generation == alloc_generation(a->alloc))
		return;
	a->judged_generation = alloc_generation(a->alloc);
	while (record) {
		struct record *next = record->work->waiting.next;

		if (!record->work->failed && !record->work->stale)
			assigner_decide(a, record);
		record = next;
	}
}
