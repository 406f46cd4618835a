// SPDX-License-Identifier: Apache-2.0
/*
 * The assigner's state as JSON, for the status page and heraldctl. Bounded by the number
 * of pools and by the caller's limit. Changes nothing.
 */
#include <string.h>

#include "assigner_state.h"

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

	for (; record && json_array_size(list) < limit; record = record->work->waiting.next) {
		const char *reason = "", *message = "";

		for (uint16_t i = 0; i < record->work->service->condition_count; i++) {
			const struct condition *condition = &record->work->service->conditions[i];

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
