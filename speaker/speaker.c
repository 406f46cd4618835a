// SPDX-License-Identifier: Apache-2.0
/*
 * The reconciler of a node: whatever changes leads to a new plan, once in a turn of the
 * loop, and layer 2 carries out the difference. In: the cluster, the configuration, the
 * node's interfaces. Out: the node's Lease and what layer 2 does.
 */
#include "speaker.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/core/config_bgp.h"
#include "herald/core/holds.h"
#include "herald/kube/config_watch.h"
#include "host_check.h"
#include "own_lease.h"
#include "removal.h"
#include "report.h"
#include "status_page.h"
#include "verdicts.h"

#define LEAVE_MS (SPEAKER_LEAVE_MS - 5000u) /* GRACEFUL_SHUTDOWN for at most so long */
#define ANNOUNCE_AGAIN_MS 30000u /* from one time that all is announced again to the next */
#define PLAN_PAUSE 4u		 /* times what a plan took until the next: 20% at most */

struct speaker {
	struct program *program;
	const struct speaker_options *options;
	struct config_watch *config;
	struct cluster *cluster;
	struct layer2 *layer2;
	struct bird_include *bird; /* NULL: there is no BIRD */
	struct bfd *bfd;
	struct bgp *bgp;
	struct removal *removal; /* NULL: every stop is a restart */
	struct verdicts *verdicts;
	struct own_lease *lease;
	struct holds *holds;
	struct timer *holds_timer;  /* the next address that is let go */
	struct timer *timer;	    /* coalesces changes into one plan a turn */
	struct monotime not_before; /* the next plan: a burst of changes is bounded */
	struct monotime renewal;    /* of our own Lease, when the last one was seen */
	struct plan *plan, *before;
	char *conflicts; /* as told in our Lease; NULL: none */
	struct report report;
	struct metric *alive;
	bool adopted;	     /* the first plan was carried out */
	bool announce_again; /* after the next plan */
	struct timer *again_timer;
	struct monotime again_after; /* not before */
	bool stopping, lease_released;
	bool stop_known, removed; /* what kind of stop it is */
};

static void touch(struct speaker *s)
{
	if (!timer_is_running(s->timer))
		timer_start(s->timer, monotime_ms_until(loop_now(s->program->loop), s->not_before));
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool is_first_alive(const struct speaker *s)
{
	const struct members *members = cluster_members(s->cluster);

	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);

		if (member->state == MEMBER_ALIVE && !member->suspicion.dead)
			return strcmp(member->node, s->options->node) == 0;
	}
	return false;
}

static void count_alive(struct speaker *s)
{
	const struct members *members = cluster_members(s->cluster);
	unsigned alive = 0;

	for (size_t i = 0; i < members_count(members); i++)
		alive += members_at(members, i)->state == MEMBER_ALIVE;
	metric_set(s->alive, alive);
}

static void stop_when_done(struct speaker *s)
{
	if (!s->stopping || !s->stop_known || !s->lease_released ||
		layer2_count(s->layer2, OWNERSHIP_HANDING_OVER) > 0 ||
		(s->removed && !bgp_has_left(s->bgp)))
		return;
	if (s->removal)
		removal_leave_word(s->removal, s->removed);
	loop_stop(s->program->loop);
}

