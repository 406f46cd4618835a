// SPDX-License-Identifier: Apache-2.0
/*
 * Two pictures of a cluster, and what is between them. In: views. Out: sentences.
 */
#include "news.h"

#include <stdlib.h>
#include <string.h>

#include "bgp_view.h"
#include "herald/base/err.h"
#include "verb.h"

static void add(struct picture *picture, enum news_kind kind, const char *key, const char *value,
	const char *about)
{
	if ((picture->count & (picture->count - 1)) == 0)
		picture->items = xrealloc(picture->items, picture->count ? 2 * picture->count : 1,
			sizeof(*picture->items));
	picture->items[picture->count++] =
		(struct picture_item){kind, xstrdup(key), xstrdup(value), xstrdup(about)};
}

static int compare(const void *a, const void *b)
{
	const struct picture_item *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void add_service(
	struct picture *picture, const struct view *view, const struct service *service)
{
	AUTO_FREE char *key = xasprintf("%s/%s", service->meta.namespace, service->meta.name);
	AUTO_FREE char *addresses = xstrdup("");
	struct service_health health;

	for (uint16_t i = 0; i < service->ingress_count; i++) {
		if (service->ingress[i].ip.family != IP_NONE)
			addresses = text_join(addresses, ",", ip_text(&service->ingress[i].ip).s);
	}
	service_health(view, service, &health);
	add(picture, NEWS_SERVICE, key, addresses, *addresses ? "" : health.why);
	service_health_done(&health);
}

static void add_owner(struct picture *picture, const struct view *view, const struct plan_vip *vip)
{
	AUTO_FREE char *by_bgp = view_bgp_nodes(view, &vip->address);
	AUTO_FREE char *whose = xasprintf("%s/%s", vip->namespace, vip->service);

	add(picture, NEWS_OWNER, ip_text(&vip->address).s, vip->owner ? vip->owner : by_bgp, whose);
}

void picture_make(const struct view *view, struct picture *ret)
{
	const struct store *services = &view->facts->of[FACT_SERVICE];
	const struct members *members = view->facts->members;

	*ret = (struct picture){0};
	add(ret, NEWS_CONFIG, "configuration", view->config_problem ? view->config_problem : "good",
		"");
	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);

		add(ret, NEWS_SPEAKER, member->node,
			member->suspicion.dead ? "lost by BFD" : member_state_text(member->state),
			"");
	}
	for (size_t i = 0; i < services->count; i++) {
		if (assign_is_ours(view->rules, services->items[i]))
			add_service(ret, view, services->items[i]);
	}
	for (size_t i = 0; i < view->adoption.strangers.count; i++) {
		const struct conflict *conflict = &view->adoption.strangers.items[i];

		add(ret, NEWS_CONFLICT, ip_text(&conflict->ip).s, mac_text(conflict->mac).s,
			conflict->node);
	}
	for (size_t i = 0; i < view->plan->vip_count; i++)
		add_owner(ret, view, &view->plan->vips[i]);
	qsort(ret->items, ret->count, sizeof(*ret->items), compare);
}

void picture_done(struct picture *picture)
{
	for (size_t i = 0; i < picture->count; i++) {
		free(picture->items[i].key);
		free(picture->items[i].value);
		free(picture->items[i].about);
	}
	free(picture->items);
	*picture = (struct picture){0};
}

struct telling {
	const struct view *view;
	news_fn *tell;
	void *context;
};

static void say(
	const struct telling *t, const char *what, const struct picture_item *item, char *text)
{
	t->tell(t->context, what, item->key, text);
	free(text);
}

static void tell_service(
	const struct telling *t, const struct picture_item *old, const struct picture_item *new)
{
	if (!new) {
		say(t, *old->value ? "released" : "gone", old,
			*old->value ? xasprintf("gave back %s", old->value)
				    : xstrdup("it waits no longer"));
	} else if (!*new->value) {
		if (old && *old->value)
			say(t, "lost", new, xasprintf("lost %s: %s", old->value, new->about));
		else
			say(t, "waits", new, xasprintf("waits: %s", new->about));
	} else if (old && *old->value) {
		say(t, "changed", new, xasprintf("has %s, no longer %s", new->value, old->value));
	} else {
		say(t, "assigned", new, xasprintf("has %s", new->value));
	}
}

/* Why the owner before is it no longer; malloc'ed. */
static char *why_not(const struct telling *t, const char *address, const char *node)
{
	const uint8_t *verdict = NULL;
	const struct plan_vip *vip;
	struct ip ip;

	vip = ip_parse(address, &ip) ? plan_find(t->view->plan, &ip) : NULL;
	if (vip)
		verdict = view_verdict(t->view, vip, node);
	if (!verdict)
		return xstrdup("the node is gone");
	return xstrdup(*verdict < PLAN_ELIGIBLE ? plan_verdict_text(*verdict)
						: "another node suits better, or was elected");
}

static void tell_owner(
	const struct telling *t, const struct picture_item *old, const struct picture_item *new)
{
	AUTO_FREE char *why = NULL;

	if (!new)
		return; /* its Service's line says it */
	if (old && *old->value)
		why = why_not(t, new->key, old->value);
	if (*new->value && why)
		say(t, "moved", new,
			xasprintf("of %s: from %s to %s (%s)", new->about, old->value, new->value,
				why));
	else if (*new->value)
		say(t, "announced", new, xasprintf("of %s: by %s", new->about, new->value));
	else
		say(t, "silent", new,
			xasprintf("of %s: announced by nobody%s%s%s", new->about, why ? " (" : "",
				why ? why : "", why ? ")" : ""));
}

static void tell_conflict(
	const struct telling *t, const struct picture_item *old, const struct picture_item *new)
{
	if (new)
		say(t, "conflict", new,
			xasprintf("station %s has it, as node %s found", new->value, new->about));
	else
		say(t, "resolved", old, xasprintf("station %s has it no longer", old->value));
}

/* One of the two may be NULL: it was not there, or is there no longer. */
static void tell_one(
	const struct telling *t, const struct picture_item *old, const struct picture_item *new)
{
	const struct picture_item *any = new ? new : old;

	switch (any->kind) {
	case NEWS_SERVICE:
		tell_service(t, old, new);
		break;
	case NEWS_OWNER:
		tell_owner(t, old, new);
		break;
	case NEWS_CONFLICT:
		tell_conflict(t, old, new);
		break;
	case NEWS_SPEAKER:
		say(t, "speaker", any,
			xasprintf("was %s, is %s", old ? old->value : "unknown",
				new ? new->value : "unknown"));
		break;
	case NEWS_CONFIG:
		say(t, "config", any, xstrdup(new ? new->value : ""));
		break;
	}
}

/* A Service that waits and then waits for another reason is told of again; the text that
   only explains an owner is not compared. */
static bool is_same(const struct picture_item *a, const struct picture_item *b)
{
	return strcmp(a->value, b->value) == 0 &&
	       (a->kind != NEWS_SERVICE || strcmp(a->about, b->about) == 0);
}

void news_tell(const struct picture *before, const struct picture *after, const struct view *view,
	news_fn *tell, void *context)
{
	const struct telling t = {view, tell, context};
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		const struct picture_item *old = i < before->count ? &before->items[i] : NULL;
		const struct picture_item *new = k < after->count ? &after->items[k] : NULL;
		int order = !old ? 1 : !new ? -1 : compare(old, new);

		if (order < 0)
			tell_one(&t, old, NULL);
		else if (order > 0)
			tell_one(&t, NULL, new);
		else if (!is_same(old, new))
			tell_one(&t, old, new);
		i += order <= 0;
		k += order >= 0;
	}
}
