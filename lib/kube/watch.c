// SPDX-License-Identifier: Apache-2.0
/*
 * The reflector: keeps a list of one resource current. It goes round between three
 * exchanges, one at a time: a paged list, a streaming list (a watch that begins with what
 * exists), and a watch from a known version. Whatever ends one of them leads to `again`,
 * which starts the next one, at once or after a back-off.
 *
 * `version` is the newest version known and is never forgotten: a list that the server
 * answers from an older state (K57) is refused. Only when it says so STALE_LISTS_MAX
 * times in a row its history itself has gone back (a restored backup), and is believed.
 */
#include "herald/kube/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api_error.h"
#include "api_path.h"
#include "herald/kube/backoff.h"
#include "herald/kube/json_object.h"
#include "json_stream.h"
#include "stream.h"
#include "watch_query.h"

#define PAGE_SIZE_DEFAULT 500u
#define LIST_TIMEOUT_MS 60000u
#define WATCH_SECONDS_MIN 300u
#define WATCH_SECONDS_SPREAD 301u
#define WATCH_GRACE_MS 30000u /* for a server that does not keep to timeoutSeconds */
#define BACKOFF_BASE_MS 100u
#define BACKOFF_MAX_MS 10000u
#define HEALTHY_MS 5000u /* a watch that ran so long worked, silent or not */
#define STALE_LISTS_MAX 5u
#define STREAM_ERRORS_MAX 3u /* in a row, then the version itself is in doubt */
#define INITIAL_EVENTS_END "k8s.io/initial-events-end"

enum phase { PHASE_LIST, PHASE_STREAMING_LIST, PHASE_WATCH };

struct kube_watch {
	struct kube_client *client;
	char *path, *field_selector, *label_selector;
	unsigned page_size;
	struct kube_watch_sink sink;
	void *context;

	enum phase phase;
	struct kube_call *call;
	struct timer *again;
	struct json_stream *stream;
	struct monotime started;
	char *version; /* newest known, or NULL */
	char *next;    /* continue token of the list under way */
	bool synced, list_open;
	bool wants_list;   /* `version` cannot be watched from */
	bool any_version;  /* the next list may not ask for `version` */
	bool no_streaming; /* the server has no streaming lists */
	struct backoff backoff;
	struct backoff relist; /* in a row without a watch that worked between them */
	unsigned stale_lists, stream_errors;
	char told[sizeof(((struct err *)0)->text)]; /* last failure */

	/* Found inside the stream, judged when it has ended. */
	struct err broken; /* code 0: nothing */
	bool expired, too_new;
	uint32_t asked_ms;

	bool busy, freed; /* a callback is on the stack; it was freed meanwhile */
	struct metric *failures, *lists, *skipped; /* NULL without metrics */
};

static void start_next(void *context);

static void count(struct metric *metric)
{
	if (metric)
		metric_add(metric, 1);
}

static uint32_t random_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		DIE("getrandom failed");
	return number;
}

static void set_text(char **text, const char *value)
{
	char *copy = value && *value ? xstrdup(value) : NULL;

	free(*text);
	*text = copy;
}

static void destroy(struct kube_watch *watch)
{
	timer_free(watch->again);
	json_stream_free(watch->stream);
	free(watch->path);
	free(watch->field_selector);
	free(watch->label_selector);
	free(watch->version);
	free(watch->next);
	free(watch);
}

/* ---- what has worked, and what has not ---- */

static void note_progress(struct kube_watch *watch)
{
	backoff_reset(&watch->backoff);
	watch->stream_errors = 0;
	watch->told[0] = '\0';
}

/* A list under way is given up: the next one starts over. */
static void wait_again(struct kube_watch *watch, struct backoff *backoff, uint32_t asked_ms)
{
	watch->list_open = false;
	set_text(&watch->next, NULL);
	timer_start(watch->again, backoff_next_ms(backoff, asked_ms, random_number()));
}

static void fail(struct kube_watch *watch, const struct err *why, uint32_t asked_ms)
{
	count(watch->failures);
	wait_again(watch, &watch->backoff, asked_ms);
	if (strcmp(watch->told, why->text) == 0)
		return;
	snprintf(watch->told, sizeof(watch->told), "%s", why->text);
	if (watch->sink.failing)
		watch->sink.failing(watch->context, why);
}

