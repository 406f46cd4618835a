// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_HTTP_H
#define HERALD_LIB_KUBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/io/loop.h"
#include "herald/kube/kubeconfig.h"

/*
 * HTTP exchanges with one server over libcurl: HTTP/2, all on one connection as long as
 * the server allows the streams; TLS always verified. It knows no Kubernetes.
 *
 * A server that went silent is noticed: by the kernel where nothing is acknowledged
 * (keepalive, TCP_USER_TIMEOUT), and by a probe where only the program behind hangs.
 * Then its connections are cut and all requests under way fail.
 */
struct http;
struct http_request;

/* `config` is borrowed and must outlive it. */
int http_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
	struct http **ret, struct err *e);
/* Not from inside its callbacks. Requests under way are cancelled. NULL is allowed. */
void http_free(struct http *http);

struct http_options {
	const char *method, *path;
	const char *content_type;  /* NULL without a body */
	const char *authorization; /* value of the header, or NULL */
	const char *body;	   /* all of these are copied */
	size_t body_length;
	uint32_t timeout_ms; /* of the whole exchange */
	bool urgent;	     /* waits for none of the others: there are few of these */
	size_t response_max; /* bytes of a body that is collected */
};

struct http_result {
	long status;	  /* 0: there was no answer */
	const char *body; /* NUL-terminated; of this callback only */
	size_t length;
	uint32_t retry_after_ms;
	double seconds;	     /* the exchange took */
	const char *failure; /* why it did not end well; NULL: the answer came whole */
};

struct http_sink {
	/* Bytes of a 2xx answer as they come; NULL: collected for `done`. False: ends the
	   request as failed. */
	bool (*data)(void *context, const char *bytes, size_t length);
	/* Once, never from inside http_start; the request is gone afterwards. */
	void (*done)(void *context, const struct http_result *result);
};

struct http_request *http_start(struct http *http, const struct http_options *options,
	const struct http_sink *sink, void *context);
/* No callback afterwards; also from inside any callback. NULL is allowed. */
void http_cancel(struct http_request *request);

#endif
