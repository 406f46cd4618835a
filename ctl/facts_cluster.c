// SPDX-License-Identifier: Apache-2.0
/*
 * A picture of a cluster from its API server: Services, nodes and namespaces by the same
 * watches as the programs use, each up to the end of its first list, and the one
 * ConfigMap by a GET. Runs the loop until all is there; what can't be had within the
 * bound, or never can, ends it with the reason.
 */
#include <errno.h>
#include <stdlib.h>

#include "facts.h"
#include "herald/io/loop.h"
#include "herald/kube/client.h"
#include "herald/kube/json_object.h"
#include "herald/kube/watch.h"
#include "verb.h"

struct reading;

/* One watch; `done` from the end of its first list on, when it is heard no longer. */
struct feed {
	struct reading *reading;
	enum fact_kind kind;
	struct kube_watch *watch;
	bool done;
};

struct reading {
	const struct facts_cluster *options;
	struct facts *facts;
	struct loop *loop;
	struct log *log;
	struct kubeconfig *kubeconfig;
	struct kube_client *client;
	struct timer *bound;
	struct feed feeds[3];
	struct err error; /* the latest failure */
	unsigned waiting; /* feeds and calls that have not come to their end */
	bool failed;
};

static void end_one(struct reading *r)
{
	if (--r->waiting == 0)
		loop_stop(r->loop);
}

static void fail(struct reading *r)
{
	r->failed = true;
	loop_stop(r->loop);
}

static void on_list_begin(void *context)
{
	struct feed *feed = context;

	if (!feed->done)
		facts_clear(feed->reading->facts, feed->kind);
}

static void on_put(void *context, const json_t *object)
{
	struct feed *feed = context;
	struct err e;

	if (!feed->done && facts_add(feed->reading->facts, feed->kind, object, "", &e) < 0)
		complain("note: the API server sent what can't be read: %s", e.text);
}

static void on_gone(void *context, const json_t *object)
{
	(void)context;
	(void)object;
}

static void on_list_end(void *context)
{
	struct feed *feed = context;

	if (feed->done)
		return;
	feed->done = true;
	end_one(feed->reading);
}

/* Whether waiting may help: the server is busy or went away for a moment. */
static bool may_pass(const struct err *error)
{
	return error->code == -EAGAIN || error->code == -ESTALE || error->code == -ETIMEDOUT ||
	       error->code == -EIO;
}

static void on_failing(void *context, const struct err *error)
{
	struct feed *feed = context;

	if (feed->done)
		return;
	feed->reading->error = *error;
	if (!may_pass(error))
		fail(feed->reading);
}

static void on_config_map(void *context, const struct kube_response *response)
{
	struct reading *r = context;
	json_t *object = NULL;

	if (response->status == 404) {
		end_one(r); /* no configuration yet */
		return;
	}
	if (response->error) {
		r->error = *response->error;
		fail(r);
		return;
	}
	if (kube_json_object_load(response->body, response->length, &object, &r->error) < 0 ||
		facts_add(r->facts, FACT_CONFIG_MAP, object, r->options->config_map, &r->error) < 0)
		fail(r);
	else
		end_one(r);
	json_decref(object);
}

static void on_bound(void *context)
{
	fail(context);
}

static void start(struct reading *r)
{
	static const struct kube_watch_sink sink = {.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing};
	static const struct {
		const char *path;
		enum fact_kind kind;
	} feeds[] = {
		{"/api/v1/services", FACT_SERVICE},
		{"/api/v1/nodes", FACT_NODE},
		{"/api/v1/namespaces", FACT_NAMESPACE},
	};
	AUTO_FREE char *namespace = kube_escape(r->options->namespace);
	AUTO_FREE char *name = kube_escape(r->options->config_map);
	AUTO_FREE char *path = xasprintf("/api/v1/namespaces/%s/configmaps/%s", namespace, name);
	struct kube_request request = {
		.method = "GET", .path = path, .timeout_ms = r->options->timeout_ms};

	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++) {
		struct kube_watch_options options = {.path = feeds[i].path};

		r->feeds[i] = (struct feed){.reading = r, .kind = feeds[i].kind};
		r->feeds[i].watch = kube_watch_new(r->client, &options, &sink, &r->feeds[i]);
		r->waiting++;
	}
	kube_call_start(r->client, &request, on_config_map, r);
	r->waiting++;
	timer_start(r->bound, r->options->timeout_ms);
}

static int run(struct reading *r, struct err *e)
{
	int result = kubeconfig_load(&r->options->where, &r->kubeconfig, e);

	if (result == 0)
		result = loop_new(&r->loop, e);
	if (result < 0)
		return result;
	r->log = log_new(stderr, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, "heraldctl");
	result = kube_client_new(
		r->loop, r->kubeconfig, "heraldctl/" HERALD_VERSION, r->log, NULL, &r->client, e);
	if (result < 0)
		return result;
	r->bound = timer_new(r->loop, on_bound, r);
	start(r);
	loop_run(r->loop);
	if (!r->failed)
		return 0;
	if (r->error.code == 0)
		return err_set(e, -ETIMEDOUT, "%s did not answer within %u s",
			r->kubeconfig->server, r->options->timeout_ms / 1000);
	*e = r->error;
	return e->code;
}

int facts_from_cluster(const struct facts_cluster *options, struct facts *ret, struct err *e)
{
	struct facts facts = {0};
	struct reading r = {.options = options, .facts = &facts};
	int result = run(&r, e);

	for (size_t i = 0; i < sizeof(r.feeds) / sizeof(r.feeds[0]); i++)
		kube_watch_free(r.feeds[i].watch);
	timer_free(r.bound);
	if (r.client)
		kube_client_free(r.client);
	loop_free(r.loop);
	log_free(r.log);
	kubeconfig_free(r.kubeconfig);
	if (result == 0)
		*ret = facts;
	else
		facts_done(&facts);
	return result;
}
