// SPDX-License-Identifier: Apache-2.0
/*
 * What is watched for the status page, and the plan that follows from it. In: objects from
 * the API server. Out: a view when somebody asks for one, and a timeline. A burst of
 * changes leads to one plan, and plans take a bounded part of a processor.
 */
#include "observer.h"

#include <stdlib.h>
#include <time.h>

#include "changes.h"
#include "herald/core/config_bgp.h"
#include "herald/kube/cluster.h"
#include "herald/kube/config_watch.h"

#define PLAN_DELAY_MS 200u /* lets a burst pass */
#define PLAN_PAUSE 9u	   /* times what a plan took until the next: 10% at most */

struct observer {
	struct program *program;
	struct plan_class class;
	void (*changed)(void *context);
	void *context;
	struct cluster *cluster;
	struct config_watch *config;
	struct alloc *alloc; /* holds nothing: it knows which address is in which pool */
	struct timer *timer;
	struct monotime not_before; /* the next plan */
	struct plan *plan;
	struct bgp_plan *bgp; /* NULL: no BGP */
	struct view *view;    /* NULL: to be made */
	struct timeline *timeline;
	struct changes *changes;
	bool stale;	   /* the plan */
	uint64_t revision; /* of what is shown */
	uint64_t told;	   /* the one that `changed` was called for */
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* What the view points into is no more. */
static void touch(struct observer *o)
{
	struct monotime now = loop_now(o->program->loop);
	uint64_t wait = monotime_ms_until(now, o->not_before);

	o->stale = true;
	view_free(o->view);
	o->view = NULL;
	if (!timer_is_running(o->timer))
		timer_start(o->timer, wait > PLAN_DELAY_MS ? wait : PLAN_DELAY_MS);
}

static void on_changed(void *context)
{
	struct observer *o = context;

	/* The first call comes from inside cluster_new's watches, never before it returned. */
	touch(o);
}

static void on_nothing(void *context)
{
	(void)context;
}

bool observer_is_synced(const struct observer *observer)
{
	return config_watch_current(observer->config) && cluster_is_synced(observer->cluster);
}

/* Which addresses are advertised at all is the same in each node's plan. */
static struct bgp_plan *plan_bgp(const struct plan_input *objects)
{
	struct plan_input cluster = *objects;

	if (!objects->config->bgp || members_count(objects->members) == 0)
		return NULL;
	cluster.self = members_at(objects->members, 0)->node;
	return bgp_plan_make(&(struct bgp_plan_input){.cluster = &cluster, .assume_secrets = true});
}

static void follow(struct observer *o)
{
	struct plan *before = o->plan;
	struct plan_input input;
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	if (!observer_is_synced(o))
		return;
	o->stale = false;
	observer_objects(o, &input);
	o->plan = plan_make(&input);
	bgp_plan_free(o->bgp);
	o->bgp = plan_bgp(&input);
	changes_follow(
		o->changes, &(struct changes_input){
				    .before = before,
				    .plan = o->plan,
				    .bgp = o->bgp,
				    .objects = &input,
				    .time_ms = (int64_t)(clock_ns(CLOCK_REALTIME) / 1000000u),
			    });
	view_free(o->view);
	o->view = NULL;
	plan_free(before);
	o->revision++;
	o->not_before.ns =
		loop_now(o->program->loop).ns + PLAN_PAUSE * (clock_ns(CLOCK_MONOTONIC) - begin);
}

static void on_timer(void *context)
{
	struct observer *o = context;

	if (o->stale)
		follow(o);
	if (o->revision != o->told)
		o->changed(o->context);
	o->told = o->revision;
}

static void on_config(void *context, const struct config *config)
{
	struct observer *o = context;

	alloc_configure(o->alloc, config);
	cluster_set_timing(o->cluster, &config->membership);
	cluster_want_cluster_ips(o->cluster, config->bgp && config->bgp->cluster_count > 0);
	touch(o);
}

struct observer *observer_new(struct program *program, const struct plan_class *class,
	void (*changed)(void *context), void *context)
{
	static const struct cluster_sink sink = {
		.changed = on_changed,
		.lease_seen = on_nothing,
		.timing_changed = on_nothing,
		.leases_known = on_nothing,
	};
	struct observer *o = xcalloc(1, sizeof(*o));

	o->program = program;
	o->class = *class;
	o->changed = changed;
	o->context = context;
	o->alloc = alloc_new();
	o->timer = timer_new(program->loop, on_timer, o);
	o->timeline = timeline_new();
	o->changes = changes_new(o->timeline);
	o->cluster = cluster_new(program, "", &sink, o);
	cluster_see_all(o->cluster);
	o->config = config_watch_new(program, CONFIG_WATCH_SILENT, on_config, o);
	config_watch_set_synced(o->config, on_changed);
	return o;
}

void observer_free(struct observer *observer)
{
	if (!observer)
		return;
	view_free(observer->view);
	plan_free(observer->plan);
	bgp_plan_free(observer->bgp);
	changes_free(observer->changes);
	timeline_free(observer->timeline);
	cluster_free(observer->cluster);
	alloc_free(observer->alloc);
	config_watch_free(observer->config);
	timer_free(observer->timer);
	free(observer);
}

bool observer_in_contact(const struct observer *observer)
{
	return cluster_in_contact(observer->cluster);
}

bool observer_config_is_valid(const struct observer *observer)
{
	return config_watch_is_valid(observer->config);
}

const struct config *observer_config(const struct observer *observer)
{
	return config_watch_current(observer->config);
}

const struct alloc *observer_alloc(const struct observer *observer)
{
	return observer->alloc;
}

uint64_t observer_revision(const struct observer *observer)
{
	return observer->revision;
}

void observer_objects(const struct observer *observer, struct plan_input *ret)
{
	*ret = (struct plan_input){
		.config = config_watch_current(observer->config),
		.class = observer->class,
		.self = "",
	};
	cluster_fill(observer->cluster, ret);
}

const struct view *observer_view(struct observer *observer)
{
	struct plan_input objects;

	/* Who looks is not shown what is about to be known better. */
	if (observer->stale &&
		monotime_reached(loop_now(observer->program->loop), observer->not_before)) {
		follow(observer);
		timer_start(observer->timer, 0); /* the others are told */
	}
	if (!observer->view) {
		observer_objects(observer, &objects);
		observer->view = view_make(&(struct view_input){.objects = &objects,
			.plan = observer->plan,
			.bgp = observer->bgp,
			.alloc = observer->alloc});
	}
	return observer->view;
}

const struct plan *observer_plan(const struct observer *observer)
{
	return observer->plan;
}

const struct timeline *observer_timeline(const struct observer *observer)
{
	return observer->timeline;
}
