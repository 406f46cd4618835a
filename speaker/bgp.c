// SPDX-License-Identifier: Apache-2.0
/*
 * BGP of this node, from the cluster to BIRD. In: objects, the configuration, Secrets, BIRD's
 * answers. Out: BGP's part of BIRD's include, and what is told of it.
 *
 * Until every Secret that a peer names was read once, BIRD is left as it is: a plan without a
 * password would end a session that runs (B03). Later only the peer itself waits for it.
 */
#include "bgp.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bgp_report.h"
#include "herald/core/selector.h"
#include "herald/kube/secret_watch.h"

#define ANNOTATION_MAX (60u * 1024)

struct bgp {
	struct program *program;
	const char *self;
	struct bird_include *include; /* NULL: there is no BIRD on this node */
	struct bgp_sink sink;
	void *context;
	struct secret_watches *secrets;
	struct bgp_watch *watch; /* NULL: as `include` */
	struct bgp_report *report;
	struct bgp_plan *plan;
	enum bgp_drain drain;
	struct timer *drain_timer;
	uint32_t drain_ms;
	bool leaving;
	bool followed; /* a plan was handed to BIRD */
	bool told_problem, told_no_node;
	uint64_t told; /* of all sessions' states, and what is held back */
};

static const struct node *find_self(const struct bgp *b, const struct plan_input *cluster)
{
	for (size_t i = 0; i < cluster->node_count; i++) {
		if (strcmp(cluster->nodes[i]->meta.name, b->self) == 0)
			return cluster->nodes[i];
	}
	return NULL;
}

static const struct config_bgp *config_of(const struct plan_input *cluster)
{
	return cluster->config ? cluster->config->bgp : NULL;
}

static bool names_secret(const struct config_bgp_peer *peer, const struct node *self)
{
	return *peer->password_secret && self &&
	       selector_list_matches(&peer->node_selectors, &self->labels);
}

/* The Secrets of the peers that this node has, and of no others. *ret is malloc'ed. */
static size_t secrets_of(struct bgp *b, const struct plan_input *cluster, struct bgp_secret **ret)
{
	const struct config_bgp *config = config_of(cluster);
	const struct node *self = find_self(b, cluster);
	size_t peers = config ? config->peer_count : 0, count = 0;
	AUTO_FREE const char **names = xcalloc(peers + 1, sizeof(*names));

	for (size_t i = 0; i < peers; i++) {
		if (names_secret(&config->peers[i], self))
			names[count++] = config->peers[i].password_secret;
	}
	secret_watches_want(b->secrets, names, count);
	*ret = xcalloc(count + 1, sizeof(**ret));
	for (size_t i = 0; i < count; i++) {
		struct bgp_secret *secret = &(*ret)[i];

		secret->name = names[i];
		secret->password = secret_watches_password(b->secrets, names[i], &secret->why);
	}
	return count;
}

/* Routes that nobody has need no time to go. */
static void follow_drain(struct bgp *b, const struct plan_input *cluster)
{
	bool leaves = b->leaving || bgp_plan_node_verdict(cluster) < PLAN_REFUSAL_COUNT;

	if (!leaves) {
		timer_stop(b->drain_timer);
		b->drain = BGP_DRAIN_NONE;
	} else if (b->drain == BGP_DRAIN_NONE) {
		bool announces = b->followed && b->plan && b->plan->route_count > 0;

		b->drain = announces && b->drain_ms > 0 ? BGP_DRAIN_SHUTDOWN : BGP_DRAIN_WITHDRAW;
		if (b->drain == BGP_DRAIN_SHUTDOWN)
			timer_start(b->drain_timer, b->drain_ms);
		log_info(b->program->log, "BGP: leaving", "step",
			b->drain == BGP_DRAIN_SHUTDOWN ? "GRACEFUL_SHUTDOWN" : "withdraw", NULL);
	}
}

