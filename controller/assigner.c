// SPDX-License-Identifier: Apache-2.0
/*
 * The loop from Services as they are to Services as they should be. In: objects, the
 * configuration, addresses that nodes have. Out: one PATCH per change. The rules are in
 * core/assign.c; here is when they are asked, and what happens while a write is under
 * way, fails, or is undone by another program.
 *
 * A decision's Events are told, and addresses that are being left are freed, only once
 * the object is seen to be as it was decided: whatever was lost on the way is then made
 * good by deciding again.
 */
#include "assigner.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/kube/decode.h"
#include "herald/kube/store.h"
#include "herald/kube/watch.h"
#include "report.h"
#include "status_patch.h"
#include "writer.h"

#define TURN_DECISIONS 256u /* then the loop gets to do something else */
#define SLOW_RETRY_MS 60000u
#define CONTEST_WINDOW_MS 60000u
#define CONTEST_WRITES_MAX 30u /* to one Service in a window; more is a fight (C25) */

struct assigner {
	struct program *program;
	struct assigner_options options;
	struct alloc *alloc;
	struct store first; /* the Services, until it has started */
	struct records records;
	uint32_t judgement; /* rises when all must be judged anew */
	bool list_again;    /* for those whose object was not kept */
	bool listing;	    /* a list is under way */
	struct writer *writer;
	struct report report;
	struct timer *turn, *slow;
	uint64_t judged_generation; /* of the allocator, when those waiting were last tried */
	size_t states[ASSIGN_STATE_COUNT];
	uint32_t trimmed; /* the list after which memory was given back */
	bool started;
	void (*drained)(void *context); /* NULL: not draining */
	void *drained_context;
};

static void schedule(struct assigner *a)
{
	if (a->started && !timer_is_running(a->turn))
		timer_start(a->turn, 0);
}

static void mark(struct assigner *a, struct record *record)
{
	record_mark(&a->records, record);
	schedule(a);
}

static void set_state(struct assigner *a, struct record *record, enum assign_state state)
{
	a->states[record->state]--;
	record->state = (uint8_t)state;
	a->states[state]++;
}

/* ---- Services as they are ---- */

/* The others are of no concern, whatever happens to them. */
static bool is_of_interest(const struct service *service)
{
	return service->type == SERVICE_LOAD_BALANCER || service->has_finalizer ||
	       service->external_ip_count > 0 || service->condition_count > 0 ||
	       string_map_get(&service->annotations, ANNOTATION_ASSIGNED);
}

/* Those whose object is not kept are judged as the list comes along. */
static void judge_all(struct assigner *a)
{
	struct record *record, *next;

	a->judgement++;
	HASH_ITER (hh, a->records.table, record, next) {
		if (record->service)
			record_mark(&a->records, record);
		else
			a->list_again = true;
	}
	schedule(a);
}

void assigner_block(struct assigner *assigner, const struct ip *ip)
{
	if (alloc_block(assigner->alloc, ip) && assigner->started)
		judge_all(assigner);
}

void assigner_unblock(struct assigner *assigner, const struct ip *ip)
{
	alloc_unblock(assigner->alloc, ip);
	schedule(assigner);
}

static void block_external(struct assigner *a, const struct service *service)
{
	for (uint16_t i = 0; service && i < service->external_ip_count; i++)
		assigner_block(a, &service->external_ips[i]);
}

static void unblock_external(struct assigner *a, const struct service *service)
{
	for (uint16_t i = 0; service && i < service->external_ip_count; i++)
		assigner_unblock(a, &service->external_ips[i]);
}

/* All that is tied to this one object, of which another may follow under the same name. */
static void let_go(struct assigner *a, struct record *record)
{
	writer_cancel(record->job);
	record->job = NULL;
	alloc_release(a->alloc, &record->holder);
	record_drop_events(record);
	record_set_waiting(&a->records, record, false);
	set_state(a, record, ASSIGN_FOREIGN);
	record->stale = record->failed = false;
	record->writes = 0;
	record->since = loop_now(a->program->loop);
}

static void forget(struct assigner *a, struct record *record)
{
	let_go(a, record);
	unblock_external(a, record->service);
	a->states[record->state]--;
	record_remove(&a->records, record);
	schedule(a);
}

