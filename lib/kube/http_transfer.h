// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_HTTP_TRANSFER_H
#define HERALD_KUBE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "http.h"

/*
 * One exchange as libcurl sees it: what is set on its handle, what comes back, and what
 * went wrong in words. http.c decides when it runs.
 */

/* Whom all exchanges are with. */
struct http_origin {
	const struct kubeconfig *config;
	char *user_agent;
	char *base_url;
	struct curl_slist *connect_to; /* NULL without a TLS server name */
};
/* `config` is borrowed. On failure there is nothing to be freed. */
int http_origin_init(struct http_origin *origin, const struct kubeconfig *config,
	const char *user_agent, struct err *e);
void http_origin_done(struct http_origin *origin);

struct http_transfer {
	const struct http_origin *origin;
	CURL *easy; /* the owner's */
	struct curl_slist *headers;
	struct http_sink sink;
	void *context;
	char *body; /* sent */
	size_t response_max;
	char *response;
	size_t length, capacity;
	const char *refused; /* why we ended it ourselves */
	int socket_error;    /* errno: no socket could be made */
	bool cancelled;
	char error[CURL_ERROR_SIZE];
};
/* It must not move in memory. All but its time-out is set on `easy`. */
void http_transfer_init(struct http_transfer *transfer, const struct http_origin *origin,
	CURL *easy, const struct http_options *options);
void http_transfer_done(struct http_transfer *transfer);

/* Why it did not end well; NULL: it did. Of the transfer. */
const char *http_transfer_failure(struct http_transfer *transfer, CURLcode code);

#endif