/* The server has forgotten our version (or a page's): nothing is wrong, list again. */
static void list_again(struct kube_watch *watch, const char *why)
{
	log_debug(kube_client_log(watch->client), "list again", "path", watch->path, "why", why,
		NULL);
	watch->wants_list = true;
	watch->any_version = true;
	wait_again(watch, &watch->relist, 0);
}

static void skip(struct kube_watch *watch, const char *why)
{
	count(watch->skipped);
	log_warn(kube_client_log(watch->client), "skipped an object of the API server", "path",
		watch->path, "error", why, NULL);
}

/* ---- lists ---- */

static bool list_is_stale(struct kube_watch *watch, const char *version)
{
	if (!kube_version_is_older(version, watch->version) ||
		watch->stale_lists >= STALE_LISTS_MAX)
		return false;
	err_set(&watch->broken, -ESTALE,
		"cannot use the list of %s: its version %s is older than %s, which is known",
		watch->path, version, watch->version);
	return true;
}

static void open_list(struct kube_watch *watch)
{
	if (watch->list_open)
		return;
	watch->list_open = true;
	watch->sink.list_begin(watch->context);
}

static void close_list(struct kube_watch *watch, const char *version)
{
	open_list(watch);
	if (watch->stale_lists >= STALE_LISTS_MAX)
		log_warn(kube_client_log(watch->client), "the API server's history went back",
			"path", watch->path, "from", watch->version, "to", version, NULL);
	set_text(&watch->version, version);
	set_text(&watch->next, NULL);
	watch->list_open = watch->wants_list = watch->any_version = false;
	watch->stale_lists = 0;
	watch->synced = true;
	count(watch->lists);
	watch->sink.list_end(watch->context);
}

static bool on_item(struct kube_watch *watch, const json_t *object)
{
	if (list_is_stale(watch, json_stream_resource_version(watch->stream)))
		return false;
	open_list(watch);
	if (!watch->freed)
		watch->sink.put(watch->context, object);
	return !watch->freed;
}

/* ---- watch events (meta/v1 WatchEvent) ---- */

static const char *metadata_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

static bool on_error_event(struct kube_watch *watch, const json_t *object)
{
	struct api_status status;

	api_status_decode(object, &status);
	watch->expired = status.code == 410;
	watch->too_new = status.code == 504;
	watch->asked_ms = status.retry_after_ms;
	err_set(&watch->broken, -EIO, "cannot watch %s: the server ended it: %d %s: %s",
		watch->path, status.code, status.reason, status.message);
	return false;
}

static bool on_bookmark(struct kube_watch *watch, const json_t *object, const char *version)
{
	const json_t *annotations =
		json_object_get(json_object_get(object, "metadata"), "annotations");
	const char *end = json_string_value(json_object_get(annotations, INITIAL_EVENTS_END));

	if (watch->phase == PHASE_WATCH || !end || strcmp(end, "true") != 0)
		return true;
	if (list_is_stale(watch, version))
		return false;
	watch->phase = PHASE_WATCH;
	close_list(watch, version);
	return !watch->freed;
}

static bool hand_over(struct kube_watch *watch, const char *type, const json_t *object)
{
	if (watch->phase == PHASE_STREAMING_LIST)
		open_list(watch);
	if (watch->freed)
		return false;
	if (strcmp(type, "DELETED") == 0)
		watch->sink.gone(watch->context, object);
	else
		watch->sink.put(watch->context, object);
	return !watch->freed;
}

static bool on_event(struct kube_watch *watch, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	const json_t *object = json_object_get(event, "object");
	const char *version = metadata_text(object, "resourceVersion");
	bool was_watching = watch->phase == PHASE_WATCH, more = true;

	if (!type || !json_is_object(object)) {
		skip(watch, "a watch event without type or object");
		return true;
	}
	if (strcmp(type, "ERROR") == 0)
		return on_error_event(watch, object);
	if (strcmp(type, "BOOKMARK") == 0)
		more = on_bookmark(watch, object, version ? version : "");
	else if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0 ||
		 strcmp(type, "DELETED") == 0)
		more = hand_over(watch, type, object);
	else
		skip(watch, "a watch event of a type that is not known");
	/* What a streaming list begins with is in no order that could be resumed. */
	if (more && watch->phase == PHASE_WATCH) {
		/* That the list is complete does not say that it can be watched. */
		if (was_watching)
			note_progress(watch);
		if (version && *version)
			set_text(&watch->version, version);
	}
	return more;
}