static void on_drained(void *context)
{
	struct bgp *b = context;

	b->drain = BGP_DRAIN_WITHDRAW;
	log_info(b->program->log, "BGP: leaving", "step", "withdraw", NULL);
	b->sink.due(b->context);
}

static void tell_no_bird(struct bgp *b, bool configured)
{
	bool is_problem = configured && !b->include;

	if (is_problem && !b->told_problem)
		log_warn(b->program->log, "BGP is not in force", "problem",
			"this speaker has no BIRD: give --bird-socket and --bird-include", NULL);
	b->told_problem = is_problem;
}

/* Which peers and addresses we have stands in our Node. One that is registered anew may have
   no address at first, which would change the router ID. */
static bool is_bare(const struct bgp *b, const struct node *self)
{
	return !self || (b->followed && self->address_count == 0);
}

static void tell_no_node(struct bgp *b)
{
	if (!b->told_no_node)
		log_warn(b->program->log, "BGP stays as it is", "problem",
			"the cluster has no Node of our name, or one without an address", "node",
			b->self, NULL);
	b->told_no_node = true;
}

/* BIRD comes last: it may call back at once. */
static void replace_plan(struct bgp *b, struct bgp_plan *plan, struct bgp_report_turn *turn)
{
	struct bgp_plan *before = b->plan;

	b->plan = plan;
	b->followed = true;
	turn->plan = plan;
	if (b->watch)
		bgp_watch_set_plan(b->watch, plan);
	bgp_report_plan(b->report, turn);
	if (b->include)
		bird_include_set_bgp(b->include, plan);
	bgp_plan_free(before);
}

/* How each session is goes out at once; how much it exports has time. */
static void tell(struct bgp *b)
{
	XXH64_state_t *state = XXH64_createState();
	uint64_t hash;

	XXH64_reset(state, 0);
	for (size_t i = 0; b->watch && b->plan && i < b->plan->session_count; i++) {
		const struct bgp_peer *peer = bgp_watch_at(b->watch, i);

		XXH64_update(state, peer->name, strlen(peer->name) + 1);
		XXH64_update(state, &peer->state, sizeof(peer->state));
	}
	for (size_t i = 0; b->plan && i < b->plan->problem_count; i++)
		XXH64_update(state, b->plan->problems[i].text, strlen(b->plan->problems[i].text));
	hash = XXH64_digest(state);
	XXH64_freeState(state);
	b->sink.changed(b->context, hash != b->told);
	b->told = hash;
}

void bgp_follow(struct bgp *bgp, const struct bgp_facts *facts)
{
	const struct node *self = find_self(bgp, facts->cluster);
	const struct config_bgp *config = config_of(facts->cluster);
	AUTO_FREE struct bgp_secret *secrets = NULL;
	struct bgp_plan_input input = {.cluster = facts->cluster};
	struct bgp_report_turn turn = {
		.node_uid = self ? self->meta.uid : "", .speak = facts->speak};

	if (is_bare(bgp, self) && !bgp->leaving) {
		tell_no_node(bgp);
		return;
	}
	bgp->told_no_node = false;
	input.secret_count = secrets_of(bgp, facts->cluster, &secrets);
	input.secrets = secrets;
	if (!bgp->followed && !secret_watches_are_known(bgp->secrets))
		return;
	if (!bgp->leaving)
		bgp->drain_ms = config ? config->drain_time_s * 1000 : 0;
	follow_drain(bgp, facts->cluster);
	input.drain = bgp->drain;
	replace_plan(bgp, bgp_plan_make(&input), &turn);
	tell_no_bird(bgp, bgp->plan != NULL);
	if (bgp->watch)
		bgp_report_exports(bgp->report, bgp->plan, bgp->watch);
	tell(bgp);
}

void bgp_bird_changed(struct bgp *bgp)
{
	bgp_watch_bird_changed(bgp->watch);
	tell(bgp);
}

static void on_secrets_changed(void *context)
{
	struct bgp *b = context;

	b->sink.due(b->context);
}

