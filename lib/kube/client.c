// SPDX-License-Identifier: Apache-2.0
/*
 * Requests to the API server: puts on the bearer token, tries once more with a newly read
 * one after 401, counts, and turns failures into sentences. The bytes go through http.c;
 * waiting and trying again after other failures is the caller's.
 */
#include "herald/kube/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "api_error.h"
#include "http.h"
#include "stream.h"
#include "token.h"

#define DEFAULT_TIMEOUT_MS 10000u
#define RESPONSE_MAX (16u * 1024u * 1024u) /* json_stream.h says why */
#define STREAM_ERROR_MAX (64u * 1024u)	   /* the body of a stream's refusal */

struct kube_client {
	struct loop *loop;
	struct http *http;
	struct log *log;
	struct metrics *metrics; /* may be NULL */
	struct metric *duration;
	struct token token;
	int token_problem; /* code of the last failure to read it, logged once; 0: none */
	struct kube_call *calls;
};

struct kube_call {
	struct kube_client *client;
	char *method, *path, *content_type, *body;
	size_t body_length;
	uint32_t timeout_ms;
	bool urgent;
	bool (*data)(void *context, const char *bytes, size_t length); /* NULL: collected */
	kube_done_fn *done;
	void *context;
	struct http_request *request;
	bool tried_again, finishing;
	struct kube_call *prev, *next;
};

static const double duration_bounds[] = {
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

int kube_client_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
	struct log *log, struct metrics *metrics, struct kube_client **ret, struct err *e)
{
	struct http *http;
	struct kube_client *client;
	int r = http_new(loop, config, user_agent, &http, e);

	if (r < 0)
		return r;
	client = xcalloc(1, sizeof(*client));
	client->loop = loop;
	client->http = http;
	client->log = log;
	client->metrics = metrics;
	if (metrics)
		client->duration = metric_histogram(metrics, "herald_api_request_duration_seconds",
			"Time of requests to the API server, without watches.", duration_bounds,
			sizeof(duration_bounds) / sizeof(duration_bounds[0]));
	token_init(&client->token, config);
	*ret = client;
	return 0;
}

static void call_free(struct kube_call *call)
{
	DL_DELETE(call->client->calls, call);
	free(call->method);
	free(call->path);
	free(call->content_type);
	free(call->body);
	free(call);
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	while (client->calls)
		kube_call_cancel(client->calls);
	http_free(client->http);
	token_done(&client->token);
	free(client);
}

struct loop *kube_client_loop(const struct kube_client *client)
{
	return client->loop;
}

struct log *kube_client_log(const struct kube_client *client)
{
	return client->log;
}

struct metrics *kube_client_metrics(const struct kube_client *client)
{
	return client->metrics;
}

/* A token that cannot be read is not the end: the one before may still be valid. */
static void refresh_token(struct kube_client *client, bool again)
{
	struct err why;
	int r = token_refresh(&client->token, loop_now(client->loop), again, &why);

	if (r < 0 && r != client->token_problem)
		log_warn(client->log, "cannot refresh the credentials", "error", why.text, NULL);
	client->token_problem = r;
}

static bool on_data(void *context, const char *bytes, size_t length)
{
	struct kube_call *call = context;

	return call->data(call->context, bytes, length);
}

static void on_done(void *context, const struct http_result *result);

static void send_call(struct kube_call *call)
{
	struct kube_client *client = call->client;
	const struct http_sink sink = {.data = call->data ? on_data : NULL, .done = on_done};
	const struct http_options options = {
		.method = call->method,
		.path = call->path,
		.content_type = call->content_type,
		.authorization = client->token.header,
		.body = call->body,
		.body_length = call->body_length,
		.timeout_ms = call->timeout_ms,
		.urgent = call->urgent,
		.response_max = call->data ? STREAM_ERROR_MAX : RESPONSE_MAX,
	};

	call->request = http_start(client->http, &options, &sink, call);
}

static void count(struct kube_call *call, const struct http_result *result)
{
	struct kube_client *client = call->client;
	char code[16];

	if (!client->metrics)
		return;
	snprintf(code, sizeof(code), "%ld", result->status);
	metric_add(metric_counter(client->metrics, "herald_api_requests_total",
			   "Requests to the API server by method and HTTP status.", "method",
			   call->method, "code", result->status ? code : "none", NULL),
		1);
	if (!call->data)
		metric_observe(client->duration, result->seconds);
}

static int describe(const struct kube_call *call, const struct http_result *result,
	const struct api_status *status, struct err *e)
{
	if (result->status != 0 && result->status / 100 != 2)
		return api_error_refused(call->method, call->path, result->status, status, e);
	if (!result->failure)
		return 0;
	return err_set(e, result->status ? -EIO : -EHOSTUNREACH, "cannot %s %.*s: %s", call->method,
		(int)strcspn(call->path, "?"), call->path, result->failure);
}

static void on_done(void *context, const struct http_result *result)
{
	struct kube_call *call = context;
	struct api_status status = {0};
	struct err error = {0};
	struct kube_response response = {.status = result->status,
		.body = result->body,
		.length = result->length,
		.reason = status.reason};

	call->request = NULL;
	count(call, result);
	if (result->status == 401 && !call->tried_again && token_can_rotate(&call->client->token)) {
		call->tried_again = true;
		refresh_token(call->client, true);
		send_call(call);
		return;
	}
	if (result->status / 100 != 2)
		api_status_parse(result->body, result->length, &status);
	response.retry_after_ms = result->retry_after_ms > status.retry_after_ms
					  ? result->retry_after_ms
					  : status.retry_after_ms;
	if (describe(call, result, &status, &error) < 0)
		response.error = &error;
	/* An answer that broke off tells no more than that there was one. */
	if (result->failure && !call->data && result->status / 100 == 2)
		response.status = 0;
	call->finishing = true;
	call->done(call->context, &response);
	call_free(call);
}

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct kube_call *kube_stream_start(struct kube_client *client, const struct kube_request *request,
	bool (*data)(void *context, const char *bytes, size_t length), kube_done_fn *done,
	void *context)
{
	struct kube_call *call = xcalloc(1, sizeof(*call));

	call->client = client;
	call->method = xstrdup(request->method);
	call->path = xstrdup(request->path);
	call->timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
	call->urgent = request->urgent;
	if (request->body) {
		call->content_type = copy_or_null(
			request->content_type ? request->content_type : "application/json");
		call->body = xcalloc(request->body_length + 1, 1);
		memcpy(call->body, request->body, request->body_length);
		call->body_length = request->body_length;
	}
	call->data = data;
	call->done = done;
	call->context = context;
	DL_APPEND(client->calls, call);
	refresh_token(client, false);
	send_call(call);
	return call;
}

struct kube_call *kube_call_start(struct kube_client *client, const struct kube_request *request,
	kube_done_fn *done, void *context)
{
	return kube_stream_start(client, request, NULL, done, context);
}

void kube_call_cancel(struct kube_call *call)
{
	if (!call || call->finishing)
		return;
	http_cancel(call->request);
	call_free(call);
}
