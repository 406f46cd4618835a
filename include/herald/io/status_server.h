// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_STATUS_SERVER_H
#define HERALD_IO_STATUS_SERVER_H

#include <stdbool.h>

#include "herald/base/err.h"
#include "herald/io/loop.h"
#include "herald/io/metrics.h"

/*
 * GET /metrics, /healthz (the loop turns), /readyz (the program says it is ready) and
 * whatever pages the program adds, over io/http_server.h.
 */
struct status_server;

/* False: not ready; *ret_reason is a static or owner-kept text shown to the caller. */
typedef bool ready_fn(void *context, const char **ret_reason);
/* Returns a malloc'ed body (freed by the server) and its content type (static). */
typedef char *page_fn(void *context, const char **ret_content_type);

/* listen: "127.0.0.1:7472", "[::1]:7472" or ":7472" (all addresses). A taken port is an
   error that names it. Port 0 picks one (status_server_port). */
int status_server_new(struct loop *loop, const char *listen, struct metrics *metrics,
	struct status_server **ret, struct err *e);
void status_server_set_ready(struct status_server *server, ready_fn *fn, void *context);
void status_server_add_page(
	struct status_server *server, const char *path, page_fn *fn, void *context);
unsigned status_server_port(const struct status_server *server);
void status_server_free(struct status_server *server);

#endif
