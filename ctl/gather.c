// SPDX-License-Identifier: Apache-2.0
/*
 * A picture of a cluster from its API server, and its changes. What can't be had within
 * the bound, or never can, ends it with the reason. In: a session. Out: facts.
 */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/core/config.h"
#include "herald/io/loop.h"
#include "herald/kube/lease.h"
#include "herald/kube/watch.h"
#include "verb.h"

#define SETTLE_MS 20u /* changes that come together are told together */

struct feed {
	struct gather *gather;
	enum fact_kind kind;
	struct kube_watch *watch; /* NULL: not asked for */
	bool done;		  /* its first list has come to its end */
};

struct gather {
	struct session *session;
	struct facts facts;
	struct feed feeds[FACT_KIND_COUNT];
	struct timer *bound, *deadline, *settle;
	struct err error; /* the latest failure */
	unsigned waiting; /* feeds that have not come to their first end */
	bool failed, complete, judging;
	void (*changed)(void *context);
	void *context;
};

static void fail(struct gather *g)
{
	g->failed = true;
	loop_stop(g->session->loop);
}

static void tell_change(struct gather *g)
{
	if (g->complete && g->changed && !timer_is_running(g->settle))
		timer_start(g->settle, SETTLE_MS);
}

static void on_settled(void *context)
{
	struct gather *g = context;

	g->changed(g->context);
}

/* ---- who is alive ---- */

static const struct lease *speaker_lease(const struct gather *g, const char *node)
{
	AUTO_FREE char *name = member_lease_name(node);

	return store_find(&g->facts.of[FACT_LEASE], g->session->options->home, name);
}

static const struct lease *controller_lease(const struct gather *g)
{
	return store_find(&g->facts.of[FACT_LEASE], g->session->options->home, CONTROLLER_LEASE);
}

