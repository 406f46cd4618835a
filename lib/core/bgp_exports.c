// SPDX-License-Identifier: Apache-2.0
/*
 * What BIRD exports, as a sorted set. In: BIRD's answers and the plan. Out: whether a prefix
 * is among them, and which ones are doubtful. Two sorted lists are walked side by side.
 */
#include "herald/core/bgp_exports.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static int compare(const void *a, const void *b)
{
	const struct ip_prefix *x = a, *y = b;
	int order = ip_compare(&x->address, &y->address);

	return order ? order : (x->length > y->length) - (x->length < y->length);
}

void bgp_exports_done(struct bgp_exports *exports)
{
	free(exports->items);
	*exports = (struct bgp_exports){0};
}

void bgp_exports_set_take(struct bgp_exports *exports, struct ip_prefix *items, size_t count)
{
	free(exports->items);
	if (count > 0)
		qsort(items, count, sizeof(*items), compare);
	*exports = (struct bgp_exports){.items = items, .count = count, .known = true};
}

/* Where it is, or belongs. */
static size_t place_of(const struct bgp_exports *exports, const struct ip_prefix *prefix)
{
	size_t low = 0, high = exports->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&exports->items[middle], prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool bgp_exports_has(const struct bgp_exports *exports, const struct ip_prefix *prefix)
{
	size_t at = place_of(exports, prefix);

	return at < exports->count && compare(&exports->items[at], prefix) == 0;
}

void bgp_exports_put(struct bgp_exports *exports, const struct ip_prefix *prefix, bool present)
{
	size_t at = place_of(exports, prefix);
	bool is_there = at < exports->count && compare(&exports->items[at], prefix) == 0;
	size_t behind = exports->count - at;

	if (is_there == present)
		return;
	if (present) {
		exports->items =
			xrealloc(exports->items, exports->count + 1, sizeof(*exports->items));
		memmove(exports->items + at + 1, exports->items + at,
			behind * sizeof(*exports->items));
		exports->items[at] = *prefix;
		exports->count++;
	} else {
		memmove(exports->items + at, exports->items + at + 1,
			(behind - 1) * sizeof(*exports->items));
		exports->count--;
	}
}

size_t bgp_exports_doubtful(const struct bgp_exports *exports, const struct bgp_plan *plan,
	size_t session, struct ip_prefix *ret, size_t room)
{
	size_t count = 0, at = 0, route = 0;

	if (!exports->known)
		return SIZE_MAX;
	while (at < exports->count || route < plan->route_count) {
		const struct bgp_route *next =
			route < plan->route_count ? &plan->routes[route] : NULL;
		const struct ip_prefix *has = at < exports->count ? &exports->items[at] : NULL;
		int order = !next ? -1 : !has ? 1 : compare(has, &next->prefix);
		bool wanted = order >= 0 && bgp_route_is_offered(plan, next, session);
		const struct ip_prefix *doubtful = order < 0   ? has
						   : order > 0 ? (wanted ? &next->prefix : NULL)
							       : (wanted ? NULL : has);

		at += order <= 0;
		route += order >= 0;
		if (!doubtful)
			continue;
		if (count < room)
			ret[count] = *doubtful;
		count++;
	}
	return count;
}
