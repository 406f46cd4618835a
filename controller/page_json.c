// SPDX-License-Identifier: Apache-2.0
/*
 * From the observer's view to JSON: Services and the timeline. Texts of objects go out as
 * they are; it is the page that must not take them for more than text.
 */
#include "page_json.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/assign.h"

#define EXPLAIN_NODES 20u

/* ---- Services ---- */

static json_t *address_json(const struct view_address *address)
{
	const struct plan_vip *vip = address->vip;
	const char *problem = address->bgp ? address->bgp->problem : "";

	return json_pack("{s:s,s:s?,s:s?,s:b,s:s,s:s?,s:s?}", "address", ip_text(&address->ip).s,
		"pool", address->pool ? address->pool->name : NULL, "owner",
		vip ? vip->owner : NULL, "bgp", address->by_bgp, "problem", problem, "station",
		address->conflict ? mac_text(address->conflict->mac).s : NULL, "foundBy",
		address->conflict ? address->conflict->node : NULL);
}

static json_t *row_json(const struct view_row *row)
{
	const struct object_meta *meta = &row->service->meta;
	json_t *addresses = json_array();

	for (size_t i = 0; i < row->address_count; i++)
		json_array_append_new(addresses, address_json(&row->addresses[i]));
	return json_pack("{s:s,s:s,s:s,s:o,s:i,s:i}", "namespace", meta->namespace, "name",
		meta->name, "health", view_health_text(row->health), "addresses", addresses,
		"ready", (int)row->ready, "endpoints", (int)row->endpoints);
}

json_t *page_json_services(
	struct observer *observer, const struct view_query *query, size_t offset, size_t limit)
{
	const struct view *view = observer_view(observer);
	json_t *list = json_array();
	size_t count;
	const struct view_row **rows = view_select(view, query, &count);

	for (size_t i = offset; i < count && json_array_size(list) < limit; i++)
		json_array_append_new(list, row_json(rows[i]));
	free(rows);
	return json_pack("{s:I,s:I,s:I,s:o}", "total", (json_int_t)view->row_count, "matched",
		(json_int_t)count, "offset", (json_int_t)offset, "services", list);
}

static json_t *ports_json(const struct service *service)
{
	static const char *const protocols[] = {
		[PROTOCOL_TCP] = "TCP",
		[PROTOCOL_UDP] = "UDP",
		[PROTOCOL_SCTP] = "SCTP",
		[PROTOCOL_OTHER] = "other",
	};
	json_t *list = json_array();

	for (uint16_t i = 0; i < service->port_count; i++)
		json_array_append_new(
			list, json_pack("{s:i,s:s}", "port", (int)service->ports[i].port,
				      "protocol", protocols[service->ports[i].protocol]));
	return list;
}

static json_t *condition_json(const struct service *service)
{
	const struct condition *condition = assign_condition(service);

	if (!condition)
		return json_null();
	return json_pack("{s:s,s:s,s:s}", "status", condition->status, "reason", condition->reason,
		"message", condition->message);
}

/* What each node is to each of the addresses. */
static json_t *verdicts_json(const struct view_row *row, const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->address_count; i++) {
		const struct plan_vip *vip = row->addresses[i].vip;

		for (size_t n = 0; vip && n < plan->node_count && n < EXPLAIN_NODES; n++)
			json_array_append_new(
				list, json_pack("{s:s,s:s,s:b,s:s}", "address",
					      ip_text(&vip->address).s, "node", plan->nodes[n],
					      "eligible", vip->verdicts[n] >= PLAN_ELIGIBLE,
					      "verdict", plan_verdict_text(vip->verdicts[n])));
	}
	return list;
}

json_t *page_json_service(struct observer *observer, const char *namespace, const char *name)
{
	const struct view_row *row = view_find(observer_view(observer), namespace, name);
	const struct service *service = row ? row->service : NULL;
	json_t *document;

	if (!row)
		return NULL;
	document = row_json(row);
	json_object_set_new(document, "class",
		service->load_balancer_class ? json_string(service->load_balancer_class)
					     : json_null());
	json_object_set_new(document, "trafficPolicy",
		json_string(service->traffic_local ? "Local" : "Cluster"));
	json_object_set_new(document, "ports", ports_json(service));
	json_object_set_new(document, "condition", condition_json(service));
	json_object_set_new(document, "verdicts", verdicts_json(row, observer_plan(observer)));
	return document;
}

/* ---- the timeline ---- */

static json_t *entry_json(const struct timeline_entry *entry)
{
	return json_pack("{s:I,s:I,s:s,s:s?,s:s?,s:s?,s:s?,s:s?}", "number",
		(json_int_t)entry->number, "time", (json_int_t)entry->time_ms, "kind", entry->kind,
		"service", entry->service, "address", entry->address, "node", entry->node, "from",
		entry->from, "text", entry->text);
}

json_t *page_json_timeline(const struct observer *observer, uint64_t after, size_t limit)
{
	const struct timeline *timeline = observer_timeline(observer);
	uint64_t number = after < timeline_first(timeline) ? timeline_first(timeline) : after + 1;
	json_t *list = json_array();

	for (; json_array_size(list) < limit; number++) {
		const struct timeline_entry *entry = timeline_at(timeline, number);

		if (!entry)
			break;
		json_array_append_new(list, entry_json(entry));
	}
	return json_pack("{s:I,s:I,s:o}", "first", (json_int_t)timeline_first(timeline), "last",
		(json_int_t)timeline_last(timeline), "entries", list);
}
