// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_PAGE_H
#define HERALD_CONTROLLER_PAGE_H

#include "herald/core/plan.h"
#include "herald/kube/program.h"

/*
 * The status page: a web page that only reads, and the API behind it (docs/status-page.md),
 * on a port of its own. Without it, nothing of what it needs is watched.
 */
struct page_options {
	const char *listen;	/* --status-page */
	const char *token_file; /* --status-page-token-file; NULL: no token is asked for */
	const char *identity;
	struct plan_class class;
	bool (*is_leading)(void *context);
	void *context;
};

struct page;

#define PAGE_DEFAULT_LISTEN "127.0.0.1:7474"

/* `options` and what they point to are borrowed. */
int page_new(struct program *program, const struct page_options *options, struct page **ret,
	struct err *e);
void page_free(struct page *page); /* NULL is allowed */

#endif
