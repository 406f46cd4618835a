// SPDX-License-Identifier: Apache-2.0
/*
 * What every program shows of itself over HTTP: /metrics, /healthz, /readyz and its own
 * pages, each made when it is asked for.
 */
#include "herald/io/status_server.h"

#include <stdlib.h>
#include <string.h>

#include "herald/io/http_server.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct page {
	char *path;
	page_fn *fn;
	void *context;
	struct page *next;
};

struct status_server {
	struct http_server *http;
	struct metrics *metrics;
	ready_fn *ready;
	void *ready_context;
	struct page *pages;
};

static void answer_metrics(struct status_server *server, struct http_request *request)
{
	struct http_answer answer = {.status = 200, .content_type = TEXT_METRICS};

	answer.body = metrics_render(server->metrics, &answer.length);
	http_request_answer_take(request, &answer);
}

static void answer_ready(struct status_server *server, struct http_request *request)
{
	const char *reason = "starting";

	if (server->ready && server->ready(server->ready_context, &reason))
		http_request_answer_text_take(request, 200, xstrdup("ok\n"));
	else
		http_request_answer_text_take(request, 503, xasprintf("not ready: %s\n", reason));
}

static void answer_page(const struct page *page, struct http_request *request)
{
	struct http_answer answer = {.status = 200, .content_type = TEXT_PLAIN};

	answer.body = page->fn(page->context, &answer.content_type);
	if (!answer.body) {
		http_request_answer_text_take(
			request, 500, xstrdup("the page could not be made\n"));
		return;
	}
	answer.length = strlen(answer.body);
	http_request_answer_take(request, &answer);
}

static void handle(void *context, struct http_request *request)
{
	struct status_server *server = context;
	const char *path = http_request_path(request);

	if (strcmp(path, "/metrics") == 0) {
		answer_metrics(server, request);
		return;
	}
	if (strcmp(path, "/healthz") == 0) {
		http_request_answer_text_take(request, 200, xstrdup("ok\n"));
		return;
	}
	if (strcmp(path, "/readyz") == 0) {
		answer_ready(server, request);
		return;
	}
	for (const struct page *page = server->pages; page; page = page->next) {
		if (strcmp(path, page->path) == 0) {
			answer_page(page, request);
			return;
		}
	}
	http_request_answer_text_take(request, 404, xstrdup("not found\n"));
}

int status_server_new(struct loop *loop, const char *listen, struct metrics *metrics,
	struct status_server **ret, struct err *e)
{
	struct status_server *server = xcalloc(1, sizeof(*server));
	int r = http_server_new(loop, listen, handle, server, &server->http, e);

	if (r < 0) {
		free(server);
		return r;
	}
	server->metrics = metrics;
	*ret = server;
	return 0;
}

void status_server_set_ready(struct status_server *server, ready_fn *fn, void *context)
{
	server->ready = fn;
	server->ready_context = context;
}

void status_server_add_page(
	struct status_server *server, const char *path, page_fn *fn, void *context)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->path = xstrdup(path);
	page->fn = fn;
	page->context = context;
	page->next = server->pages;
	server->pages = page;
}

unsigned status_server_port(const struct status_server *server)
{
	return http_server_port(server->http);
}

void status_server_free(struct status_server *server)
{
	struct page *next;

	if (!server)
		return;
	http_server_free(server->http);
	for (struct page *page = server->pages; page; page = next) {
		next = page->next;
		free(page->path);
		free(page);
	}
	free(server);
}
