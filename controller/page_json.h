// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_PAGE_JSON_H
#define HERALD_CONTROLLER_PAGE_JSON_H

#include <jansson.h>

#include "observer.h"

/*
 * The documents of the status page's API (docs/status-page.md), from what the observer
 * knows. Each is a new reference.
 */

/* Counts, pools, nodes, BGP peers, conflicts. */
json_t *page_json_summary(struct observer *observer);
/* The rows `offset` to `offset` + `limit` of those that match. */
json_t *page_json_services(
	struct observer *observer, const struct view_query *query, size_t offset, size_t limit);
/* All that is known of one; NULL: there is none. */
json_t *page_json_service(struct observer *observer, const char *namespace, const char *name);
/* The entries after number `after`, the oldest `limit` of these. */
json_t *page_json_timeline(const struct observer *observer, uint64_t after, size_t limit);

#endif
