// SPDX-License-Identifier: Apache-2.0
/*
 * The shell around lease_machine: it sends the request that the machine asks for, hands
 * the outcome and the time back, and keeps its timer. Every write is a merge patch with
 * the resourceVersion that was read, so that a Lease changed meanwhile answers 409, and
 * fields and labels of others stay. It decides nothing itself.
 */
#include "herald/kube/lease.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "herald/kube/decode.h"
#include "herald/kube/json_object.h"
#include "lease_machine.h"

enum { REQUEST_MIN_MS = 200, RELEASE_REQUEST_MS = 1000 };

struct kube_lease {
	struct kube_client *client;
	struct loop *loop;
	struct kube_lease_sink sink;
	void *context;
	char *namespace, *name, *collection_path, *path;
	json_t *labels, *annotations; /* objects, possibly empty */
	json_t *owners;		      /* ownerReferences; NULL: none */
	struct lease_state state;
	struct kube_call *call;
	struct timer *timer;
	char failure[sizeof(((struct err *)NULL)->text)]; /* told last */
	void (*released)(void *context);
	void *released_context;
	bool is_released;
};

static void feed(struct kube_lease *lease, struct lease_event *event, const struct err *failure);

static json_t *load_object(const char *text)
{
	json_t *object = text ? json_loads(text, 0, NULL) : json_object();

	if (!json_is_object(object))
		DIE("labels and annotations of a Lease must be a JSON object");
	return object;
}

/* MicroTime of meta/v1: RFC 3339 with exactly six digits of a second. */
static json_t *micro_time(void)
{
	struct timespec now;
	struct tm tm;
	char date[32], text[48];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06uZ", date, (unsigned)(now.tv_nsec / 1000) % 1000000u);
	return json_string(text);
}

static json_t *spec_for(const struct kube_lease *lease, enum lease_request request)
{
	const struct lease_state *state = &lease->state;
	json_t *spec = json_object();

	if (request == LEASE_REQUEST_RELEASE) {
		/* As client-go does: the field goes, for newer servers refuse an empty one
		 * (422). renewTime stays, since nothing was renewed. */
		json_object_set_new(spec, "holderIdentity", json_null());
		json_object_set_new(spec, "leaseDurationSeconds", json_integer(1));
		return spec;
	}
	json_object_set_new(spec, "holderIdentity", json_string(state->identity));
	json_object_set_new(
		spec, "leaseDurationSeconds", json_integer((state->duration_ms + 999) / 1000));
	json_object_set_new(spec, "renewTime", micro_time());
	if (request == LEASE_REQUEST_RENEW)
		return spec;
	json_object_set(spec, "acquireTime", json_object_get(spec, "renewTime"));
	json_object_set_new(spec, "leaseTransitions",
		json_integer(request == LEASE_REQUEST_TAKE
				     ? (json_int_t)state->record.transitions + 1
				     : 0));
	return spec;
}

/* null takes an annotation away in a patch; a new object has none to take away. */
static json_t *without_nulls(json_t *object)
{
	json_t *copy = json_copy(object);
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(copy, next, key, value) if (json_is_null(value))
		json_object_del(copy, key);
	return copy;
}

static char *body_for(const struct kube_lease *lease, enum lease_request request)
{
	json_t *meta = json_object(), *object = json_object();
	char *text;

	if (request == LEASE_REQUEST_CREATE) {
		json_object_set_new(object, "apiVersion", json_string("coordination.k8s.io/v1"));
		json_object_set_new(object, "kind", json_string("Lease"));
		json_object_set_new(meta, "namespace", json_string(lease->namespace));
		json_object_set_new(meta, "name", json_string(lease->name));
		json_object_set_new(meta, "annotations", without_nulls(lease->annotations));
		if (lease->owners)
			json_object_set(meta, "ownerReferences", lease->owners);
	} else {
		json_object_set_new(
			meta, "resourceVersion", json_string(lease->state.record.resource_version));
		json_object_set(meta, "annotations", lease->annotations);
	}
	json_object_set(meta, "labels", lease->labels);
	json_object_set_new(object, "metadata", meta);
	json_object_set_new(object, "spec", spec_for(lease, request));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		DIE("a Lease cannot be written as JSON");
	return text;
}

