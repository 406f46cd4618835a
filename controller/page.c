// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP side of the status page. In: requests. Out: the page's three files, and JSON
 * made of what the observer knows when it is asked. Who asks for what has not happened yet
 * is answered when it has, or when the time is up that they want to wait.
 */
#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/io/http_server.h"
#include "herald/io/listen.h"
#include "herald/io/small_file.h"
#include "observer.h"
#include "page_access.h"
#include "page_json.h"
#include "page_query.h"

#define ENTRIES_MAX 1000u
#define WAIT_MAX_S 30u
#define JSON_TYPE "application/json"

/* The page runs its own script and style, and nothing else, wherever texts come from. */
static const struct http_header headers[] = {
	{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	/* The last one is sent where the token is missing. */
	{"WWW-Authenticate", "Basic realm=\"Herald\", charset=\"UTF-8\""},
};
#define HEADER_COUNT (sizeof(headers) / sizeof(headers[0]) - 1)

/* page/files.S */
extern const char page_index_html[], page_index_html_end[];
extern const char page_style_css[], page_style_css_end[];
extern const char page_script_js[], page_script_js_end[];
extern const char page_icon_svg[], page_icon_svg_end[];

struct file {
	const char *path, *content_type, *begin, *end;
};

static const struct file files[] = {
	{"/", "text/html; charset=utf-8", page_index_html, page_index_html_end},
	{"/style.css", "text/css; charset=utf-8", page_style_css, page_style_css_end},
	{"/script.js", "text/javascript; charset=utf-8", page_script_js, page_script_js_end},
	{"/icon.svg", "image/svg+xml", page_icon_svg, page_icon_svg_end},
};

/* A request for the timeline that is answered once there is news. */
struct waiter {
	struct waiter *next;
	struct http_request *request;
	uint64_t after;
	struct monotime deadline;
};

struct page {
	struct program *program;
	const struct page_options *options;
	struct http_server *http;
	struct observer *observer;
	struct timer *timer; /* the first deadline */
	struct waiter *waiters;
	char instance[24]; /* revisions of another run are other ones */
	struct log_limit token_limit;
};

typedef void answer_fn(struct page *page, struct http_request *request);

/* ---- answers ---- */

static void answer_take(struct http_request *request, unsigned status, const char *content_type,
	char *body, size_t length)
{
	const struct http_answer answer = {
		.status = status,
		.content_type = content_type,
		.body = body,
		.length = length,
		.headers = headers,
		.header_count = status == 401 ? HEADER_COUNT + 1 : HEADER_COUNT,
	};

	http_request_answer_take(request, &answer);
}

static void answer_text(struct http_request *request, unsigned status, const char *text)
{
	answer_take(request, status, "text/plain; charset=utf-8", xstrdup(text), strlen(text));
}

/* Takes the document. With it goes what it is the state of. */
static void answer_json_take(struct page *page, struct http_request *request, json_t *document)
{
	AUTO_FREE char *revision = xasprintf(
		"%s.%llu", page->instance, (unsigned long long)observer_revision(page->observer));
	char *text;

	json_object_set_new(document, "revision", json_string(revision));
	text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (text)
		answer_take(request, 200, JSON_TYPE, text, strlen(text));
	else
		answer_text(request, 500, "the document could not be made\n");
}

static void answer_services(struct page *page, struct http_request *request)
{
	struct page_query query;
	const char *problem = page_query_read(request, &query);

	if (problem)
		answer_text(request, 400, problem);
	else
		answer_json_take(page, request,
			page_json_services(page->observer, &query.view, query.offset, query.limit));
}

static void answer_service(struct page *page, struct http_request *request)
{
	const char *namespace = page_query_text(request, "namespace"),
		   *name = page_query_text(request, "name");
	json_t *document;

	if (!namespace || !name) {
		answer_text(request, 400, "give namespace and name\n");
		return;
	}
	document = page_json_service(page->observer, namespace, name);
	if (document)
		answer_json_take(page, request, document);
	else
		answer_text(request, 404, "no such Service, or none that is Herald's\n");
}

static void answer_summary(struct page *page, struct http_request *request)
{
	json_t *document = page_json_summary(page->observer);

	json_object_set_new(document, "identity", json_string(page->options->identity));
	json_object_set_new(document, "leading",
		json_boolean(page->options->is_leading(page->options->context)));
	answer_json_take(page, request, document);
}

/* ---- the timeline, and waiting for it ---- */

static void answer_timeline(struct page *page, struct http_request *request, uint64_t after)
{
	answer_json_take(page, request,
		page_json_timeline(page->observer, after,
			page_query_number(request, "limit", ENTRIES_MAX, ENTRIES_MAX)));
}

/* What the client knows is what there is. */
static bool is_up_to_date(const struct page *page, const struct http_request *request)
{
	const char *revision = page_query_text(request, "revision");
	size_t length = strlen(page->instance);

	if (!revision || strncmp(revision, page->instance, length) != 0 || revision[length] != '.')
		return false;
	return strtoull(revision + length + 1, NULL, 10) == observer_revision(page->observer);
}

static void schedule(struct page *page)
{
	struct monotime now = loop_now(page->program->loop), first = {UINT64_MAX};

	for (const struct waiter *waiter = page->waiters; waiter; waiter = waiter->next) {
		if (waiter->deadline.ns < first.ns)
			first = waiter->deadline;
	}
	if (page->waiters)
		timer_start(page->timer, monotime_ms_until(now, first));
	else
		timer_stop(page->timer);
}

static void wait_or_answer(struct page *page, struct http_request *request)
{
	uint64_t wait = page_query_number(request, "wait", 0, WAIT_MAX_S);
	uint64_t after = page_query_number(request, "after", 0, UINT64_MAX / 2);
	struct waiter *waiter;

	if (wait == 0 || !is_up_to_date(page, request)) {
		answer_timeline(page, request, after);
		return;
	}
	waiter = xcalloc(1, sizeof(*waiter));
	waiter->next = page->waiters;
	waiter->request = request;
	waiter->after = after;
	waiter->deadline = monotime_add_ms(loop_now(page->program->loop), wait * 1000);
	page->waiters = waiter;
	schedule(page);
}

/* All of them, or those that have waited long enough. */
static void answer_waiters(struct page *page, bool all)
{
	struct monotime now = loop_now(page->program->loop);
	struct waiter **place = &page->waiters;

	while (*place) {
		struct waiter *waiter = *place;

		if (!all && !monotime_reached(now, waiter->deadline)) {
			place = &waiter->next;
			continue;
		}
		*place = waiter->next;
		answer_timeline(page, waiter->request, waiter->after);
		free(waiter);
	}
	schedule(page);
}

static void on_deadline(void *context)
{
	answer_waiters(context, false);
}

static void on_changed(void *context)
{
	answer_waiters(context, true);
}

/* ---- requests ---- */

/* The file is read each time, so that a token that is replaced counts at once. */
static bool has_token(struct page *page, const struct http_request *request)
{
	AUTO_FREE char *token = NULL;
	uint64_t suppressed;
	struct err e;
	bool has;

	if (small_file_read(page->options->token_file, &token, &e) < 0) {
		if (log_limit_pass(
			    &page->token_limit, loop_now(page->program->loop).ns, &suppressed))
			log_error(page->program->log,
				"nobody may see the status page: its token can't be read", "error",
				e.text, NULL);
		return false;
	}
	token[strcspn(token, "\r\n")] = '\0';
	has = page_access_has_token(http_request_header(request, "Authorization"), token);
	explicit_bzero(token, strlen(token));
	return has;
}

static bool may_see(struct page *page, struct http_request *request)
{
	if (page->options->token_file) {
		if (has_token(page, request))
			return true;
		answer_text(request, 401, "give the token: as a bearer token, or as password\n");
		return false;
	}
	if (page_access_is_plain_host(http_request_header(request, "Host")))
		return true;
	answer_text(request, 421,
		"without a token the page is shown under an address or localhost only; see "
		"--status-page-token-file\n");
	return false;
}

static void on_request(void *context, struct http_request *request)
{
	static const struct {
		const char *path;
		answer_fn *fn;
	} documents[] = {
		{"/api/v1/summary", answer_summary},
		{"/api/v1/services", answer_services},
		{"/api/v1/service", answer_service},
		{"/api/v1/timeline", wait_or_answer},
	};
	struct page *page = context;
	const char *path = http_request_path(request);

	if (!may_see(page, request))
		return;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (strcmp(path, documents[i].path) == 0) {
			documents[i].fn(page, request);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t length = (size_t)(files[i].end - files[i].begin);

		if (strcmp(path, files[i].path) == 0) {
			answer_take(request, 200, files[i].content_type,
				xstrndup(files[i].begin, length), length);
			return;
		}
	}
	answer_text(request, 404, "not found\n");
}

static void warn_of_everybody(const struct page *page)
{
	struct listen_address address;

	if (page->options->token_file || listen_parse(page->options->listen, &address, NULL) < 0 ||
		(address.ip.family != IP_NONE && ip_is_loopback(&address.ip)))
		return;
	log_warn(page->program->log,
		"the status page is shown to whoever reaches it: give --status-page-token-file, or "
		"listen on 127.0.0.1",
		"listen", page->options->listen, NULL);
}

int page_new(struct program *program, const struct page_options *options, struct page **ret,
	struct err *e)
{
	struct page *page = xcalloc(1, sizeof(*page));
	struct timespec now;
	int r;

	page->program = program;
	page->options = options;
	page->token_limit = (struct log_limit){.burst = 1, .interval_ms = 60000};
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(page->instance, sizeof(page->instance), "%llx",
		(unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
	r = http_server_new(program->loop, options->listen, on_request, page, &page->http, e);
	if (r < 0) {
		free(page);
		return err_wrap(e, "the status page");
	}
	page->timer = timer_new(program->loop, on_deadline, page);
	page->observer = observer_new(program, &options->class, on_changed, page);
	warn_of_everybody(page);
	*ret = page;
	return 0;
}

void page_free(struct page *page)
{
	struct waiter *next;

	if (!page)
		return;
	http_server_free(page->http); /* answers those that wait */
	for (struct waiter *waiter = page->waiters; waiter; waiter = next) {
		next = waiter->next;
		free(waiter);
	}
	timer_free(page->timer);
	observer_free(page->observer);
	free(page);
}