/* By its own word and this machine's clock; only to spare the time to watch it. */
static bool was_renewed_just_now(const struct lease *lease, uint32_t duration_ms)
{
	struct tm tm = {0};
	const char *rest = strptime(lease->renew_time, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t age = rest ? (int64_t)time(NULL) - (int64_t)timegm(&tm) : INT64_MAX;

	return age >= -1 && age * 1000 < duration_ms;
}

static bool is_doubtful(const struct gather *g, const struct member *member)
{
	const struct lease *lease;

	if (member->state != MEMBER_ALIVE || member->proven ||
		!store_find(&g->facts.of[FACT_NODE], "", member->node))
		return false;
	lease = speaker_lease(g, member->node);
	return lease && !was_renewed_just_now(lease, member->duration_ms);
}

static bool is_controller_doubtful(const struct gather *g)
{
	const struct lease *lease = controller_lease(g);

	return lease && *lease->holder && !g->facts.controller_alive &&
	       !was_renewed_just_now(lease, lease->duration_s * 1000);
}

/* How long the doubtful ones may take to show a renewal; 0: there are none. */
static uint32_t doubt_ms(const struct gather *g)
{
	uint32_t longest = 0;

	for (size_t i = 0; g->facts.members && i < members_count(g->facts.members); i++) {
		const struct member *member = members_at(g->facts.members, i);

		if (is_doubtful(g, member) && member->duration_ms > longest)
			longest = member->duration_ms;
	}
	if (is_controller_doubtful(g) && controller_lease(g)->duration_s * 1000 > longest)
		longest = controller_lease(g)->duration_s * 1000;
	return longest < GATHER_DOUBT_MAX_MS ? longest : GATHER_DOUBT_MAX_MS;
}

static void bury_doubtful(struct gather *g)
{
	for (size_t i = 0; i < members_count(g->facts.members); i++) {
		const struct member *member = members_at(g->facts.members, i);

		if (is_doubtful(g, member))
			members_bury(g->facts.members, member->node);
	}
}

static void become_complete(struct gather *g)
{
	const struct lease *lease = controller_lease(g);

	g->facts.controller_alive = lease && *lease->holder && !is_controller_doubtful(g);
	g->judging = false;
	g->complete = true;
	timer_stop(g->bound);
	timer_stop(g->deadline);
	loop_stop(g->session->loop);
}

/* Once all is there: whether the doubt about some Leases has ended. */
static void judge_doubtful(struct gather *g)
{
	uint32_t ms = doubt_ms(g);

	if (ms == 0) {
		become_complete(g);
	} else if (!g->judging) {
		g->judging = true;
		timer_stop(g->bound);
		timer_start(g->deadline, ms);
	}
}

static void schedule_death(struct gather *g)
{
	struct monotime now = loop_now(g->session->loop), next;

	if (members_next(g->facts.members, now, &next))
		timer_start(g->deadline, monotime_ms_until(now, next));
}

static void on_deadline(void *context)
{
	struct gather *g = context;

	if (!g->complete) {
		bury_doubtful(g);
		become_complete(g);
		return;
	}
	if (members_judge(g->facts.members, loop_now(g->session->loop)))
		tell_change(g);
	schedule_death(g);
}

static void follow_lease(struct gather *g, const struct lease *lease)
{
	bool changed = members_put(g->facts.members, lease, loop_now(g->session->loop));

	if (g->judging)
		judge_doubtful(g);
	if (!g->complete)
		return;
	if (members_judge(g->facts.members, loop_now(g->session->loop)) || changed)
		tell_change(g);
	schedule_death(g);
}

/* How the configuration has the speakers keep and judge their Leases. */
static void follow_config(struct gather *g)
{
	const struct config_map *map = facts_config_map(&g->facts);
	struct config_problems problems = {0};
	struct config *config;

	if (!map || !map->text || !g->facts.members)
		return;
	config = config_parse(map->text, map->length, &problems);
	config_problems_done(&problems);
	if (!config)
		return;
	members_set_timing(
		g->facts.members, &(struct member_timing){config->membership.lease_duration_ms,
					  config->membership.renew_interval_ms});
	members_set_watchers(
		g->facts.members, config->membership.bfd.on ? config->membership.bfd.watchers : 0);
	config_free(config);
}

/* ---- the feeds ---- */

static void on_list_begin(void *context)
{
	struct feed *feed = context;

	store_list_begin(&feed->gather->facts.of[feed->kind]);
}

/* A renewal seen with one's own eyes. */
static void follow_controller(struct gather *g, const struct lease *next)
{
	const struct lease *lease = controller_lease(g);

	if (lease && strcmp(next->meta.name, CONTROLLER_LEASE) == 0 && *next->holder &&
		strcmp(lease->renew_time, next->renew_time) != 0)
		g->facts.controller_alive = true;
}

static void on_put(void *context, const json_t *object)
{
	struct feed *feed = context;
	struct gather *g = feed->gather;
	struct err e;
	void *decoded = fact_decode(feed->kind, object, &e);

	if (!decoded) {
		complain("note: the API server sent what can't be read: %s", e.text);
		return;
	}
	if (feed->kind == FACT_LEASE)
		follow_controller(g, decoded);
	store_put_take(&g->facts.of[feed->kind], decoded);
	if (feed->kind == FACT_LEASE) {
		follow_lease(g, decoded);
		return;
	}
	if (feed->kind == FACT_CONFIG_MAP)
		follow_config(g);
	tell_change(g);
}

static void on_gone(void *context, const json_t *object)
{
	struct feed *feed = context;
	const json_t *meta = json_object_get(object, "metadata");
	const char *namespace = json_string_value(json_object_get(meta, "namespace"));
	const char *name = json_string_value(json_object_get(meta, "name"));

	if (name &&
		store_remove(&feed->gather->facts.of[feed->kind], namespace ? namespace : "", name))
		tell_change(feed->gather);
}

static void on_list_end(void *context)
{
	struct feed *feed = context;
	struct gather *g = feed->gather;

	store_list_end(&g->facts.of[feed->kind]);
	tell_change(g);
	if (feed->done)
		return;
	feed->done = true;
	if (--g->waiting == 0)
		judge_doubtful(g);
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

	if (feed->gather->complete) {
		complain("note: %s; trying again", error->text);
		return;
	}
	feed->gather->error = *error;
	if (!may_pass(error))
		fail(feed->gather);
}

static void on_bound(void *context)
{
	fail(context);
}

static void feed_start(struct gather *g, enum fact_kind kind)
{
	static const struct kube_watch_sink sink = {.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing};
	const struct cluster_options *options = g->session->options;
	AUTO_FREE char *home = kube_escape(options->home);
	AUTO_FREE char *maps = xasprintf("/api/v1/namespaces/%s/configmaps", home);
	AUTO_FREE char *leases =
		xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", home);
	AUTO_FREE char *name = xasprintf("metadata.name=%s", options->config_map);
	const char *const paths[FACT_KIND_COUNT] = {[FACT_SERVICE] = "/api/v1/services",
		[FACT_NODE] = "/api/v1/nodes",
		[FACT_NAMESPACE] = "/api/v1/namespaces",
		[FACT_CONFIG_MAP] = maps,
		[FACT_SLICE] = "/apis/discovery.k8s.io/v1/endpointslices",
		[FACT_LEASE] = leases};
	struct kube_watch_options watch = {
		.path = paths[kind], .field_selector = kind == FACT_CONFIG_MAP ? name : NULL};

	g->feeds[kind].watch = kube_watch_new(g->session->client, &watch, &sink, &g->feeds[kind]);
	g->waiting++;
}

struct gather *gather_new(struct session *session, unsigned kinds)
{
	struct gather *g = xcalloc(1, sizeof(*g));

	g->session = session;
	g->bound = timer_new(session->loop, on_bound, g);
	g->deadline = timer_new(session->loop, on_deadline, g);
	g->settle = timer_new(session->loop, on_settled, g);
	if (kinds & FACT_BIT(FACT_LEASE))
		g->facts.members = members_new();
	for (unsigned kind = 0; kind < FACT_KIND_COUNT; kind++) {
		g->feeds[kind] = (struct feed){.gather = g, .kind = (enum fact_kind)kind};
		if (kinds & FACT_BIT(kind))
			feed_start(g, (enum fact_kind)kind);
	}
	return g;
}

void gather_free(struct gather *gather)
{
	if (!gather)
		return;
	for (size_t i = 0; i < FACT_KIND_COUNT; i++)
		kube_watch_free(gather->feeds[i].watch);
	timer_free(gather->bound);
	timer_free(gather->deadline);
	timer_free(gather->settle);
	facts_done(&gather->facts);
	free(gather);
}

int gather_all(struct gather *gather, struct err *e)
{
	timer_start(gather->bound, gather->session->options->timeout_ms);
	loop_run(gather->session->loop);
	if (!gather->failed)
		return 0;
	if (gather->error.code == 0)
		return err_set(e, -ETIMEDOUT, "%s did not answer within %u s",
			gather->session->kubeconfig->server,
			gather->session->options->timeout_ms / 1000);
	*e = gather->error;
	return e->code;
}

const struct facts *gather_facts(const struct gather *gather)
{
	return &gather->facts;
}

void gather_follow(struct gather *gather, void (*changed)(void *context), void *context)
{
	gather->changed = changed;
	gather->context = context;
	if (gather->facts.members)
		schedule_death(gather);
}

struct session *gather_session(const struct gather *gather)
{
	return gather->session;
}

int with_facts(struct cluster_options *options, unsigned kinds, gathered_fn *fn, void *context)
{
	struct session session;
	struct gather *gather = NULL;
	int r, code = VERB_UNKNOWN;
	struct err e;

	r = session_open(&session, options, &e);
	if (r == 0) {
		gather = gather_new(&session, kinds);
		r = gather_all(gather, &e);
	}
	if (r == 0) {
		/* Behind the facts: a server that does not answer has been found by then. */
		session_learn_rules(&session);
		code = fn(context, gather);
	} else {
		session_advise(&session, &e);
		complain("%s", e.text);
	}
	gather_free(gather);
	session_close(&session);
	return code;
}