/* ---- bytes ---- */

static bool on_object(void *context, const char *text, size_t length)
{
	struct kube_watch *watch = context;
	json_error_t why;
	json_t *object = json_loadb(text, length, KUBE_JSON_FLAGS, &why);
	bool more;

	if (!object) {
		skip(watch, why.text);
		return true;
	}
	more = watch->phase == PHASE_LIST ? on_item(watch, object) : on_event(watch, object);
	json_decref(object);
	return more;
}

static void on_skipped(void *context, const struct err *why)
{
	skip(context, why->text);
}

static bool on_data(void *context, const char *bytes, size_t length)
{
	struct kube_watch *watch = context;
	struct err why;
	int r;

	watch->busy = true;
	r = json_stream_feed(watch->stream, bytes, length, &why);
	watch->busy = false;
	if (watch->freed) {
		destroy(watch);
		return false;
	}
	if (r == -EBADMSG && err_wrap(&why, "cannot read the answer to GET %s", watch->path))
		watch->broken = why;
	return r == 0;
}

/* ---- the end of an exchange ---- */

static bool is_too_new(const struct kube_response *response)
{
	return response->status == 504 && response->error &&
	       strcasestr(response->error->text, "too large resource version");
}

static void list_page_done(struct kube_watch *watch)
{
	const char *version = json_stream_resource_version(watch->stream);
	struct err why;

	if (json_stream_end(watch->stream, &why) < 0) {
		err_wrap(&why, "cannot read the list of %s", watch->path);
		fail(watch, &why, 0);
	} else if (!json_stream_has_items(watch->stream) || !*version) {
		err_set(&why, -EBADMSG, "cannot read the list of %s: the answer is no list",
			watch->path);
		fail(watch, &why, 0);
	} else if (list_is_stale(watch, version)) {
		watch->stale_lists++;
		fail(watch, &watch->broken, 0);
	} else {
		set_text(&watch->next, json_stream_continue(watch->stream));
		open_list(watch);
		if (!watch->next && !watch->freed)
			close_list(watch, version);
		timer_start(watch->again, 0);
	}
}

static void watch_ended(struct kube_watch *watch, uint64_t lasted_ms)
{
	struct err why;

	if (json_stream_end(watch->stream, &why) < 0) {
		err_wrap(&why, "cannot watch %s", watch->path);
		fail(watch, &why, 0);
	} else if (watch->phase == PHASE_STREAMING_LIST) {
		err_set(&why, -EIO, "cannot list %s: the streaming list ended before its end",
			watch->path);
		fail(watch, &why, 0);
	} else if (lasted_ms < HEALTHY_MS && watch->backoff.failures > 0) {
		wait_again(watch, &watch->backoff, 0);
	} else {
		/* Counts as a failure until something came: one that closes at once must
		   not be asked in a tight circle. */
		watch->backoff.failures = lasted_ms < HEALTHY_MS ? 1 : 0;
		timer_start(watch->again, 0);
	}
}

/* The stream held something that ended it from our side. */
static void stream_broken(struct kube_watch *watch)
{
	if (watch->expired) {
		list_again(watch, watch->broken.text);
		return;
	}
	if (watch->broken.code == -ESTALE)
		watch->stale_lists++;
	else if (watch->too_new)
		watch->wants_list = watch->any_version = true;
	else if (watch->phase == PHASE_WATCH && ++watch->stream_errors >= STREAM_ERRORS_MAX)
		watch->wants_list = true;
	fail(watch, &watch->broken, watch->asked_ms);
}

static void refused(struct kube_watch *watch, const struct kube_response *response)
{
	bool invalid = response->status == 400 || response->status == 422;

	if (response->status == 410) {
		list_again(watch, response->error->text);
		return;
	}
	if (invalid && watch->phase == PHASE_STREAMING_LIST) {
		watch->no_streaming = true;
		timer_start(watch->again, 0);
		return;
	}
	if (is_too_new(response) || invalid)
		watch->wants_list = watch->any_version = true;
	fail(watch, response->error, response->retry_after_ms);
}

static void judge(struct kube_watch *watch, const struct kube_response *response)
{
	uint64_t lasted_ms =
		(loop_now(kube_client_loop(watch->client)).ns - watch->started.ns) / 1000000u;

	if (watch->phase == PHASE_WATCH && response->status == 200 && lasted_ms >= HEALTHY_MS) {
		note_progress(watch);
		backoff_reset(&watch->relist);
	}
	if (watch->broken.code != 0)
		stream_broken(watch);
	else if (response->error)
		refused(watch, response);
	else if (watch->phase == PHASE_LIST)
		list_page_done(watch);
	else
		watch_ended(watch, lasted_ms);
}