/* Until everything was seen once, a plan would be wrong rather than incomplete. */
static bool can_plan(const struct speaker *s)
{
	return s->config && config_watch_current(s->config) && s->cluster &&
	       cluster_is_synced(s->cluster);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static void annotate(void *context, json_t *annotations)
{
	const struct speaker *s = context;
	AUTO_FREE char *interfaces = ports_text(layer2_ports(s->layer2));

	json_object_set_new(annotations, MEMBER_INTERFACES_ANNOTATION, json_string(interfaces));
	json_object_set_new(
		annotations, MEMBER_HOLDS_ANNOTATION, text_or_null(holds_text(s->holds)));
	json_object_set_new(annotations, MEMBER_CONFLICTS_ANNOTATION, text_or_null(s->conflicts));
	bfd_annotate(s->bfd, annotations);
	bgp_annotate(s->bgp, annotations);
}

/* True: what is to be told has changed. */
static bool note_conflicts(struct speaker *s)
{
	struct conflict_list list;
	char *text;

	layer2_conflicts(s->layer2, &list);
	text = conflicts_text(&list);
	conflict_list_done(&list);
	if (text && s->conflicts ? strcmp(text, s->conflicts) == 0 : text == s->conflicts) {
		free(text);
		return false;
	}
	free(s->conflicts);
	s->conflicts = text;
	return true;
}

static void on_conflicts_changed(void *context)
{
	struct speaker *s = context;

	if (note_conflicts(s))
		own_lease_tell(s->lease);
}

static void follow_holds(struct speaker *s, const struct plan_input *input)
{
	struct monotime now = loop_now(s->program->loop), next;

	if (holds_follow(s->holds, s->plan, input, now))
		own_lease_tell_later(s->lease, s->before ? plan_moved(s->before, s->plan) : 0);
	if (holds_next(s->holds, &next))
		timer_start(s->holds_timer, monotime_ms_until(now, next));
}

static void follow_bfd(struct speaker *s)
{
	const struct bfd_facts facts = {
		.config = &config_watch_current(s->config)->membership.bfd,
		.members = cluster_members(s->cluster),
		.node = cluster_node(s->cluster, s->options->node),
		.ports = layer2_ports(s->layer2),
	};

	bfd_follow(s->bfd, &facts);
	verdicts_follow(s->verdicts, s->cluster, !s->stopping && is_first_alive(s));
}

static void follow_bgp(struct speaker *s, const struct plan_input *input)
{
	struct plan_input staying = *input;
	const struct bgp_facts facts = {
		.cluster = &staying,
		.speak = !s->stopping && is_first_alive(s),
	};

	staying.self_leaving = false; /* BIRD goes on when we stop */
	bgp_follow(s->bgp, &facts);
}

static void reconcile(void *context)
{
	struct speaker *s = context;
	struct plan_input input = {
		.config = config_watch_current(s->config),
		.class = s->options->class,
		.self = s->options->node,
		.self_leaving = s->stopping,
	};
	bool quiet = !s->adopted && cluster_was_valid_at_start(s->cluster);
	struct conflict_list told;
	uint64_t begin;

	count_alive(s);
	if (!can_plan(s)) {
		stop_when_done(s);
		return;
	}
	cluster_fill(s->cluster, &input);
	s->before = s->plan;
	begin = clock_ns();
	s->plan = plan_make(&input);
	follow_bgp(s, &input);
	s->not_before.ns = loop_now(s->program->loop).ns + PLAN_PAUSE * (clock_ns() - begin);
	s->adopted = true;
	conflicts_collect(input.members, s->options->node, &told);
	layer2_apply_take(s->layer2,
		&(struct layer2_plan){
			.plan = s->plan, .members = input.members, .told = &told, .quiet = quiet});
	if (s->announce_again && !cluster_has_lapsed(s->cluster))
		layer2_announce_again(s->layer2);
	s->announce_again = false;
	follow_holds(s, &input);
	follow_bfd(s);
	own_lease_follow_node(s->lease);
	if (!s->stopping && is_first_alive(s))
		report_ownerless(&s->report, s->before, s->plan);
	plan_free(s->before);
	s->before = NULL;
	stop_when_done(s);
}

/* What was yielded may now be taken again by the plan. */
static void on_proven(void *context)
{
	struct speaker *s = context;

	if (layer2_count(s->layer2, OWNERSHIP_YIELDED) > 0)
		touch(s);
}

static void start_lease_when_due(struct speaker *s)
{
	if (can_plan(s))
		own_lease_begin(s->lease, s->cluster);
}

static void adopt_conflicts(struct speaker *s, const char *text)
{
	struct conflict_list before;

	conflicts_parse(text, NULL, &before);
	layer2_recall(s->layer2, &before);
	conflict_list_done(&before);
	note_conflicts(s);
}

static void on_leases_known(void *context)
{
	struct speaker *s = context;
	const struct member *own = members_find(cluster_members(s->cluster), s->options->node);

	if (own && cluster_was_valid_at_start(s->cluster))
		holds_adopt(s->holds, own->holds);
	if (own)
		adopt_conflicts(s, own->conflicts);
}

static void on_config(void *context, const struct config *config)
{
	struct speaker *s = context;

	log_info(s->program->log, "configuration in force", NULL);
	layer2_set_config(s->layer2, config);
	cluster_set_timing(s->cluster, &config->membership);
	cluster_want_cluster_ips(s->cluster, config->bgp && config->bgp->cluster_count > 0);
	start_lease_when_due(s);
	touch(s);
}

static void on_changed(void *context)
{
	struct speaker *s = context;

	start_lease_when_due(s);
	touch(s);
}

/* Whatever makes renewals late makes no storm of it. The plan is made first. */
static void on_again(void *context)
{
	struct speaker *s = context;

	s->announce_again = true;
	s->again_after = monotime_add_ms(loop_now(s->program->loop), ANNOUNCE_AGAIN_MS);
	touch(s);
}

static void want_announcements(struct speaker *s)
{
	if (!timer_is_running(s->again_timer))
		timer_start(s->again_timer,
			monotime_ms_until(loop_now(s->program->loop), s->again_after));
}

/* C19: where a renewal stayed out, but for less than the Lease lasts, we may have been cut off
   though our link kept its carrier and nobody has taken over. */
static void announce_after_gap(struct speaker *s)
{
	const struct member_timing timing = cluster_timing(s->cluster);
	struct monotime before = s->renewal;

	s->renewal = loop_now(s->program->loop);
	if (before.ns == 0 ||
		!monotime_reached(s->renewal, monotime_add_ms(before, 2 * timing.renew_ms)) ||
		monotime_reached(s->renewal, monotime_add_ms(before, timing.duration_ms)))
		return;
	want_announcements(s);
}

static void on_lease_seen(void *context)
{
	struct speaker *s = context;

	announce_after_gap(s);
	own_lease_seen(s->lease);
}

static void on_timing_changed(void *context)
{
	const struct speaker *s = context;

	own_lease_follow_timing(s->lease);
}

static void on_holds_due(void *context)
{
	struct speaker *s = context;

	touch(s);
}

static bool has_lapsed(void *context)
{
	const struct speaker *s = context;

	return !s->cluster || cluster_has_lapsed(s->cluster);
}

static void on_interfaces_changed(void *context)
{
	struct speaker *s = context;

	own_lease_tell(s->lease);
	touch(s);
}

static void on_plan_again(void *context)
{
	struct speaker *s = context;

	touch(s);
}

static void on_bgp_changed(void *context, bool at_once)
{
	struct speaker *s = context;

	if (at_once)
		own_lease_tell(s->lease);
	else
		own_lease_tell_later(s->lease, 0);
	if (s->stopping)
		touch(s);
}

static void on_bird_changed(void *context)
{
	struct speaker *s = context;

	bfd_bird_changed(s->bfd);
	bgp_bird_changed(s->bgp);
}

static void on_bfd_changed(void *context)
{
	struct speaker *s = context;

	own_lease_tell(s->lease);
	touch(s);
}

/* C19, as announce_after_gap: by BFD it is known sooner. */
static void on_peer_returned(void *context)
{
	struct speaker *s = context;

	want_announcements(s);
}

static void on_acted(void *context, const struct ownership_effect *effect)
{
	struct speaker *s = context;

	report_effect(&s->report, effect, s->before, s->plan);
	if (s->stopping)
		touch(s);
}

static struct monotime proven(void *context)
{
	const struct speaker *s = context;

	return own_lease_proven(s->lease);
}

static void asks_for_proof(void *context)
{
	const struct speaker *s = context;

	own_lease_renew(s->lease);
}

static enum ownership_claimant claimant(void *context, const uint8_t mac[static MAC_SIZE])
{
	const struct speaker *s = context;
	const char *node = cluster_node_with_mac(s->cluster, mac);
	int order = node ? strcmp(node, s->options->node) : 0;

	if (order == 0)
		return OWNERSHIP_STRANGER;
	return order < 0 ? OWNERSHIP_EARLIER_NODE : OWNERSHIP_LATER_NODE;
}

static bool is_one_of_us(void *context, const uint8_t mac[static MAC_SIZE])
{
	const struct speaker *s = context;

	return cluster_node_with_mac(s->cluster, mac) != NULL;
}

static void on_conflict_found(
	void *context, const struct conflict *conflict, const struct port *port)
{
	struct speaker *s = context;

	report_conflict(&s->report, conflict, port, s->plan);
}

static bool is_ready(void *context, const char **ret_reason)
{
	const struct speaker *s = context;

	if (!config_watch_current(s->config))
		*ret_reason = "no valid configuration was seen yet";
	else if (!cluster_is_synced(s->cluster))
		*ret_reason = "the first list of the cluster's objects is not complete";
	else
		return true;
	return false;
}

static void add_pages(struct speaker *s)
{
	s->alive = metric_gauge(s->program->metrics, "herald_speaker_members_alive",
		"Speakers whose Lease is valid, ourselves included.", NULL);
	status_server_set_ready(s->program->status, is_ready, s);
	status_server_add_page(s->program->status, "/status", status_page, s);
}

int speaker_new(struct program *program, const struct speaker_options *options,
	const struct wire_driver *driver, struct speaker **ret, struct err *e)
{
	static const struct layer2_sink layer2_sink = {
		.has_lapsed = has_lapsed,
		.proven = proven,
		.asks_for_proof = asks_for_proof,
		.claimant = claimant,
		.interfaces_changed = on_interfaces_changed,
		.plan_again = on_plan_again,
		.acted = on_acted,
		.is_one_of_us = is_one_of_us,
		.conflict_found = on_conflict_found,
		.conflicts_changed = on_conflicts_changed,
	};
	static const struct bird_include_sink bird_sink = {
		.changed = on_bird_changed,
		.extra_refused = on_plan_again,
	};
	static const struct bgp_sink bgp_sink = {
		.changed = on_bgp_changed,
		.due = on_plan_again,
	};
	static const struct bfd_sink bfd_sink = {
		.changed = on_bfd_changed,
		.peer_returned = on_peer_returned,
		.has_lapsed = has_lapsed,
	};
	static const struct cluster_sink cluster_sink = {
		.changed = on_changed,
		.lease_seen = on_lease_seen,
		.timing_changed = on_timing_changed,
		.leases_known = on_leases_known,
	};
	static const struct own_lease_sink lease_sink = {
		.annotate = annotate,
		.proven = on_proven,
	};
	struct speaker *s = xcalloc(1, sizeof(*s));
	int r;

	s->program = program;
	s->options = options;
	s->lease = own_lease_new(program, options->node, &lease_sink, s);
	s->timer = timer_new(program->loop, reconcile, s);
	s->again_timer = timer_new(program->loop, on_again, s);
	s->holds_timer = timer_new(program->loop, on_holds_due, s);
	s->holds = holds_new();
	if (options->bird_socket && options->bird_include)
		s->bird = bird_include_new(
			program, options->bird_socket, options->bird_include, &bird_sink, s);
	if (options->daemonset && options->bird_include)
		s->removal = removal_new(program, options->daemonset, options->bird_include);
	s->bfd = bfd_new(program, options->node, s->bird, &bfd_sink, s);
	s->bgp = bgp_new(program, options->node, s->bird, &bgp_sink, s);
	s->verdicts = verdicts_new(program);
	report_init(&s->report, program, options->node);
	r = layer2_new(program, driver, options->node, &layer2_sink, s, &s->layer2, e);
	if (r != 0) {
		speaker_free(s);
		return r;
	}
	s->report.layer2 = s->layer2;
	s->report.bgp = s->bgp;
	host_check(program->log);
	s->cluster = cluster_new(program, options->node, &cluster_sink, s);
	s->report.cluster = s->cluster;
	s->config = config_watch_new(program, CONFIG_WATCH_LOGS, on_config, s);
	add_pages(s);
	*ret = s;
	return 0;
}

void speaker_free(struct speaker *speaker)
{
	if (!speaker)
		return;
	own_lease_free(speaker->lease);
	cluster_free(speaker->cluster);
	config_watch_free(speaker->config);
	bfd_free(speaker->bfd);
	bgp_free(speaker->bgp);
	removal_free(speaker->removal);
	bird_include_free(speaker->bird);
	verdicts_free(speaker->verdicts);
	layer2_free(speaker->layer2);
	timer_free(speaker->timer);
	timer_free(speaker->again_timer);
	timer_free(speaker->holds_timer);
	holds_free(speaker->holds);
	plan_free(speaker->plan);
	free(speaker->conflicts);
	free(speaker);
}

static void on_released(void *context)
{
	struct speaker *s = context;

	s->lease_released = true;
	stop_when_done(s);
}

static void on_removal_known(void *context, bool removed)
{
	struct speaker *s = context;

	s->stop_known = true;
	s->removed = removed;
	if (removed)
		bgp_leave(s->bgp, LEAVE_MS);
	touch(s);
}

void speaker_stop(void *speaker)
{
	struct speaker *s = speaker;

	s->stopping = true;
	log_info(s->program->log, "stopping: handing over", NULL);
	own_lease_release(s->lease, on_released, s);
	if (s->removal)
		removal_ask(s->removal, on_removal_known, s);
	else
		s->stop_known = true;
	touch(s);
}

const char *speaker_node(const struct speaker *speaker)
{
	return speaker->options->node;
}

const struct plan *speaker_plan(const struct speaker *speaker)
{
	return speaker->plan;
}

const struct layer2 *speaker_layer2(const struct speaker *speaker)
{
	return speaker->layer2;
}

const struct cluster *speaker_cluster(const struct speaker *speaker)
{
	return speaker->cluster;
}

const struct bfd *speaker_bfd(const struct speaker *speaker)
{
	return speaker->bfd;
}

const struct bgp *speaker_bgp(const struct speaker *speaker)
{
	return speaker->bgp;
}
