// SPDX-License-Identifier: Apache-2.0
/*
 * The loop from Services as they are to Services as they should be. In: objects, the
 * configuration, addresses that nodes have. Out: one PATCH per change. Here is when
 * something is decided: in turns of a bounded number, those that waited longest first,
 * and what failed again after a while.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "assigner_state.h"

#define TURN_DECISIONS 256u /* then the loop gets to do something else */

void assigner_schedule(struct assigner *a)
{
	if (a->started && !timer_is_running(a->turn))
		timer_start(a->turn, 0);
}

void assigner_mark(struct assigner *a, struct record *record)
{
	record_mark(&a->records, record);
	assigner_schedule(a);
}

void assigner_set_state(struct assigner *a, struct record *record, enum assign_state state)
{
	a->states[record->state]--;
	record->state = (uint8_t)state;
	a->states[state]++;
}

/* Those whose object is not kept are judged as the list comes along. */
void assigner_judge_all(struct assigner *a)
{
	const struct records *records = &a->records;

	a->judgement++;
	for (struct record *record = records_first(records); record;
		record = records_next(records, record)) {
		if (record->work)
			record_mark(&a->records, record);
		else
			a->list_again = true;
	}
	assigner_schedule(a);
}

static void report_numbers(struct assigner *a)
{
	for (size_t i = 0; i < ASSIGN_STATE_COUNT; i++) {
		if (a->report.states[i])
			metric_set(a->report.states[i], (double)a->states[i]);
	}
	metric_set(a->report.queue, (double)a->records.dirty.count);
	report_pools(&a->report, a->alloc);
}

/* After a list most of what it brought has been shed. */
static void give_back_memory(struct assigner *a)
{
	if (a->trimmed != a->records.list)
		malloc_trim(0);
	a->trimmed = a->records.list;
}

/* Nobody gets what one who has waited longer may have. Before the next one is taken from
   the queue, since that may be among them, and be settled or forgotten by this. */
static void try_waiting_first(struct assigner *a)
{
	const struct record *next = a->records.dirty.first;

	if (next && (!alloc_holds_any(&next->holder) || next->work->is_waiting))
		assigner_try_waiting(a);
}

static void on_turn(void *context)
{
	struct assigner *a = context;
	unsigned decisions = 0;

	if (a->drained)
		return;
	if (a->list_again) {
		a->list_again = false;
		a->options.list_again(a->options.context);
	}
	while (writer_is_ready(a->writer) && decisions++ < TURN_DECISIONS) {
		struct record *record;

		try_waiting_first(a);
		record = record_next_dirty(&a->records);
		if (!record)
			break;
		if (record->work->job || record->work->failed)
			continue; /* its end, or the slow retry, marks it again */
		if (record->work->stale)
			assigner_read(a, record);
		else
			assigner_decide(a, record);
	}
	assigner_try_waiting(a);
	report_numbers(a);
	if (a->records.dirty.count == 0)
		give_back_memory(a);
	else if (writer_is_ready(a->writer))
		assigner_schedule(a);
}

/* ---- what became of a write or read ---- */

static void refused(struct assigner *a, struct record *record, const struct err *error)
{
	record->work->failed = true;
	report_problem(&a->report, record, "SyncLoadBalancerFailed", error->text);
}

void assigner_check_drained(struct assigner *a)
{
	if (a->drained && writer_jobs(a->writer) == 0)
		a->drained(a->drained_context);
}

static void on_ended(void *context, void *subject, enum writer_outcome outcome,
	struct service *service, const struct err *error)
{
	struct assigner *a = context;
	struct record *record = subject;

	record->work->job = NULL;
	switch (outcome) {
	case WRITER_DONE:
		record->work->stale = false;
		assigner_put_take(a, service, false);
		break;
	case WRITER_GONE:
		/* Of a read, it is certain; of a write, it is read to make sure. */
		if (record->work->stale) {
			assigner_forget(a, record);
			assigner_check_drained(a);
			return;
		}
		record->work->stale = true;
		break;
	case WRITER_STALE:
	case WRITER_UNKNOWN:
		record->work->stale = true;
		break;
	case WRITER_REFUSED:
		refused(a, record, error);
		break;
	}
	assigner_mark(a, record);
	assigner_check_drained(a);
}

static void on_ready(void *context)
{
	assigner_schedule(context);
}

/* C31: what failed is tried again now and then, whatever happened or did not. */
static void on_slow(void *context)
{
	struct assigner *a = context;
	const struct records *records = &a->records;

	for (struct record *record = records_first(records); record;
		record = records_next(records, record)) {
		if (!record->work || !(record->work->failed || record->work->is_waiting))
			continue;
		record->work->failed = false;
		assigner_mark(a, record);
	}
	malloc_trim(0);
	timer_start(a->slow, a->options.retry_ms);
}