static void tell_failure(struct kube_lease *lease, const struct err *error)
{
	if (!strcmp(lease->failure, error->text))
		return;
	memcpy(lease->failure, error->text, sizeof(lease->failure));
	if (lease->sink.failing)
		lease->sink.failing(lease->context, error);
}

static int read_record(
	const struct kube_response *response, struct lease_record *ret, struct err *e)
{
	json_t *object = NULL;
	struct lease *decoded;
	int r = kube_json_object_load(response->body, response->length, &object, e);

	if (r == 0)
		r = kube_decode_lease(object, &decoded, e);
	json_decref(object);
	if (r < 0)
		return r;
	snprintf(ret->holder, sizeof(ret->holder), "%s", decoded->holder);
	snprintf(ret->resource_version, sizeof(ret->resource_version), "%s",
		decoded->meta.resource_version);
	snprintf(ret->renew_time, sizeof(ret->renew_time), "%s", decoded->renew_time);
	ret->duration_s = decoded->duration_s;
	ret->transitions = decoded->transitions;
	free(decoded);
	return 0;
}

static enum lease_event_kind kind_of(
	const struct kube_lease *lease, const struct kube_response *response)
{
	if (response->status >= 200 && response->status < 300)
		return lease->state.under_way == LEASE_REQUEST_READ ? LEASE_EVENT_READ
								    : LEASE_EVENT_WRITTEN;
	if (response->status == 404)
		return LEASE_EVENT_MISSING;
	if (response->status == 409)
		return LEASE_EVENT_CONFLICT;
	return LEASE_EVENT_FAILED;
}

static void on_response(void *context, const struct kube_response *response)
{
	struct kube_lease *lease = context;
	struct lease_record record = {0};
	struct lease_event event = {
		.record = &record,
		.retry_after_ms = response->retry_after_ms,
	};
	bool creating = lease->state.under_way == LEASE_REQUEST_CREATE;
	const struct err *failure = NULL;
	struct err e = {0};

	lease->call = NULL;
	event.kind = kind_of(lease, response);
	if (response->error)
		e = *response->error;
	if ((event.kind == LEASE_EVENT_READ || event.kind == LEASE_EVENT_WRITTEN) &&
		read_record(response, &record, &e) < 0) {
		err_wrap(&e, "the answer about Lease \"%s/%s\"", lease->namespace, lease->name);
		event.kind = LEASE_EVENT_FAILED;
	}
	if (event.kind == LEASE_EVENT_WRITTEN)
		lease->failure[0] = '\0';
	/* Creating meets 404 where the namespace is missing: that needs a person. */
	if (event.kind == LEASE_EVENT_FAILED || (event.kind == LEASE_EVENT_MISSING && creating))
		failure = &e;
	feed(lease, &event, failure);
}

static void send_request(struct kube_lease *lease, enum lease_request request)
{
	uint32_t timeout = lease->state.renew_ms;
	AUTO_FREE char *body = request == LEASE_REQUEST_READ ? NULL : body_for(lease, request);
	struct kube_request call = {.method = "PATCH",
		.path = lease->path,
		.content_type = KUBE_MERGE_PATCH,
		.body = body,
		.body_length = body ? strlen(body) : 0,
		.urgent = true};

	if (request == LEASE_REQUEST_READ) {
		call.method = "GET";
		call.content_type = NULL;
	} else if (request == LEASE_REQUEST_CREATE) {
		call.method = "POST";
		call.path = lease->collection_path;
		call.content_type = NULL;
	}
	if (request == LEASE_REQUEST_RELEASE && timeout > RELEASE_REQUEST_MS)
		timeout = RELEASE_REQUEST_MS;
	call.timeout_ms = timeout > REQUEST_MIN_MS ? timeout : REQUEST_MIN_MS;
	lease->call = kube_call_start(lease->client, &call, on_response, lease);
}

/* At most one callback, and last of all, for it may free the lease. */
static void tell(struct kube_lease *lease, const struct lease_action *action,
	const struct lease_event *event, const struct err *failure)
{
	if (action->gained && lease->sink.held)
		lease->sink.held(lease->context);
	else if (action->lost && lease->sink.lost)
		lease->sink.lost(lease->context, action->why);
	else if (failure)
		tell_failure(lease, failure);
	else if (event->kind == LEASE_EVENT_WRITTEN && lease->sink.written)
		lease->sink.written(lease->context);
}