static void add_record_take(struct assigner *a, struct service *service)
{
	struct record *record = record_add_take(&a->records, service);

	record->since = loop_now(a->program->loop);
	a->states[record->state]++;
	block_external(a, service);
	mark(a, record);
}

/* `listed`: a list's word counts even where it seems to be older (history went back). */
static void put_take(struct assigner *a, struct service *service, bool listed)
{
	const struct object_meta *meta = &service->meta;
	struct record *record = record_find(&a->records, meta->namespace, meta->name);

	if (!record) {
		if (is_of_interest(service))
			add_record_take(a, service);
		else
			free(service);
		return;
	}
	if (listed)
		record->list = a->records.list;
	if ((strcmp(meta->resource_version, record->version) == 0 &&
		    record->judgement == a->judgement) ||
		(!listed && kube_version_is_older(meta->resource_version, record->version))) {
		free(service);
		return;
	}
	if (!record_is_of(record, meta))
		let_go(a, record); /* K10 */
	if (!record->service)
		record->since = loop_now(a->program->loop);
	block_external(a, service);
	unblock_external(a, record->service);
	record_set_take(record, service);
	record->stale = record->failed = false;
	mark(a, record);
}

static void drop_first_take(struct assigner *a, struct service *service)
{
	store_remove(&a->first, service->meta.namespace, service->meta.name);
	free(service);
}

void assigner_put(struct assigner *assigner, const json_t *object)
{
	struct service *service = NULL;
	struct err e;

	if (kube_decode_service(object, &service, &e) != 0)
		log_warn(assigner->program->log, "the API server sent no Service", "error", e.text,
			NULL);
	else if (assigner->started)
		put_take(assigner, service, true);
	else if (is_of_interest(service))
		store_put_take(&assigner->first, service);
	else
		drop_first_take(assigner, service);
}

void assigner_gone(struct assigner *assigner, const json_t *object)
{
	struct service *service = NULL;
	struct record *record;

	if (kube_decode_service(object, &service, NULL) != 0)
		return;
	if (!assigner->started) {
		drop_first_take(assigner, service);
		return;
	}
	record = record_find(&assigner->records, service->meta.namespace, service->meta.name);
	/* One of the same name may have been read already. */
	if (record && record_is_of(record, &service->meta))
		forget(assigner, record);
	free(service);
}

void assigner_list_begin(struct assigner *assigner)
{
	assigner->listing = true;
	store_list_begin(&assigner->first);
	assigner->records.list++;
}

void assigner_list_end(struct assigner *assigner)
{
	struct record *record, *next;

	assigner->listing = false;
	store_list_end(&assigner->first);
	HASH_ITER (hh, assigner->records.table, record, next) {
		if (record->list != assigner->records.list)
			forget(assigner, record);
	}
}

/* ---- Services as they should be ---- */

static struct assign_input input_of(const struct assigner *a, struct record *record)
{
	const struct service *service = record->service;

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
		return record->service->families[1] != IP_NONE && decision->address_count < 2;
	return decision->state == ASSIGN_PENDING || decision->state == ASSIGN_KEPT;
}

static void note_decision(
	struct assigner *a, struct record *record, const struct assign_decision *decision)
{
	set_state(a, record, decision->state);
	record_set_waiting(&a->records, record, wants_more(record, decision));
	for (size_t i = 0; i < decision->event_count; i++) {
		if (record_keep_event(record, &decision->events[i]))
			report_decided(&a->report, decision, &decision->events[i]);
	}
}

