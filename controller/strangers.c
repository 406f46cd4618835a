// SPDX-License-Identifier: Apache-2.0
/*
 * The watch of the speakers' Leases. In: Leases, the time. Out: a call of the assigner
 * with all conflicts. Who is alive is core/members' business.
 */
#include "strangers.h"

#include <jansson.h>
#include <stdlib.h>

#include "herald/core/members.h"
#include "herald/kube/decode.h"
#include "herald/kube/watch.h"

struct strangers {
	struct program *program;
	struct assigner *assigner;
	struct members *members;
	struct kube_watch *watch;
	struct timer *timer; /* the next death */
};

static void tell(struct strangers *s)
{
	struct conflict_list list;

	conflicts_collect(s->members, NULL, &list);
	assigner_set_strangers(s->assigner, &list);
	conflict_list_done(&list);
}

static void schedule(struct strangers *s)
{
	struct monotime now = loop_now(s->program->loop), next;

	if (members_next(s->members, now, &next))
		timer_start(s->timer, monotime_ms_until(now, next));
	else
		timer_stop(s->timer);
}

static void on_deadline(void *context)
{
	struct strangers *s = context;

	if (members_judge(s->members, loop_now(s->program->loop)))
		tell(s);
	members_forget(s->members, NULL, NULL);
	schedule(s);
}

static void on_put(void *context, const json_t *object)
{
	struct strangers *s = context;
	struct monotime now = loop_now(s->program->loop);
	struct lease *lease = NULL;
	bool changed;

	if (kube_decode_lease(object, &lease, NULL) != 0)
		return;
	changed = members_put(s->members, lease, now);
	free(lease);
	if (members_judge(s->members, now) || changed)
		tell(s);
	schedule(s);
}

/* A deleted Lease is not a death: see core/members.h. */
static void on_gone(void *context, const json_t *object)
{
	struct strangers *s = context;
	const char *name =
		json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));

	if (name)
		members_gone(s->members, name);
	members_forget(s->members, NULL, NULL);
}

static void on_list_begin(void *context)
{
	struct strangers *s = context;

	members_list_begin(s->members);
}

static void on_list_end(void *context)
{
	struct strangers *s = context;

	members_list_end(s->members);
	members_forget(s->members, NULL, NULL);
}

static void on_failing(void *context, const struct err *error)
{
	struct strangers *s = context;

	log_warn(s->program->log,
		"the speakers' Leases can't be read: what they find to be another machine's may "
		"be given out",
		"error", error->text, NULL);
}

struct strangers *strangers_new(struct program *program, struct assigner *assigner)
{
	static const struct kube_watch_sink sink = {
		.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing,
	};
	AUTO_FREE char *namespace = kube_escape(program->options.namespace);
	AUTO_FREE char *path =
		xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", namespace);
	struct kube_watch_options options = {
		.path = path, .label_selector = MEMBER_COMPONENT_LABEL "=speaker"};
	struct strangers *s = xcalloc(1, sizeof(*s));

	s->program = program;
	s->assigner = assigner;
	s->members = members_new();
	s->timer = timer_new(program->loop, on_deadline, s);
	s->watch = kube_watch_new(program->client, &options, &sink, s);
	return s;
}

void strangers_free(struct strangers *strangers)
{
	if (!strangers)
		return;
	kube_watch_free(strangers->watch);
	timer_free(strangers->timer);
	members_free(strangers->members);
	free(strangers);
}