static void feed(struct kube_lease *lease, struct lease_event *event, const struct err *failure)
{
	struct monotime now = loop_now(lease->loop);
	struct lease_action action;

	if (getrandom(&event->random, sizeof(event->random), GRND_NONBLOCK) < 0)
		event->random = 0; /* jitter only */
	action = lease_step(&lease->state, event, now);
	if (action.request != LEASE_REQUEST_NONE)
		send_request(lease, action.request);
	if (action.released) {
		/* From the timer, so that it is never called from inside kube_lease_release. */
		lease->is_released = true;
		kube_call_cancel(lease->call);
		lease->call = NULL;
		timer_start(lease->timer, 0);
	} else if (action.wake) {
		timer_start(lease->timer, monotime_ms_until(now, action.wake_at));
	} else {
		timer_stop(lease->timer);
	}
	tell(lease, &action, event, failure);
}

static void on_timer(void *context)
{
	struct lease_event event = {.kind = LEASE_EVENT_TIMER};
	struct kube_lease *lease = context;

	if (!lease->is_released)
		feed(lease, &event, NULL);
	else if (lease->released)
		lease->released(lease->released_context);
}

struct kube_lease *kube_lease_new(struct kube_client *client, struct loop *loop,
	const struct kube_lease_options *options, const struct kube_lease_sink *sink, void *context)
{
	struct kube_lease *lease = xcalloc(1, sizeof(*lease));
	AUTO_FREE char *namespace = kube_escape(options->namespace);
	AUTO_FREE char *name = kube_escape(options->name);

	lease->client = client;
	lease->loop = loop;
	lease->sink = *sink;
	lease->context = context;
	lease->namespace = xstrdup(options->namespace);
	lease->name = xstrdup(options->name);
	lease->collection_path =
		xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", namespace);
	lease->path = xasprintf("%s/%s", lease->collection_path, name);
	lease->labels = load_object(options->labels_json);
	lease->annotations = json_object();
	lease_state_init(&lease->state, options->identity, options->duration_ms, options->renew_ms);
	lease->timer = timer_new(loop, on_timer, lease);
	timer_start(lease->timer, 0);
	return lease;
}

bool kube_lease_is_held(const struct kube_lease *lease)
{
	return lease_state_is_valid(&lease->state, loop_now(lease->loop));
}

void kube_lease_set_timing(struct kube_lease *lease, uint32_t duration_ms, uint32_t renew_ms)
{
	lease_state_set_timing(&lease->state, duration_ms, renew_ms);
}

void kube_lease_set_annotations(struct kube_lease *lease, const char *annotations_json)
{
	json_decref(lease->annotations);
	lease->annotations = load_object(annotations_json);
}

void kube_lease_set_owner(struct kube_lease *lease, const char *node, const char *uid)
{
	json_decref(lease->owners);
	lease->owners = json_pack("[{s:s,s:s,s:s,s:s}]", "apiVersion", "v1", "kind", "Node", "name",
		node, "uid", uid);
}

void kube_lease_renew(struct kube_lease *lease)
{
	struct lease_event event = {.kind = LEASE_EVENT_NUDGE};

	if (!lease->state.releasing)
		feed(lease, &event, NULL);
}

void kube_lease_annotate(struct kube_lease *lease, const char *annotations_json)
{
	kube_lease_set_annotations(lease, annotations_json);
	kube_lease_renew(lease);
}

bool kube_lease_written(
	const struct kube_lease *lease, const char *resource_version, struct monotime *ret)
{
	const struct lease_state *state = &lease->state;

	if (*state->written_version == '\0' ||
		strcmp(state->written_version, resource_version) != 0)
		return false;
	*ret = state->written_at;
	return true;
}

void kube_lease_release(struct kube_lease *lease, void (*done)(void *context), void *context)
{
	struct lease_event event = {.kind = LEASE_EVENT_RELEASE};

	lease->released = done;
	lease->released_context = context;
	if (!lease->state.releasing)
		feed(lease, &event, NULL);
}

void kube_lease_free(struct kube_lease *lease)
{
	if (!lease)
		return;
	kube_call_cancel(lease->call);
	timer_free(lease->timer);
	json_decref(lease->labels);
	json_decref(lease->annotations);
	json_decref(lease->owners);
	free(lease->namespace);
	free(lease->name);
	free(lease->collection_path);
	free(lease->path);
	free(lease);
}
