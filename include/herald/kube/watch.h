// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_WATCH_H
#define HERALD_KUBE_WATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "herald/kube/client.h"

/*
 * A reflector: list in pages, then watch with bookmarks from the list's version, resume
 * by version, list again on 410 (K51-K57). It holds no objects: the owner's store does.
 * A list is told as list_begin, any number of put, list_end: what the store had before
 * list_begin and was not put since is gone. An interrupted list starts over with another
 * list_begin. Objects are handed over one at a time as the bytes arrive.
 */
struct kube_watch_sink {
	void (*list_begin)(void *context);
	void (*put)(void *context, const json_t *object);  /* added or modified; borrowed */
	void (*gone)(void *context, const json_t *object); /* last state; borrowed */
	void (*list_end)(void *context);
	/* Not working now (retried by itself): what failed and why. Same text is not repeated. */
	void (*failing)(void *context, const struct err *error);
};

struct kube_watch_options {
	const char *path;	    /* "/api/v1/services"; copied */
	const char *field_selector; /* or NULL; copied */
	const char *label_selector; /* or NULL; copied */
	unsigned page_size;	    /* 0: 500 */
};

struct kube_watch;
struct kube_watch *kube_watch_new(struct kube_client *client,
	const struct kube_watch_options *options, const struct kube_watch_sink *sink,
	void *context);
void kube_watch_free(struct kube_watch *watch); /* NULL is allowed */
/* True from the first list_end on. */
bool kube_watch_is_synced(const struct kube_watch *watch);

/*
 * Whether a resourceVersion is older than a known one. Only decimal numbers have an order
 * (KEP-5504); for anything else, and for NULL, the answer is no.
 */
bool kube_version_is_older(const char *version, const char *known);

#endif