/* Counts a write; false: another program keeps undoing them, so that this one must wait. */
static bool may_write(struct assigner *a, struct record *record)
{
	struct monotime now = loop_now(a->program->loop);

	if (record->writes == 0 ||
		monotime_reached(now, monotime_add_ms(record->window_start, CONTEST_WINDOW_MS))) {
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

	if (record->job)
		return; /* when it has ended, this is decided anew */
	if (!writer_is_ready(a->writer) || a->drained) {
		record_mark(&a->records, record);
		return;
	}
	if (!may_write(a, record)) {
		record->failed = true;
		return;
	}
	path = service_path(record->service);
	body = status_patch_body(record->service, decision, time(NULL));
	record->job = writer_patch(a->writer, path, body, record);
}

/* The object is as it was decided. */
static void settle(struct assigner *a, struct record *record, enum assign_state state)
{
	struct monotime now = loop_now(a->program->loop);

	if (state == ASSIGN_RELEASED)
		alloc_release(a->alloc, &record->holder);
	else
		alloc_settle(a->alloc, &record->holder);
	for (const struct record_event *event = record->events; event; event = event->next) {
		if (strcmp(event->reason, "IPAllocated") == 0)
			report_assigned(&a->report, now.ns - record->since.ns);
	}
	report_events(&a->report, record);
	record_drop_events(record);
	if (!is_of_interest(record->service))
		forget(a, record);
	else if ((state == ASSIGN_ASSIGNED || state == ASSIGN_FOREIGN) && !record->is_waiting &&
		 record->service->external_ip_count == 0)
		record_shed(record);
}

static void decide(struct assigner *a, struct record *record)
{
	struct assign_input input = input_of(a, record);
	struct assign_decision decision;

	record->judgement = a->judgement;
	if (!alloc_holds_any(&record->holder))
		assign_adopt_annotation(a->alloc, &input);
	assign_decide(a->alloc, &input, &decision);
	note_decision(a, record, &decision);
	if (decision.write)
		write_decision(a, record, &decision);
	else if (!record->job)
		settle(a, record, decision.state);
}

static void read_again(struct assigner *a, struct record *record)
{
	AUTO_FREE char *path = service_path(record->service);

	record->job = writer_read(a->writer, path, record);
}

/* Something became free: to whoever has waited longest (A09). */
static void try_waiting(struct assigner *a)
{
	struct record *record = a->records.waiting.first;

	if (a->judged_generation == alloc_generation(a->alloc))
		return;
	a->judged_generation = alloc_generation(a->alloc);
	while (record) {
		struct record *next = record->waiting.next;

		if (!record->failed && !record->stale)
			decide(a, record);
		record = next;
	}
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

		record = record_next_dirty(&a->records);
		if (!record)
			break;
		if (record->job || record->failed || !record->service)
			continue; /* its end, the slow retry or a list marks it again */
		/* Nobody gets what one who has waited longer may have. */
		if (!alloc_holds_any(&record->holder) || record->is_waiting)
			try_waiting(a);
		if (record->stale)
			read_again(a, record);
		else
			decide(a, record);
	}
	try_waiting(a);
	report_numbers(a);
	if (a->records.dirty.count == 0)
		give_back_memory(a);
	else if (writer_is_ready(a->writer))
		schedule(a);
}

/* ---- what became of a write or read ---- */

static void refused(struct assigner *a, struct record *record, const struct err *error)
{
	record->failed = true;
	report_problem(&a->report, record, "SyncLoadBalancerFailed", error->text);
}

static void check_drained(struct assigner *a)
{
	if (a->drained && writer_jobs(a->writer) == 0)
		a->drained(a->drained_context);
}

static void on_ended(void *context, void *subject, enum writer_outcome outcome,
	struct service *service, const struct err *error)
{
	struct assigner *a = context;
	struct record *record = subject;

	record->job = NULL;
	switch (outcome) {
	case WRITER_DONE:
		record->stale = false;
		put_take(a, service, false);
		break;
	case WRITER_GONE:
		/* Of a read, it is certain; of a write, it is read to make sure. */
		if (record->stale) {
			forget(a, record);
			check_drained(a);
			return;
		}
		record->stale = true;
		break;
	case WRITER_STALE:
	case WRITER_UNKNOWN:
		record->stale = true;
		break;
	case WRITER_REFUSED:
		refused(a, record, error);
		break;
	}
	mark(a, record);
	check_drained(a);
}

static void on_ready(void *context)
{
	schedule(context);
}

/* C31: what failed is tried again now and then, whatever happened or did not. */
static void on_slow(void *context)
{
	struct assigner *a = context;
	struct record *record, *next;

	HASH_ITER (hh, a->records.table, record, next) {
		if (!record->failed && !record->is_waiting)
			continue;
		record->failed = false;
		mark(a, record);
	}
	timer_start(a->slow, SLOW_RETRY_MS);
}

/* ---- inputs ---- */

void assigner_configure(struct assigner *assigner, const struct config *config)
{
	alloc_configure(assigner->alloc, config);
	if (assigner->started)
		judge_all(assigner);
}

