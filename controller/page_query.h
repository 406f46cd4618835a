// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_PAGE_QUERY_H
#define HERALD_CONTROLLER_PAGE_QUERY_H

#include "herald/io/http_server.h"
#include "view.h"

/* What a request to the status page's API asks for, in its parameters. */
struct page_query {
	struct view_query view; /* its texts are the request's */
	enum view_health health;
	size_t offset, limit;
};

/* Of Services. `ret` must not move. NULL, or what is wrong, for whoever asks; static. */
const char *page_query_read(const struct http_request *request, struct page_query *ret);

/* `otherwise` where it is absent or no number; `max` where it is more. */
uint64_t page_query_number(
	const struct http_request *request, const char *name, uint64_t otherwise, uint64_t max);
/* NULL: it is absent or empty. */
const char *page_query_text(const struct http_request *request, const char *name);

#endif
