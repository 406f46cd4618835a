// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_JSON_STREAM_H
#define HERALD_LIB_KUBE_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"

/*
 * Cuts an answer of the API server into its objects while the bytes arrive, so that only
 * one object is held at a time: the elements of a List's `items`, or the events of a
 * watch (meta/v1 WatchEvent, with or without line feeds between them). It looks at
 * brackets and strings only; whether an object is JSON is found by who decodes it.
 */
enum json_stream_mode {
	JSON_STREAM_LIST,   /* one document, the elements of its "items" are handed out */
	JSON_STREAM_OBJECTS /* a sequence of objects, each is handed out */
};

/*
 * An object that is left out is as good as deleted, and the API lets its users write quite
 * odd ones. So the bound is above the largest that there can be (etcd takes 1.5 MiB, of
 * which each byte can need six as JSON), and what is nested more deeply than any field
 * that is read (in managedFields) becomes null; managedFields itself is emptied.
 */
#define JSON_STREAM_OBJECT_MAX (16u * 1024u * 1024u)
#define JSON_STREAM_DEPTH_MAX 64u

struct json_stream_sink {
	/* `text` is not NUL-terminated and is of this call only. False: no more is wanted. */
	bool (*object)(void *context, const char *text, size_t length);
	/* An object was left out as it is too large; the others go on. */
	void (*skipped)(void *context, const struct err *why);
};

struct json_stream;

/* object_max: of one object, in bytes; 0: JSON_STREAM_OBJECT_MAX. `sink` is copied. */
struct json_stream *json_stream_new(enum json_stream_mode mode, size_t object_max,
	const struct json_stream_sink *sink, void *context);
void json_stream_free(struct json_stream *stream); /* NULL is allowed */

/*
 * 0, -EBADMSG for what is no JSON of this shape (the error says at which offset), or
 * -ECANCELED after `object` returned false. After a failure nothing more may be fed.
 */
int json_stream_feed(struct json_stream *stream, const char *bytes, size_t length, struct err *e);
/* No more bytes come: -EBADMSG when that is in the middle of something. */
int json_stream_end(const struct json_stream *stream, struct err *e);

/* Of a List's metadata, wherever it stood; "" as long as it is not known. */
const char *json_stream_resource_version(const struct json_stream *stream);
const char *json_stream_continue(const struct json_stream *stream);
/* "items" was there, be it empty. */
bool json_stream_has_items(const struct json_stream *stream);

#endif