void assigner_namespace_changed(struct assigner *assigner, const char *namespace)
{
	struct record *record, *next;

	if (!assigner->started)
		return;
	HASH_ITER (hh, assigner->records.table, record, next) {
		if (!record_is_in_namespace(record, namespace))
			continue;
		if (!record->service) {
			judge_all(assigner);
			return;
		}
		mark(assigner, record);
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

/* The records of all that is known, oldest Service first, each to be decided. */
static void take_first(struct assigner *a)
{
	if (a->first.count > 0)
		qsort(a->first.items, a->first.count, sizeof(*a->first.items), compare_age);
	a->started = true;
	for (size_t i = 0; i < a->first.count; i++)
		add_record_take(a, a->first.items[i]);
	a->first.count = 0;
	store_done(&a->first);
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
	for (record = records->dirty.first; record; record = record->dirty.next) {
		struct assign_input input = input_of(assigner, record);

		adopted += assign_adopt_status(assigner->alloc, &input);
	}
	/* Only then what Services without status remember: theirs may have been given away. */
	for (record = records->dirty.first; record; record = record->dirty.next) {
		struct assign_input input = input_of(assigner, record);

		if (!alloc_holds_any(&record->holder))
			assign_adopt_annotation(assigner->alloc, &input);
	}
	total = xasprintf("%zu", records_count(records));
	found = xasprintf("%zu", adopted);
	log_info(assigner->program->log, "assigning begins", "services", total, "adopted", found,
		NULL);
	timer_start(assigner->slow, SLOW_RETRY_MS);
}

bool assigner_has_started(const struct assigner *assigner)
{
	return assigner->started;
}

void assigner_drain(struct assigner *assigner, void (*done)(void *context), void *context)
{
	assigner->drained = done;
	assigner->drained_context = context;
	check_drained(assigner);
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
	HASH_ITER (hh, assigner->records.table, record, next) {
		alloc_release(assigner->alloc, &record->holder);
		record_remove(&assigner->records, record);
	}
	store_done(&assigner->first);
	writer_free(assigner->writer);
	timer_free(assigner->turn);
	timer_free(assigner->slow);
	alloc_free(assigner->alloc);
	free(assigner);
}

/* ---- what it holds ---- */

static json_t *pools_json(const struct alloc *alloc)
{
	static const char *const families[] = {"ipv4", "ipv6"};
	json_t *list = json_array();

	for (size_t i = 0; i < alloc_pool_count(alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(alloc, i);
		json_t *pool = json_pack("{s:s}", "name", usage.name);

		for (size_t family = 0; family < 2; family++)
			json_object_set_new(pool, families[family],
				json_pack("{s:f,s:I}", "addresses", usage.total[family], "inUse",
					(json_int_t)usage.in_use[family]));
		json_array_append_new(list, pool);
	}
	return list;
}

static json_t *waiting_json(const struct assigner *a, size_t limit)
{
	json_t *list = json_array();
	const struct record *record = a->records.waiting.first;

	for (; record && json_array_size(list) < limit; record = record->waiting.next) {
		const char *reason = "", *message = "";

		for (uint16_t i = 0; i < record->service->condition_count; i++) {
			const struct condition *condition = &record->service->conditions[i];

			if (strcmp(condition->type, CONDITION_ASSIGNED) == 0) {
				reason = condition->reason;
				message = condition->message;
			}
		}
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "service", record->key,
						    "reason", reason, "message", message));
	}
	return list;
}

json_t *assigner_describe(const struct assigner *assigner, size_t limit)
{
	return json_pack("{s:b,s:{s:I,s:I,s:I,s:I},s:I,s:o,s:o}", "started", assigner->started,
		"services", "pending", (json_int_t)assigner->states[ASSIGN_PENDING], "assigned",
		(json_int_t)assigner->states[ASSIGN_ASSIGNED], "kept",
		(json_int_t)assigner->states[ASSIGN_KEPT], "releasing",
		(json_int_t)assigner->states[ASSIGN_RELEASING], "queued",
		(json_int_t)assigner->records.dirty.count, "pools", pools_json(assigner->alloc),
		"waiting", waiting_json(assigner, limit));
}