/* ---- inputs ---- */

void assigner_configure(struct assigner *assigner, const struct config *config)
{
	alloc_configure(assigner->alloc, config);
	if (assigner->started)
		assigner_judge_all(assigner);
}

void assigner_namespace_changed(struct assigner *assigner, const char *namespace)
{
	const struct records *records = &assigner->records;

	if (!assigner->started)
		return;
	for (struct record *record = records_first(records); record;
		record = records_next(records, record)) {
		if (!record_is_in_namespace(record, namespace))
			continue;
		if (!record->work) {
			assigner_judge_all(assigner);
			return;
		}
		assigner_mark(assigner, record);
	}
}

static int compare_age(const void *a, const void *b)
{
	const struct object_meta *left = &(*(struct service *const *)a)->meta;
	const struct object_meta *right = &(*(struct service *const *)b)->meta;
	int order;

	if (left->created_unix != right->created_unix)
		return left->created_unix < right->created_unix ? -1 : 1;
	order = strcmp(left->namespace, right->namespace);
	return order != 0 ? order : strcmp(left->name, right->name);
}

/*
 * The records of all that is known, oldest Service first, each to be decided. All records
 * are made before the first one's work, which is freed soon: in between them its memory
 * could not be given back.
 */
static void take_first(struct assigner *a)
{
	if (a->first.count > 0)
		qsort(a->first.items, a->first.count, sizeof(*a->first.items), compare_age);
	a->started = true;
	for (size_t i = 0; i < a->first.count; i++) {
		const struct service *service = a->first.items[i];

		assigner_add(a, &service->meta);
	}
	for (size_t i = 0; i < a->first.count; i++) {
		struct service *service = a->first.items[i];
		const struct object_meta *meta = &service->meta;

		assigner_begin_take(
			a, record_find(&a->records, meta->namespace, meta->name), service);
	}
	a->first.count = 0;
	store_done(&a->first);
}

/* What status has, of those of one pass. */
static size_t adopt_status(struct assigner *a, unsigned pass)
{
	struct record *record = a->records.dirty.first;
	size_t adopted = 0;

	for (; record; record = record->work->dirty.next) {
		struct assign_input input = assigner_input_of(a, record);

		if (assign_pass_of(a->alloc, &input) == pass)
			adopted += assign_adopt_status(a->alloc, &input);
	}
	return adopted;
}

void assigner_start(struct assigner *assigner)
{
	struct records *records = &assigner->records;
	struct record *record;
	size_t adopted = 0;
	AUTO_FREE char *total = NULL;
	AUTO_FREE char *found = NULL;

	if (assigner->listing)
		return;
	take_first(assigner);
	for (unsigned pass = 0; pass < ASSIGN_PASSES; pass++)
		adopted += adopt_status(assigner, pass);
	/* Only then what Services without status remember: theirs may have been given away. */
	for (record = records->dirty.first; record; record = record->work->dirty.next) {
		struct assign_input input = assigner_input_of(assigner, record);

		if (!alloc_holds_any(&record->holder))
			assign_adopt_annotation(assigner->alloc, &input);
	}
	total = xasprintf("%zu", records->count);
	found = xasprintf("%zu", adopted);
	log_info(assigner->program->log, "assigning begins", "services", total, "adopted", found,
		NULL);
	timer_start(assigner->slow, assigner->options.retry_ms);
}

bool assigner_has_started(const struct assigner *assigner)
{
	return assigner->started;
}

void assigner_drain(struct assigner *assigner, void (*done)(void *context), void *context)
{
	assigner->drained = done;
	assigner->drained_context = context;
	assigner_check_drained(assigner);
}

/* ---- making and unmaking ---- */

struct assigner *assigner_new(struct program *program, const struct assigner_options *options)
{
	static const struct writer_sink sink = {.ended = on_ended, .ready = on_ready};
	struct assigner *a = xcalloc(1, sizeof(*a));

	a->program = program;
	a->options = *options;
	a->alloc = alloc_new();
	a->writer = writer_new(program, &sink, a);
	a->turn = timer_new(program->loop, on_turn, a);
	a->slow = timer_new(program->loop, on_slow, a);
	report_init(&a->report, program);
	return a;
}

void assigner_free(struct assigner *assigner)
{
	struct record *record, *next;

	if (!assigner)
		return;
	writer_free(assigner->writer);
	for (record = records_first(&assigner->records); record; record = next) {
		next = records_next(&assigner->records, record);
		alloc_release(assigner->alloc, &record->holder);
		record_remove(&assigner->records, record);
	}
	records_done(&assigner->records);
	store_done(&assigner->first);
	timer_free(assigner->turn);
	timer_free(assigner->slow);
	report_end(&assigner->report);
	alloc_free(assigner->alloc);
	free(assigner);
}
