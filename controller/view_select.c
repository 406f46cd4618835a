// SPDX-License-Identifier: Apache-2.0
/*
 * Which rows of a view somebody asks for, and in which order. In: a view and a query.
 * Out: rows. Equal ones stay in the order of their names.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "view.h"

static bool name_has(const struct object_meta *meta, const char *text)
{
	AUTO_FREE char *key = xasprintf("%s/%s", meta->namespace, meta->name);

	return strcasestr(key, text) != NULL;
}

static bool any_address_has(const struct view_row *row, const char *text)
{
	for (size_t i = 0; i < row->address_count; i++) {
		if (strcasestr(ip_text(&row->addresses[i].ip).s, text))
			return true;
	}
	return false;
}

static bool is_in_pool(const struct view_row *row, const char *pool)
{
	for (size_t i = 0; i < row->address_count; i++) {
		if (row->addresses[i].pool && strcmp(row->addresses[i].pool->name, pool) == 0)
			return true;
	}
	return false;
}

static const char *owner_of(const struct view_address *address)
{
	return address->vip && address->vip->owner ? address->vip->owner : "";
}

static bool is_on_node(const struct view_row *row, const char *node)
{
	for (size_t i = 0; i < row->address_count; i++) {
		if (strcmp(owner_of(&row->addresses[i]), node) == 0)
			return true;
	}
	return false;
}

static bool matches(const struct view_row *row, const struct view_query *query)
{
	const struct object_meta *meta = &row->service->meta;

	if (query->namespace && strcmp(meta->namespace, query->namespace) != 0)
		return false;
	if (query->health && row->health != *query->health)
		return false;
	if (query->pool && !is_in_pool(row, query->pool))
		return false;
	if (query->node && !is_on_node(row, query->node))
		return false;
	return !query->text || name_has(meta, query->text) || any_address_has(row, query->text);
}

static int compare(const void *a, const void *b, void *context)
{
	const struct view_query *query = context;
	const struct view_row *left = *(const struct view_row *const *)a;
	const struct view_row *right = *(const struct view_row *const *)b;
	int by_name = left < right ? -1 : left > right; /* rows are in this order */
	int order = by_name;

	switch (query->order) {
	case VIEW_BY_NAME:
		break;
	case VIEW_BY_HEALTH:
		order = (int)left->health - (int)right->health;
		break;
	case VIEW_BY_ADDRESS:
		order = ip_compare(&left->addresses[0].ip, &right->addresses[0].ip);
		break;
	case VIEW_BY_NODE:
		order = strcmp(owner_of(&left->addresses[0]), owner_of(&right->addresses[0]));
		break;
	}
	if (order == 0)
		return by_name;
	return query->descending ? -order : order;
}

const struct view_row **view_select(
	const struct view *view, const struct view_query *query, size_t *ret_count)
{
	const struct view_row **rows =
		xcalloc(view->row_count + 1, sizeof(const struct view_row *));
	struct view_query by = *query;
	size_t count = 0;

	for (size_t i = 0; i < view->row_count; i++) {
		if (matches(&view->rows[i], query))
			rows[count++] = &view->rows[i];
	}
	qsort_r(rows, count, sizeof(const struct view_row *), compare, &by);
	*ret_count = count;
	return rows;
}
