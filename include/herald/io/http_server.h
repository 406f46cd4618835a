// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_HTTP_SERVER_H
#define HERALD_IO_HTTP_SERVER_H

#include <stddef.h>

#include "herald/base/err.h"
#include "herald/io/loop.h"

/*
 * Answers GET and HEAD over HTTP on the program's own loop, through libmicrohttpd (its
 * epoll descriptor is watched; no thread). Connections, sizes and times are bounded. A
 * handler answers at once, or keeps the request and answers it later.
 */
struct http_server;
struct http_request;

struct http_header {
	const char *name, *value;
};

struct http_answer {
	unsigned status;
	const char *content_type;
	char *body; /* malloc'ed; taken */
	size_t length;
	const struct http_header *headers; /* more of them; copied */
	size_t header_count;
};

/* Must answer `request`, now or later; it is valid until then. */
typedef void http_handler_fn(void *context, struct http_request *request);

/* listen: "127.0.0.1:7472", "[::1]:7472" or ":7472" (all addresses). A taken port is an
   error that names it. Port 0 picks one (http_server_port). */
int http_server_new(struct loop *loop, const char *listen, http_handler_fn *handler, void *context,
	struct http_server **ret, struct err *e);
unsigned http_server_port(const struct http_server *server);
/* Requests that still wait are answered with 503. NULL is allowed. */
void http_server_free(struct http_server *server);

/* Decoded, without the query. */
const char *http_request_path(const struct http_request *request);
/* NULL: it has none. */
const char *http_request_query(const struct http_request *request, const char *name);
const char *http_request_header(const struct http_request *request, const char *name);

void http_request_answer_take(struct http_request *request, const struct http_answer *answer);
/* The same with text/plain. */
void http_request_answer_text_take(struct http_request *request, unsigned status, char *text);

#endif
