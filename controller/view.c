// SPDX-License-Identifier: Apache-2.0
/*
 * From objects and a plan to rows. In: what the observer has seen. Out: a row a Service,
 * its health being the worst that can be said of it.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/assign.h"
#include "herald/kube/bgp_peers.h"

static const char *const health_texts[VIEW_HEALTH_COUNT] = {
	[VIEW_CONFLICT] = "conflict",
	[VIEW_PENDING] = "pending",
	[VIEW_UNANNOUNCED] = "unannounced",
	[VIEW_KEPT] = "kept",
	[VIEW_NO_ENDPOINTS] = "no-endpoints",
	[VIEW_OK] = "ok",
};

const char *view_health_text(enum view_health health)
{
	return health_texts[health];
}

bool view_health_parse(const char *text, enum view_health *ret)
{
	for (size_t i = 0; i < VIEW_HEALTH_COUNT; i++) {
		if (strcmp(text, health_texts[i]) == 0) {
			*ret = (enum view_health)i;
			return true;
		}
	}
	return false;
}

/* ---- endpoints ---- */

static int compare_slices(const void *a, const void *b)
{
	const struct endpoint_slice *left = *(const struct endpoint_slice *const *)a;
	const struct endpoint_slice *right = *(const struct endpoint_slice *const *)b;
	int order = strcmp(left->meta.namespace, right->meta.namespace);

	return order != 0 ? order : strcmp(left->service, right->service);
}

/* By namespace and Service; malloc'ed. */
static const struct endpoint_slice **sorted_slices(const struct plan_input *objects)
{
	const struct endpoint_slice **slices = xcalloc(objects->slice_count + 1, sizeof(*slices));

	for (size_t i = 0; i < objects->slice_count; i++)
		slices[i] = objects->slices[i];
	qsort(slices, objects->slice_count, sizeof(*slices), compare_slices);
	return slices;
}

static void count_endpoints(struct view_row *row, const struct endpoint_slice *slice)
{
	/* A dual-stack Service has each pod in a slice of either family. */
	if (slice->family != row->service->families[0])
		return;
	for (uint32_t i = 0; i < slice->endpoint_count; i++) {
		row->endpoints++;
		row->ready += slice->endpoints[i].ready;
	}
}

/* Rows and slices are in the same order: one walk over both. */
static void fill_endpoints(struct view *view, const struct plan_input *objects)
{
	const struct endpoint_slice **slices = sorted_slices(objects);
	size_t row = 0;

	for (size_t i = 0; i < objects->slice_count; i++) {
		for (; row < view->row_count; row++) {
			const struct object_meta *meta = &view->rows[row].service->meta;
			int order = strcmp(meta->namespace, slices[i]->meta.namespace);

			if (order == 0)
				order = strcmp(meta->name, slices[i]->service);
			if (order == 0)
				count_endpoints(&view->rows[row], slices[i]);
			if (order >= 0)
				break;
		}
	}
	free(slices);
}

/* ---- addresses ---- */

/* Some speaker tells of a BGP session that is up. */
static bool any_peer_is_up(const struct members *members)
{
	bool up = false;

	for (size_t i = 0; i < members_count(members) && !up; i++) {
		const struct member *member = members_at(members, i);
		struct bgp_peer_list peers;

		bgp_peers_parse(member->state == MEMBER_ALIVE ? member->bgp : NULL, &peers);
		for (size_t k = 0; k < peers.count; k++)
			up = up || strcmp(peers.items[k].state, "up") == 0;
		bgp_peer_list_done(&peers);
	}
	return up;
}

static void fill_addresses(struct view_row *row, const struct view *view,
	const struct view_input *input, bool peer_is_up)
{
	for (uint16_t i = 0; i < row->service->ingress_count; i++) {
		const struct ip *ip = &row->service->ingress[i].ip;
		struct view_address *address = &row->addresses[row->address_count];

		if (ip->family == IP_NONE || row->address_count == VIEW_ADDRESSES)
			continue;
		row->address_count++;
		address->ip = *ip;
		address->pool = alloc_pool_of(input->alloc, ip);
		address->vip = input->plan ? plan_find(input->plan, ip) : NULL;
		address->conflict = conflict_find(&view->conflicts, ip);
		address->bgp = input->bgp ? bgp_plan_find(input->bgp, ip) : NULL;
		address->by_bgp = address->bgp && address->bgp->covered && peer_is_up;
	}
}

static bool lacks_something(const struct service *service)
{
	const struct condition *condition = assign_condition(service);

	return condition && (strcmp(condition->status, "True") != 0 ||
				    strcmp(condition->reason, "Assigned") != 0);
}

/* An address of a pool that is not in the plan is too new to be. */
static bool is_announced(const struct view_address *address)
{
	if (!address->vip)
		return address->pool != NULL;
	return address->by_bgp || address->vip->owner;
}

static enum view_health health_of(const struct view_row *row)
{
	enum view_health worst = row->ready > 0 ? VIEW_OK : VIEW_NO_ENDPOINTS;

	if (row->address_count == 0)
		return VIEW_PENDING;
	if (lacks_something(row->service))
		worst = VIEW_KEPT;
	for (size_t i = 0; i < row->address_count; i++) {
		const struct view_address *address = &row->addresses[i];

		if (address->conflict)
			return VIEW_CONFLICT;
		if (!is_announced(address))
			worst = VIEW_UNANNOUNCED;
	}
	return worst;
}

static void count_pools(
	struct view *view, const struct view_input *input, const struct config *config)
{
	view->pool_use = xcalloc((config ? config->pool_count : 0) + 1, sizeof(*view->pool_use));
	for (size_t i = 0; config && input->plan && i < input->plan->vip_count; i++) {
		const struct ip *ip = &input->plan->vips[i].address;
		const struct config_pool *pool = alloc_pool_of(input->alloc, ip);

		if (pool)
			view->pool_use[pool - config->pools][ip->family == IP_V6]++;
	}
}

static bool is_shown(const struct view_input *input, const struct service *service)
{
	return service->type == SERVICE_LOAD_BALANCER &&
	       plan_class_matches(&input->objects->class, service);
}

struct view *view_make(const struct view_input *input)
{
	const struct plan_input *objects = input->objects;
	const struct config *config = alloc_config(input->alloc);
	bool peer_is_up = input->bgp && any_peer_is_up(objects->members);
	struct view *view = xcalloc(1, sizeof(*view));

	view->rows = xcalloc(objects->service_count + 1, sizeof(*view->rows));
	conflicts_collect(objects->members, NULL, &view->conflicts);
	for (size_t i = 0; i < objects->service_count; i++) {
		struct view_row *row = &view->rows[view->row_count];

		if (!is_shown(input, objects->services[i]))
			continue;
		view->row_count++;
		row->service = objects->services[i];
		fill_addresses(row, view, input, peer_is_up);
	}
	fill_endpoints(view, objects);
	for (size_t i = 0; i < view->row_count; i++) {
		view->rows[i].health = health_of(&view->rows[i]);
		view->health[view->rows[i].health]++;
	}
	count_pools(view, input, config);
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	conflict_list_done(&view->conflicts);
	free(view->pool_use);
	free(view->rows);
	free(view);
}

const struct view_row *view_find(const struct view *view, const char *namespace, const char *name)
{
	for (size_t i = 0; i < view->row_count; i++) {
		const struct object_meta *meta = &view->rows[i].service->meta;

		if (strcmp(meta->namespace, namespace) == 0 && strcmp(meta->name, name) == 0)
			return &view->rows[i];
	}
	return NULL;
}