/* What is to be told of a session: "" where nothing is wrong with it. */
static const char *error_of(const struct bgp *b, const struct bgp_peer *peer)
{
	const char *refusal = b->include ? bird_include_refusal(b->include, peer->name) : NULL;

	if (peer->state == BGP_UNKNOWN && *bird_problem(bird_include_bird(b->include)))
		return bird_problem(bird_include_bird(b->include));
	return refusal ? refusal : peer->state == BGP_UP ? "" : peer->bird.error;
}

static void on_session_changed(
	void *context, const struct bgp_peer *peer, enum bgp_state was, bool first)
{
	struct bgp *b = context;

	bgp_report_session(b->report, peer, was, first, error_of(b, peer));
	bgp_report_exports(b->report, b->plan, b->watch);
	tell(b);
}

static void on_exported(void *context)
{
	struct bgp *b = context;

	bgp_report_exports(b->report, b->plan, b->watch);
	tell(b);
}

void bgp_leave(struct bgp *bgp, uint32_t limit_ms)
{
	bgp->leaving = true;
	if (bgp->drain_ms > limit_ms)
		bgp->drain_ms = limit_ms;
	if (timer_is_running(bgp->drain_timer)) /* the node was leaving already */
		timer_start(bgp->drain_timer, bgp->drain_ms);
	bgp->sink.due(bgp->context);
}

bool bgp_has_left(const struct bgp *bgp)
{
	if (!bgp->plan || !bgp->include || !bird_is_at_work(bird_include_bird(bgp->include)))
		return true;
	if (bgp->drain != BGP_DRAIN_WITHDRAW)
		return false;
	for (size_t i = 0; i < bgp->plan->session_count; i++) {
		const struct bgp_peer *peer = bgp_watch_at(bgp->watch, i);

		if (peer->state == BGP_UP && peer->bird.exported > 0)
			return false;
	}
	return true;
}

bool bgp_covers(const struct bgp *bgp, const struct ip *address)
{
	const struct bgp_vip *vip = bgp->plan ? bgp_plan_find(bgp->plan, address) : NULL;

	return vip && vip->covered;
}

static json_t *peer_json(const char *state, uint32_t exported, const char *error)
{
	return json_pack(
		"{s:s,s:I,s:s}", "state", state, "exported", (json_int_t)exported, "error", error);
}

static json_t *session_json(const struct bgp *b, size_t index)
{
	static const char no_bird[] = "this speaker has no BIRD";

	if (!b->watch)
		return peer_json(bgp_state_text(BGP_UNKNOWN), 0, no_bird);
	return peer_json(bgp_state_text(bgp_watch_at(b->watch, index)->state),
		bgp_watch_at(b->watch, index)->bird.exported,
		error_of(b, bgp_watch_at(b->watch, index)));
}

/* Bounded: the rest is counted only. Takes `peer`. */
static void add_peer(json_t *peers, const char *name, json_t *peer, size_t *size, size_t *omitted)
{
	*size += strlen(name) + strlen(json_string_value(json_object_get(peer, "error"))) + 64;
	if (*size > ANNOTATION_MAX) {
		(*omitted)++;
		json_decref(peer);
		return;
	}
	json_object_set_new(peers, name, peer);
}

static json_t *peers_json(const struct bgp *b, size_t *omitted)
{
	json_t *peers = json_object();
	size_t size = 0;

	for (size_t i = 0; i < b->plan->session_count; i++)
		add_peer(peers, b->plan->sessions[i].peer, session_json(b, i), &size, omitted);
	for (size_t i = 0; i < b->plan->problem_count; i++) {
		const struct bgp_problem *problem = &b->plan->problems[i];

		if (problem->kind == BGP_PROBLEM_PEER && !json_object_get(peers, problem->name))
			add_peer(peers, problem->name, peer_json("held", 0, problem->text), &size,
				omitted);
	}
	return peers;
}

