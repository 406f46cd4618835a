// SPDX-License-Identifier: Apache-2.0
/*
 * The shell around event_ledger: it turns what the ledger lets through into POSTs and
 * PATCHes of core/v1 Events, a few at a time, and wakes when the ledger says. Best
 * effort: a write that fails is not tried again until the same thing happens again.
 */
#include "herald/kube/event.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event_ledger.h"

enum {
	WRITES_MAX = 4,		 /* at once: Events must not crowd out what matters */
	EVENT_NAME_OBJECT = 230, /* of the object's name in the Event's: 253 - 1 - 16, less */
};

struct write {
	struct kube_events *events;
	struct event_entry *entry;
	struct kube_call *call; /* NULL: free */
	char name[EVENT_NAME_OBJECT + 24];
	bool creating;
};

struct kube_events {
	struct kube_client *client;
	struct loop *loop;
	struct log *log;
	char *component, *instance;
	struct event_ledger *ledger;
	struct timer *timer;
	struct write writes[WRITES_MAX];
	bool failing;
};

static void flush(struct kube_events *events);

static json_t *time_json(int64_t unix_time)
{
	time_t t = (time_t)unix_time;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static int64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* An Event of a cluster-wide object lives in "default", as the API server demands. */
static const char *namespace_of(const struct event_view *view)
{
	return *view->namespace ? view->namespace : "default";
}

/* Like client-go's names: the object's, and the time in hexadecimal to tell them apart. */
static void make_name(const struct event_view *view, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s.%016llx", EVENT_NAME_OBJECT, view->object,
		(unsigned long long)wall_clock_ns());
}

static json_t *new_event(
	const struct kube_events *events, const struct event_view *view, const char *name)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s},"
			 " s:{s:s, s:s, s:s, s:s, s:s},"
			 " s:s, s:s, s:s, s:i, s:o, s:o, s:{s:s}, s:s, s:s}",
		"apiVersion", "v1", "kind", "Event", "metadata", "namespace", namespace_of(view),
		"name", name, "involvedObject", "apiVersion", view->api_version, "kind", view->kind,
		"namespace", view->namespace, "name", view->object, "uid", view->uid, "reason",
		view->reason, "message", view->message, "type",
		view->type == KUBE_EVENT_WARNING ? "Warning" : "Normal", "count", (int)view->count,
		"firstTimestamp", time_json(view->first_unix), "lastTimestamp",
		time_json(view->last_unix), "source", "component", events->component,
		"reportingComponent", events->component, "reportingInstance", events->instance);
}

static json_t *repeat_patch(const struct event_view *view)
{
	return json_pack("{s:i, s:o}", "count", (int)view->count, "lastTimestamp",
		time_json(view->last_unix));
}

static enum event_outcome outcome_of(
	const struct write *write, const struct kube_response *response)
{
	if (response->status >= 200 && response->status < 300)
		return write->creating ? EVENT_CREATED : EVENT_PATCHED;
	if (response->status == 404 && !write->creating)
		return EVENT_VANISHED; /* Events live for an hour on most servers */
	return EVENT_FAILED;
}

static void on_response(void *context, const struct kube_response *response)
{
	struct write *write = context;
	struct kube_events *events = write->events;
	enum event_outcome outcome = outcome_of(write, response);

	write->call = NULL;
	event_ledger_written(events->ledger, write->entry, outcome, write->name);
	/* Told once in a row: who reads the log needs no line for each Event lost. */
	if (outcome == EVENT_FAILED && !events->failing)
		log_warn(events->log, "cannot write an Event; repeats of this are not told",
			"error", response->error ? response->error->text : "", NULL);
	events->failing = outcome == EVENT_FAILED;
	flush(events);
}

static bool send_write(struct kube_events *events, struct write *write, struct event_entry *entry)
{
	struct event_view view = event_ledger_view(entry);
	AUTO_FREE char *namespace = kube_escape(namespace_of(&view));
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *body = NULL;
	struct kube_request request = {0};
	json_t *json;

	write->creating = !view.name;
	if (write->creating)
		make_name(&view, write->name, sizeof(write->name));
	json = write->creating ? new_event(events, &view, write->name) : repeat_patch(&view);
	body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!body) /* text that is no UTF-8 */
		return false;
	if (write->creating) {
		path = xasprintf("/api/v1/namespaces/%s/events", namespace);
	} else {
		AUTO_FREE char *name = kube_escape(view.name);

		path = xasprintf("/api/v1/namespaces/%s/events/%s", namespace, name);
		request.content_type = KUBE_MERGE_PATCH;
	}
	request.method = write->creating ? "POST" : "PATCH";
	request.path = path;
	request.body = body;
	request.body_length = strlen(body);
	write->entry = entry;
	write->call = kube_call_start(events->client, &request, on_response, write);
	return true;
}

static struct write *free_write(struct kube_events *events)
{
	for (size_t i = 0; i < WRITES_MAX; i++)
		if (!events->writes[i].call)
			return &events->writes[i];
	return NULL;
}

static void flush(struct kube_events *events)
{
	struct monotime now = loop_now(events->loop), wake = {0};
	struct event_entry *entry;
	struct write *write;

	timer_stop(events->timer);
	while ((write = free_write(events))) {
		entry = event_ledger_next(events->ledger, now, &wake);
		if (!entry)
			break;
		if (!send_write(events, write, entry))
			event_ledger_written(events->ledger, entry, EVENT_FAILED, NULL);
	}
	if (write && wake.ns)
		timer_start(events->timer, monotime_ms_until(now, wake));
}

static void on_timer(void *context)
{
	flush(context);
}

struct kube_events *kube_events_new(struct kube_client *client, struct loop *loop,
	const char *component, const char *instance, struct log *log)
{
	struct kube_events *events = xcalloc(1, sizeof(*events));

	events->client = client;
	events->loop = loop;
	events->log = log;
	events->component = xstrdup(component);
	events->instance = xstrdup(instance);
	events->ledger = event_ledger_new();
	events->timer = timer_new(loop, on_timer, events);
	for (size_t i = 0; i < WRITES_MAX; i++)
		events->writes[i].events = events;
	return events;
}

void kube_events_free(struct kube_events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < WRITES_MAX; i++)
		kube_call_cancel(events->writes[i].call);
	timer_free(events->timer);
	event_ledger_free(events->ledger);
	free(events->component);
	free(events->instance);
	free(events);
}

void kube_event_record(struct kube_events *events, const struct kube_object_ref *about,
	enum kube_event_type type, const char *reason, const char *message)
{
	struct event_note note = {
		.about = about,
		.type = type,
		.reason = reason,
		.message = message,
		.unix_time = wall_clock_ns() / 1000000000,
	};

	if (event_ledger_record(events->ledger, &note, loop_now(events->loop))) {
		flush(events);
		return;
	}
	log_debug(events->log, "Event dropped: its object has had too many", "kind", about->kind,
		"namespace", about->namespace, "name", about->name, "reason", reason, NULL);
}
