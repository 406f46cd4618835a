// SPDX-License-Identifier: Apache-2.0
/*
 * Words and numbers for BGP. In: plans, sessions as they are. Out: log lines, Events,
 * metrics. Changes nothing.
 *
 * An address gets its Event when the first session exports it, and no more when sessions
 * come and go: these have Events of their own, on the Node.
 */
#include "bgp_report.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PEERS_NAMED 10u /* an Event's message is at most 1024 bytes */

#define UP_METRIC "herald_speaker_bgp_session_up"
#define SINCE_METRIC "herald_speaker_bgp_session_since_timestamp_seconds"
#define EXPORTED_METRIC "herald_speaker_bgp_routes_exported"
/* MetalLB's names for the first and the last of them (C32). */
#define UP_ALIAS "metallb_bgp_session_up"
#define EXPORTED_ALIAS "metallb_bgp_announced_prefixes_total"

struct told_vip {
	struct ip address;
	uint64_t service; /* of its uid */
	uint64_t problem; /* of its text; 0: none was told */
	bool announced;
};

struct bgp_report {
	struct program *program;
	const char *self;
	char *node_uid;
	struct told_vip *vips; /* sorted by address */
	size_t vip_count;
	uint64_t *problems; /* of their texts, sorted */
	size_t problem_count;
	bool quiet; /* until all is known that was announced before we started */
	struct metric *announced, *up_total, *down_total;
};

static void tell_node(const struct bgp_report *report, enum kube_event_type type,
	const char *reason, const char *message)
{
	const struct kube_object_ref about = {
		.api_version = "v1",
		.kind = "Node",
		.namespace = "",
		.name = report->self,
		.uid = report->node_uid ? report->node_uid : "",
	};

	kube_event_record(report->program->events, &about, type, reason, message);
}

static void tell_up(const struct bgp_report *report, const struct bgp_peer *peer, bool first)
{
	AUTO_FREE char *message =
		xasprintf("the BGP session with the peer \"%s\" is up", peer->name);

	log_info(report->program->log, "BGP session up", "peer", peer->name, NULL);
	if (first) /* it was before we started */
		return;
	metric_add(report->up_total, 1);
	tell_node(report, KUBE_EVENT_NORMAL, "BGPSessionUp", message);
}

static void tell_down(
	const struct bgp_report *report, const struct bgp_peer *peer, const char *error)
{
	AUTO_FREE char *message = xasprintf("the BGP session with the peer \"%s\" is down%s%s",
		peer->name, *error ? ": " : "", error);

	log_warn(
		report->program->log, "BGP session down", "peer", peer->name, "error", error, NULL);
	metric_add(report->down_total, 1);
	tell_node(report, KUBE_EVENT_WARNING, "BGPSessionDown", message);
}