void bgp_annotate(const struct bgp *bgp, json_t *annotations)
{
	size_t omitted = 0;
	json_t *whole;
	char *text;

	if (!bgp->followed)
		return; /* what our last run's Lease says stands: BIRD has gone on */
	if (!bgp->plan) {
		json_object_set_new(annotations, MEMBER_BGP_ANNOTATION, json_null());
		return;
	}
	whole = json_pack("{s:o}", "peers", peers_json(bgp, &omitted));
	if (omitted > 0)
		json_object_set_new(whole, "omitted", json_integer((json_int_t)omitted));
	text = json_dumps(whole, JSON_COMPACT);
	json_decref(whole);
	json_object_set_new(annotations, MEMBER_BGP_ANNOTATION, json_string(text ? text : ""));
	free(text);
}

/* Of BIRD, or of the administrator's text beside all peers; "": none. */
static const char *bird_problem_of(const struct bgp *b)
{
	const char *refusal = b->include ? bird_include_refusal(b->include, "") : NULL;

	if (b->include && *bird_problem(bird_include_bird(b->include)))
		return bird_problem(bird_include_bird(b->include));
	return refusal ? refusal : "";
}

static const char *drain_text(enum bgp_drain drain)
{
	static const char *const texts[] = {"no", "shutting down", "withdrawn"};

	return texts[drain];
}

static json_t *address_json(const struct bgp *b, const struct bgp_vip *vip)
{
	json_t *peers = json_array();

	for (size_t s = 0; b->watch && s < b->plan->session_count; s++) {
		for (size_t i = 0; i < vip->route_count; i++) {
			const struct bgp_route *route = &b->plan->routes[vip->routes[i]];

			if (bgp_route_is_offered(b->plan, route, s) &&
				bgp_watch_announces(b->watch, s, &route->prefix)) {
				json_array_append_new(
					peers, json_string(b->plan->sessions[s].peer));
				break;
			}
		}
	}
	return json_pack("{s:s,s:s,s:s,s:b,s:s,s:s,s:o}", "address", ip_text(&vip->address).s,
		"namespace", vip->namespace, "service", vip->service, "wanted", vip->announced,
		"verdict", plan_verdict_text(vip->verdict), "problem", vip->problem, "announcedTo",
		peers);
}

json_t *bgp_status(const struct bgp *bgp)
{
	json_t *addresses = json_array(), *problems = json_array();
	size_t omitted = 0;

	for (size_t i = 0; bgp->plan && i < bgp->plan->vip_count; i++)
		json_array_append_new(addresses, address_json(bgp, &bgp->plan->vips[i]));
	for (size_t i = 0; bgp->plan && i < bgp->plan->problem_count; i++)
		json_array_append_new(problems, json_string(bgp->plan->problems[i].text));
	return json_pack("{s:b,s:s,s:s,s:o,s:o,s:o}", "configured", bgp->plan != NULL, "leaving",
		drain_text(bgp->drain), "bird", bird_problem_of(bgp), "peers",
		bgp->plan ? peers_json(bgp, &omitted) : json_object(), "problems", problems,
		"addresses", addresses);
}

struct bgp *bgp_new(struct program *program, const char *self, struct bird_include *include,
	const struct bgp_sink *sink, void *context)
{
	static const struct bgp_watch_sink watch_sink = {on_session_changed, on_exported};
	struct bgp *b = xcalloc(1, sizeof(*b));

	b->program = program;
	b->self = self;
	b->include = include;
	b->sink = *sink;
	b->context = context;
	b->secrets = secret_watches_new(program, on_secrets_changed, b);
	b->report = bgp_report_new(program, self);
	b->drain_timer = timer_new(program->loop, on_drained, b);
	if (include)
		b->watch = bgp_watch_new(program, bird_include_bird(include), &watch_sink, b);
	return b;
}

void bgp_free(struct bgp *bgp)
{
	if (!bgp)
		return;
	bgp_watch_free(bgp->watch);
	bgp_report_free(bgp->report);
	secret_watches_free(bgp->secrets);
	timer_free(bgp->drain_timer);
	bgp_plan_free(bgp->plan);
	free(bgp);
}