static void on_done(void *context, const struct kube_response *response)
{
	struct kube_watch *watch = context;

	watch->call = NULL;
	watch->busy = true;
	judge(watch, response);
	watch->busy = false;
	if (watch->freed)
		destroy(watch);
}

/* ---- the next exchange ---- */

static void start_exchange(
	struct kube_watch *watch, enum phase phase, const char *path, uint32_t timeout_ms)
{
	static const struct json_stream_sink sink = {.object = on_object, .skipped = on_skipped};
	const struct kube_request request = {
		.method = "GET", .path = path, .timeout_ms = timeout_ms};

	watch->phase = phase;
	watch->broken = (struct err){0};
	watch->expired = watch->too_new = false;
	watch->asked_ms = 0;
	watch->started = loop_now(kube_client_loop(watch->client));
	json_stream_free(watch->stream);
	watch->stream = json_stream_new(
		phase == PHASE_LIST ? JSON_STREAM_LIST : JSON_STREAM_OBJECTS, 0, &sink, watch);
	watch->call = kube_stream_start(watch->client, &request, on_data, on_done, watch);
}

static void start_next(void *context)
{
	struct kube_watch *watch = context;
	bool listing = watch->wants_list || !watch->version;
	struct watch_query query = {
		.path = watch->path,
		.field_selector = watch->field_selector,
		.label_selector = watch->label_selector,
		.version = listing && watch->any_version ? NULL : watch->version,
		.next = watch->next,
		.page_size = watch->page_size,
		.seconds = WATCH_SECONDS_MIN + random_number() % WATCH_SECONDS_SPREAD,
		.initial = listing,
	};
	AUTO_FREE char *path = NULL;

	if (listing && watch->no_streaming) {
		path = watch_query_list(&query);
		start_exchange(watch, PHASE_LIST, path, LIST_TIMEOUT_MS);
		return;
	}
	path = watch_query_watch(&query);
	start_exchange(watch, listing ? PHASE_STREAMING_LIST : PHASE_WATCH, path,
		query.seconds * 1000u + WATCH_GRACE_MS);
}

/* ---- making and unmaking ---- */

static void make_metrics(struct kube_watch *watch, struct metrics *metrics)
{
	struct api_path meant;
	const char *resource = "other";

	if (!metrics)
		return;
	if (api_path_parse("GET", watch->path, &meant))
		resource = meant.resource;
	watch->failures = metric_counter(metrics, "herald_watch_failures_total",
		"Lists and watches that failed and were tried again.", "resource", resource, NULL);
	watch->lists = metric_counter(metrics, "herald_watch_lists_total",
		"Whole lists read, the first one included.", "resource", resource, NULL);
	watch->skipped = metric_counter(metrics, "herald_watch_skipped_objects_total",
		"Objects left out as they could not be decoded.", "resource", resource, NULL);
}

struct kube_watch *kube_watch_new(struct kube_client *client,
	const struct kube_watch_options *options, const struct kube_watch_sink *sink, void *context)
{
	struct kube_watch *watch = xcalloc(1, sizeof(*watch));

	watch->client = client;
	watch->path = xstrdup(options->path);
	set_text(&watch->field_selector, options->field_selector);
	set_text(&watch->label_selector, options->label_selector);
	watch->page_size = options->page_size ? options->page_size : PAGE_SIZE_DEFAULT;
	watch->sink = *sink;
	watch->context = context;
	watch->backoff = (struct backoff){.base_ms = BACKOFF_BASE_MS, .max_ms = BACKOFF_MAX_MS};
	watch->relist = watch->backoff;
	watch->again = timer_new(kube_client_loop(client), start_next, watch);
	make_metrics(watch, kube_client_metrics(client));
	timer_start(watch->again, 0);
	return watch;
}

void kube_watch_free(struct kube_watch *watch)
{
	if (!watch)
		return;
	kube_call_cancel(watch->call);
	watch->call = NULL;
	watch->freed = true;
	if (!watch->busy)
		destroy(watch);
}

bool kube_watch_is_synced(const struct kube_watch *watch)
{
	return watch->synced;
}
