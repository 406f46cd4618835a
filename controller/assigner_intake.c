// SPDX-License-Identifier: Apache-2.0
/*
 * Services as they are, from the watch and from the answers to our own writes, into the
 * table of records. In: objects. Out: records that are marked to be decided. Decides
 * nothing but which objects matter at all.
 */
#include <stdlib.h>
#include <string.h>

#include "assigner_state.h"
#include "herald/kube/decode.h"
#include "herald/kube/watch.h"

/* The others are of no concern, whatever happens to them. */
bool assigner_is_of_interest(const struct service *service)
{
	return service->type == SERVICE_LOAD_BALANCER || service->has_finalizer ||
	       service->external_ip_count > 0 || service->condition_count > 0 ||
	       string_map_get(&service->annotations, ANNOTATION_ASSIGNED);
}

void assigner_block(struct assigner *assigner, const struct ip *ip)
{
	if (alloc_block(assigner->alloc, ip) && assigner->started)
		assigner_judge_all(assigner);
}

void assigner_unblock(struct assigner *assigner, const struct ip *ip)
{
	alloc_unblock(assigner->alloc, ip);
	assigner_schedule(assigner);
}

void assigner_set_strangers(struct assigner *assigner, const struct conflict_list *list)
{
	if (alloc_set_strangers(assigner->alloc, list) && assigner->started)
		assigner_judge_all(assigner);
	assigner_schedule(assigner);
}

static void block_external(struct assigner *a, const struct service *service)
{
	for (uint32_t i = 0; i < service->external_ip_count; i++)
		assigner_block(a, &service->external_ips[i]);
}

static void unblock_external(struct assigner *a, const struct service *service)
{
	for (uint32_t i = 0; i < service->external_ip_count; i++)
		assigner_unblock(a, &service->external_ips[i]);
}

/* All that is tied to this one object, of which another may follow under the same name. */
static void let_go(struct assigner *a, struct record *record)
{
	alloc_release(a->alloc, &record->holder);
	assigner_set_state(a, record, ASSIGN_FOREIGN);
	record->writes = 0;
	if (!record->work)
		return;
	writer_cancel(record->work->job);
	unblock_external(a, record->work->service);
	record_settle(&a->records, record);
	assigner_check_drained(a);
}

void assigner_forget(struct assigner *a, struct record *record)
{
	let_go(a, record);
	a->states[record->state]--;
	record_remove(&a->records, record);
	assigner_schedule(a);
}

struct record *assigner_add(struct assigner *a, const struct object_meta *meta)
{
	struct record *record = record_add(&a->records, meta);

	a->states[record->state]++;
	return record;
}

void assigner_begin_take(struct assigner *a, struct record *record, struct service *service)
{
	record_set_take(record, service);
	record->work->since = loop_now(a->program->loop);
	block_external(a, service);
	assigner_mark(a, record);
}

void assigner_put_take(struct assigner *a, struct service *service, bool listed)
{
	const struct object_meta *meta = &service->meta;
	struct record *record = record_find(&a->records, meta->namespace, meta->name);
	bool is_known, is_older, is_new;

	if (!record) {
		if (assigner_is_of_interest(service))
			assigner_begin_take(a, assigner_add(a, meta), service);
		else
			free(service);
		return;
	}
	if (listed)
		record->list = a->records.list;
	is_known = strcmp(meta->resource_version, record->version) == 0;
	is_older = kube_version_is_older(meta->resource_version, record->version);
	if ((is_known && record->judgement == a->judgement) || (is_older && !listed)) {
		free(service);
		return;
	}
	if (!record_is_of(record, meta))
		let_go(a, record); /* K10 */
	is_new = !record->work;
	block_external(a, service);
	if (!is_new)
		unblock_external(a, record->work->service);
	record_set_take(record, service);
	if (is_new)
		record->work->since = loop_now(a->program->loop);
	/* What is known already says nothing of a write whose answer was lost. */
	if (!is_known && !is_older)
		record->work->stale = false;
	record->work->failed = false;
	assigner_mark(a, record);
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
		assigner_put_take(assigner, service, assigner->listing);
	else if (assigner_is_of_interest(service))
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
		assigner_forget(assigner, record);
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
	struct record *record = records_first(&assigner->records), *next;

	assigner->listing = false;
	store_list_end(&assigner->first);
	for (; record; record = next) {
		next = records_next(&assigner->records, record);
		if (record->list != assigner->records.list)
			assigner_forget(assigner, record);
	}
}