void bgp_report_session(struct bgp_report *report, const struct bgp_peer *peer, enum bgp_state was,
	bool first, const char *error)
{
	if (peer->state == BGP_UP)
		tell_up(report, peer, first);
	else if (was == BGP_UP)
		tell_down(report, peer, error);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t hash_of(const struct bgp_problem *problem)
{
	AUTO_FREE char *whole =
		xasprintf("%d %s %s", (int)problem->kind, problem->name, problem->text);

	return XXH64(whole, strlen(whole), 0);
}

static void tell_problem(const struct bgp_report *report, const struct bgp_problem *problem)
{
	log_warn(report->program->log, "BGP", "problem", problem->text, NULL);
	tell_node(report, KUBE_EVENT_WARNING, "BGPProblem", problem->text);
}

static void tell_problems(struct bgp_report *report, const struct bgp_plan *plan)
{
	size_t count = plan ? plan->problem_count : 0;
	uint64_t *problems = xcalloc(count + 1, sizeof(*problems));

	for (size_t i = 0; i < count; i++) {
		problems[i] = hash_of(&plan->problems[i]);
		if (report->problem_count == 0 ||
			!bsearch(&problems[i], report->problems, report->problem_count,
				sizeof(*problems), compare_u64))
			tell_problem(report, &plan->problems[i]);
	}
	qsort(problems, count, sizeof(*problems), compare_u64);
	free(report->problems);
	report->problems = problems;
	report->problem_count = count;
}

static void tell_service(const struct bgp_report *report, const struct bgp_vip *vip,
	enum kube_event_type type, const char *reason, const char *message)
{
	const struct kube_object_ref about = {
		.api_version = "v1",
		.kind = "Service",
		.namespace = vip->namespace,
		.name = vip->service,
		.uid = vip->uid,
	};

	kube_event_record(report->program->events, &about, type, reason, message);
}

static void tell_vip_problem(const struct bgp_report *report, const struct bgp_vip *vip, bool speak)
{
	log_warn(report->program->log, "BGP", "address", ip_text(&vip->address).s, "namespace",
		vip->namespace, "service", vip->service, "problem", vip->problem, NULL);
	if (speak)
		tell_service(report, vip, KUBE_EVENT_WARNING, "BGPProblem", vip->problem);
}

/* What was told of the address before; NULL: of it, or of this Service, nothing was. */
static const struct told_vip *told_of(
	const struct bgp_report *report, size_t *at, const struct told_vip *vip)
{
	while (*at < report->vip_count && ip_compare(&report->vips[*at].address, &vip->address) < 0)
		(*at)++;
	if (*at < report->vip_count && ip_equal(&report->vips[*at].address, &vip->address) &&
		report->vips[*at].service == vip->service)
		return &report->vips[*at];
	return NULL;
}

/* What was told of an address stays told while the Service is the same one. */
static void keep_vips(struct bgp_report *report, const struct bgp_plan *plan, bool speak)
{
	size_t count = plan ? plan->vip_count : 0, at = 0;
	struct told_vip *vips = xcalloc(count + 1, sizeof(*vips));

	for (size_t i = 0; i < count; i++) {
		const struct bgp_vip *vip = &plan->vips[i];
		size_t length = strlen(vip->problem);
		const struct told_vip *before;

		vips[i].address = vip->address;
		vips[i].service = XXH64(vip->uid, strlen(vip->uid), 0);
		vips[i].problem = length > 0 ? XXH64(vip->problem, length, 0) : 0;
		before = told_of(report, &at, &vips[i]);
		vips[i].announced = before && before->announced && vip->announced;
		if (length > 0 && (!before || before->problem != vips[i].problem))
			tell_vip_problem(report, vip, speak);
	}
	free(report->vips);
	report->vips = vips;
	report->vip_count = count;
}

void bgp_report_plan(struct bgp_report *report, const struct bgp_report_turn *turn)
{
	free(report->node_uid);
	report->node_uid = xstrdup(turn->node_uid);
	tell_problems(report, turn->plan);
	keep_vips(report, turn->plan, turn->speak);
}

static bool announces(const struct bgp_plan *plan, const struct bgp_watch *watch,
	const struct bgp_vip *vip, size_t session)
{
	for (size_t i = 0; i < vip->route_count; i++) {
		const struct bgp_route *route = &plan->routes[vip->routes[i]];

		if (bgp_route_is_offered(plan, route, session) &&
			bgp_watch_announces(watch, session, &route->prefix))
			return true;
	}
	return false;
}

/* "r1, r2 and 3 more"; malloc'ed. */
static char *announced_to(
	const struct bgp_plan *plan, const struct bgp_watch *watch, const struct bgp_vip *vip)
{
	char *names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < plan->session_count; i++) {
		char *before = names;

		if (!announces(plan, watch, vip, i) || count++ >= PEERS_NAMED)
			continue;
		names = before ? xasprintf("%s, %s", before, plan->sessions[i].peer)
			       : xstrdup(plan->sessions[i].peer);
		free(before);
	}
	if (count > PEERS_NAMED) {
		char *before = names;

		names = xasprintf("%s and %zu more", before, count - PEERS_NAMED);
		free(before);
	}
	return names;
}

static bool is_announced(
	const struct bgp_plan *plan, const struct bgp_watch *watch, const struct bgp_vip *vip)
{
	for (size_t i = 0; i < plan->session_count; i++) {
		if (announces(plan, watch, vip, i))
			return true;
	}
	return false;
}

