// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BENCH_FLOOR_CLIENT_H
#define HERALD_BENCH_FLOOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The least that a client of an API server can be: one HTTP/2 connection, a watch of all
 * Services that begins with what exists, and writes beside it. A failed write or list
 * ends the program: there is nothing to measure then.
 */
struct floor_client;

struct floor_server {
	const char *url, *ca, *token;
};

struct floor_sink {
	/* One event of the watch, as text; of this call only. */
	void (*line)(void *context, const char *line);
	void (*listed)(void *context);	/* all that exists was told */
	void (*written)(void *context); /* a write has been done */
};

struct floor_client *floor_client_new(
	const struct floor_server *server, const struct floor_sink *sink, void *context);
void floor_client_watch(struct floor_client *client);
/* Takes `path` and `body`. Sent as soon as less than the most allowed are under way. */
void floor_client_write_take(
	struct floor_client *client, const char *method, char *path, char *body);
/* Until *finished. */
void floor_client_run(struct floor_client *client, const bool *finished);

/* Of the watch: bytes received, and how often the server ended it and it was resumed. */
size_t floor_client_bytes(const struct floor_client *client);
size_t floor_client_resumed(const struct floor_client *client);

/* The text after `key` up to the next quote; "" where there is none. malloc'ed. */
char *floor_text_after(const char *line, const char *key);

#endif
