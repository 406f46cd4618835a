// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_WATCH_QUERY_H
#define HERALD_LIB_KUBE_WATCH_QUERY_H

#include <stdbool.h>

/* What a list or watch asks for; strings are borrowed, unescaped, NULL: not given. */
struct watch_query {
	const char *path;
	const char *field_selector, *label_selector;
	const char *version; /* resourceVersion */
	const char *next;    /* a list's continue token; `version` does not go with it */
	unsigned page_size;  /* lists only */
	unsigned seconds;    /* watches only: timeoutSeconds */
	bool initial;	     /* watches only: a streaming list first (KEP-3157) */
};

/* Path and query, malloc'ed. A list with a version asks for nothing older than it. */
char *watch_query_list(const struct watch_query *query);
char *watch_query_watch(const struct watch_query *query);

#endif