static void tell_announced(
	const struct bgp_report *report, const struct bgp_vip *vip, const char *peers)
{
	AUTO_FREE char *message =
		xasprintf("announcing %s from node \"%s\" with protocol \"bgp\" to %s",
			ip_text(&vip->address).s, report->self, peers);

	log_info(report->program->log, "address announced by BGP", "address",
		ip_text(&vip->address).s, "namespace", vip->namespace, "service", vip->service,
		"peers", peers, NULL);
	tell_service(report, vip, KUBE_EVENT_NORMAL, "nodeAssigned", message);
}

static void count_sessions(
	const struct bgp_report *report, const struct bgp_plan *plan, const struct bgp_watch *watch)
{
	struct metrics *m = report->program->metrics;

	metrics_forget(m, UP_METRIC);
	metrics_forget(m, SINCE_METRIC);
	metrics_forget(m, EXPORTED_METRIC);
	metrics_forget(m, UP_ALIAS);
	metrics_forget(m, EXPORTED_ALIAS);
	for (size_t i = 0; plan && i < plan->session_count; i++) {
		const struct bgp_session *session = &plan->sessions[i];
		const struct bgp_peer *peer = bgp_watch_at(watch, i);
		AUTO_FREE char *alias = xasprintf("%s:%u",
			session->dynamic ? session->interface : ip_text(&session->address).s,
			session->port);
		double up = peer->state == BGP_UP, exported = peer->bird.exported;

		metric_set(metric_gauge(m, UP_METRIC,
				   "1 where the BGP session with the peer is established.", "peer",
				   session->peer, NULL),
			up);
		metric_set(metric_gauge(m, SINCE_METRIC,
				   "When the session was first seen in its state.", "peer",
				   session->peer, NULL),
			(double)peer->since_unix);
		metric_set(metric_gauge(m, EXPORTED_METRIC,
				   "Routes that BIRD exports to the peer, over all families.",
				   "peer", session->peer, NULL),
			exported);
		if (!report->program->options.metallb_metrics)
			continue;
		metric_set(metric_gauge(m, UP_ALIAS, "MetalLB's name for " UP_METRIC ".", "peer",
				   alias, NULL),
			up);
		metric_set(metric_gauge(m, EXPORTED_ALIAS,
				   "MetalLB's name for " EXPORTED_METRIC ".", "peer", alias, NULL),
			exported);
	}
}

void bgp_report_exports(
	struct bgp_report *report, const struct bgp_plan *plan, const struct bgp_watch *watch)
{
	bool settled = bgp_watch_is_settled(watch);
	unsigned announced = 0;

	count_sessions(report, plan, watch);
	for (size_t i = 0; plan && i < plan->vip_count; i++) {
		AUTO_FREE char *peers = NULL;

		if (!is_announced(plan, watch, &plan->vips[i]))
			continue;
		announced++;
		if (report->vips[i].announced || (report->quiet && !settled))
			continue;
		report->vips[i].announced = true;
		peers = announced_to(plan, watch, &plan->vips[i]);
		if (!report->quiet)
			tell_announced(report, &plan->vips[i], peers);
	}
	metric_set(report->announced, announced);
	if (settled)
		report->quiet = false;
}

struct bgp_report *bgp_report_new(struct program *program, const char *self)
{
	struct bgp_report *report = xcalloc(1, sizeof(*report));

	report->program = program;
	report->self = self;
	report->quiet = true;
	report->announced = metric_gauge(program->metrics, "herald_speaker_bgp_addresses_announced",
		"Addresses that BIRD exports from this node to a peer whose session is up.", NULL);
	report->up_total = metric_counter(program->metrics, "herald_speaker_bgp_sessions_up_total",
		"Times that a BGP session came up.", NULL);
	report->down_total =
		metric_counter(program->metrics, "herald_speaker_bgp_sessions_down_total",
			"Times that a BGP session was lost.", NULL);
	return report;
}

void bgp_report_free(struct bgp_report *report)
{
	if (!report)
		return;
	free(report->node_uid);
	free(report->vips);
	free(report->problems);
	free(report);
}
