// SPDX-License-Identifier: Apache-2.0
/*
 * The parameters of requests to the status page's API. In: a request. Out: numbers within
 * their bounds, and a query of Services.
 */
#include "page_query.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000u
#define ROWS_DEFAULT 100u

uint64_t page_query_number(
	const struct http_request *request, const char *name, uint64_t otherwise, uint64_t max)
{
	const char *text = http_request_query(request, name);
	size_t length = text ? strspn(text, "0123456789") : 0;
	uint64_t number;

	if (length == 0 || length > 18 || text[length] != '\0')
		return otherwise;
	number = strtoull(text, NULL, 10);
	return number < max ? number : max;
}

const char *page_query_text(const struct http_request *request, const char *name)
{
	const char *text = http_request_query(request, name);

	return text && *text ? text : NULL;
}

/* False: there is no such order. */
static bool read_order(const struct http_request *request, struct view_query *query)
{
	static const char *const names[] = {
		[VIEW_BY_NAME] = "name",
		[VIEW_BY_HEALTH] = "health",
		[VIEW_BY_ADDRESS] = "address",
		[VIEW_BY_NODE] = "node",
	};
	const char *sort = page_query_text(request, "sort");
	const char *order = page_query_text(request, "order");

	query->descending = order && strcmp(order, "desc") == 0;
	for (size_t i = 0; sort && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(sort, names[i]) == 0) {
			query->order = (enum view_order)i;
			return true;
		}
	}
	return !sort;
}

const char *page_query_read(const struct http_request *request, struct page_query *ret)
{
	const char *health = page_query_text(request, "health");

	*ret = (struct page_query){
		.view.text = page_query_text(request, "q"),
		.view.namespace = page_query_text(request, "namespace"),
		.view.pool = page_query_text(request, "pool"),
		.view.node = page_query_text(request, "node"),
		.offset = page_query_number(request, "offset", 0, SIZE_MAX / 2),
		.limit = page_query_number(request, "limit", ROWS_DEFAULT, ROWS_MAX),
	};
	if (!read_order(request, &ret->view))
		return "sort: one of name, health, address, node\n";
	if (health && !view_health_parse(health, &ret->health))
		return "health: one of conflict, pending, unannounced, kept, no-endpoints, ok\n";
	ret->view.health = health ? &ret->health : NULL;
	return NULL;
}
