// SPDX-License-Identifier: Apache-2.0
/*
 * The world of the simulation: time as a queue of events, the API server with its Leases
 * and watches, the segment. What a speaker does is in cluster_sim_speaker.c, what a
 * client sees in cluster_sim_count.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_sim_private.h"
#include "herald/base/err.h"

#define RELIST_MS 1000u /* at most, until a watch is there again */

uint32_t sim_draw(struct sim *sim, uint32_t limit)
{
	sim->random ^= sim->random << 13;
	sim->random ^= sim->random >> 7;
	sim->random ^= sim->random << 17;
	if (limit == 0)
		return 0;
	return (uint32_t)((sim->random * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % limit;
}

struct ip sim_vip(size_t vip)
{
	return ip_from_v4((const uint8_t[4]){10, 0, 0, (uint8_t)(vip + 1)});
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

void sim_push(struct sim *sim, const struct event *event)
{
	size_t i = sim->queue_count++;

	if (sim->queue_count > sim->queue_capacity) {
		sim->queue_capacity = 2 * sim->queue_count;
		sim->queue = xrealloc(sim->queue, sim->queue_capacity, sizeof(*sim->queue));
	}
	sim->queue[i] = *event;
	sim->queue[i].sequence = ++sim->sequence;
	for (size_t up; i > 0 && is_before(&sim->queue[i], &sim->queue[up = (i - 1) / 2]); i = up) {
		struct event other = sim->queue[up];

		sim->queue[up] = sim->queue[i];
		sim->queue[i] = other;
	}
}

static struct event pop(struct sim *sim)
{
	struct event first = sim->queue[0], last = sim->queue[--sim->queue_count];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < sim->queue_count; i = child) {
		if (child + 1 < sim->queue_count &&
			is_before(&sim->queue[child + 1], &sim->queue[child]))
			child++;
		if (!is_before(&sim->queue[child], &last))
			break;
		sim->queue[i] = sim->queue[child];
	}
	sim->queue[i] = last;
	return first;
}

static void drop_lease(struct lease_version *lease)
{
	if (!lease || --lease->readers > 0)
		return;
	free(lease->holds);
	free(lease);
}

static uint64_t version_of(const struct lease_version *lease)
{
	return lease ? lease->version : 0;
}

bool sim_is_reached(const struct speaker *s)
{
	return s->reaches_api && s->sim->api_up;
}

void sim_write(struct speaker *s)
{
	struct sim *sim = s->sim;
	bool lost = sim_draw(sim, 100) < sim->rules.lost_writes;
	uint64_t wait = sim_is_reached(s) ? s->timing.renew_ms : 10;
	struct event event = {.kind = EVENT_COMMIT, .node = s->index, .of = s->life};

	s->writing = true;
	if (sim_is_reached(s) && !lost) {
		event.lease = speaker_lease(s);
		event.lease->readers = 1;
		event.lease->version = version_of(sim->leases[s->index]);
		wait = 1 + sim_draw(sim, sim->rules.write_ms);
	}
	event.at = sim->now + wait * MS;
	sim_push(sim, &event);
}

static void show_to(struct speaker *s, struct lease_version *lease)
{
	struct sim *sim = s->sim;
	uint64_t at = sim->now + (1 + sim_draw(sim, sim->rules.watch_ms)) * MS;

	s->heard_until = at > s->heard_until ? at : s->heard_until;
	lease->readers++;
	sim_push(sim, &(struct event){.at = s->heard_until,
			      .kind = EVENT_LEASE,
			      .node = s->index,
			      .of = s->stream,
			      .lease = lease});
}

/* What a dead process had sent is carried out all the same, unless another write came
   first: its version is the precondition. */
static void commit(struct speaker *s, const struct event *event)
{
	struct sim *sim = s->sim;
	struct lease_version *lease = event->lease, *old = sim->leases[s->index];
	bool done = lease && sim_is_reached(s) && lease->version == version_of(old);

	if (done) {
		lease->version = ++sim->version;
		lease->renewal = lease->released && old ? old->renewal : sim->version;
		lease->written_ns = sim->now;
		sim->leases[s->index] = lease;
		drop_lease(old);
		count_write(sim);
		for (size_t n = 0; n < sim->rules.nodes; n++) {
			if (sim->speakers[n].listens)
				show_to(&sim->speakers[n], lease);
		}
	} else {
		drop_lease(lease);
	}
	if (s->runs && event->of == s->life)
		speaker_written(s, done);
}

static void relist_soon(struct speaker *s, uint32_t within_ms)
{
	s->stream++;
	s->listens = false;
	if (s->runs && sim_is_reached(s))
		sim_push(s->sim,
			&(struct event){.at = s->sim->now + (1 + sim_draw(s->sim, within_ms)) * MS,
				.kind = EVENT_RELIST,
				.node = s->index,
				.of = s->stream});
}

static void relist(struct speaker *s)
{
	s->listens = true;
	if (s->sim->now < s->heard_until) { /* stalled: later */
		sim_push(s->sim, &(struct event){.at = s->heard_until,
					 .kind = EVENT_RELIST,
					 .node = s->index,
					 .of = s->stream});
		s->listens = false;
		return;
	}
	speaker_see_list(s);
}

/* A frame reaches all at one time; each may miss it. */
static void spread_frame(struct sim *sim, const struct event *event)
{
	for (size_t n = 0; n < sim->rules.nodes; n++) {
		struct speaker *s = &sim->speakers[n];

		if (n == event->node || !speaker_is_present(s) || !s->answers[event->vip] ||
			sim_draw(sim, 100) < sim->rules.lost_frames)
			continue;
		speaker_hear(s, event->vip, event->node);
		speaker_schedule(s);
	}
}

static void handle(struct sim *sim, const struct event *event)
{
	struct speaker *s = &sim->speakers[event->node];

	switch (event->kind) {
	case EVENT_WAKE:
		if (!s->runs || event->of != s->life || event->at != s->wake_at)
			return;
		s->wake_at = NEVER;
		speaker_wake(s);
		break;
	case EVENT_LEASE:
		if (s->runs && event->of == s->stream)
			speaker_see_lease(s, event->lease);
		drop_lease(event->lease);
		break;
	case EVENT_COMMIT:
		commit(s, event);
		break;
	case EVENT_RELIST:
		if (s->runs && event->of == s->stream && sim_is_reached(s))
			relist(s);
		break;
	case EVENT_FRAME:
		spread_frame(sim, event);
		break;
	}
	speaker_schedule(s);
}

void sim_run(struct sim *sim, uint64_t ms)
{
	uint64_t end = sim->now + ms * MS;

	while (sim->queue_count > 0 && sim->queue[0].at <= end) {
		struct event event = pop(sim);

		sim->now = event.at;
		handle(sim, &event);
	}
	sim->now = end;
}

uint64_t sim_now_ms(const struct sim *sim)
{
	return sim->now / MS;
}

void sim_start(struct sim *sim, size_t node)
{
	struct speaker *s = &sim->speakers[node];

	if (s->runs)
		return;
	speaker_begin(s);
	count_presence(sim, s, false);
	relist_soon(s, 50);
	speaker_schedule(s);
}

void sim_kill(struct sim *sim, size_t node)
{
	struct speaker *s = &sim->speakers[node];
	bool was_present = speaker_is_present(s);

	if (!s->runs)
		return;
	speaker_end(s);
	count_presence(sim, s, was_present);
}

void sim_stop(struct sim *sim, size_t node)
{
	struct speaker *s = &sim->speakers[node];

	if (!s->runs || s->leaving)
		return;
	s->leaving = true;
	s->plan_at = s->write_at = sim->now;
	speaker_schedule(s);
}

void sim_set_api(struct sim *sim, size_t node, bool reached)
{
	struct speaker *s = &sim->speakers[node];

	if (s->reaches_api == reached)
		return;
	s->reaches_api = reached;
	relist_soon(s, RELIST_MS);
}

void sim_set_wire(struct sim *sim, size_t node, bool plugged)
{
	struct speaker *s = &sim->speakers[node];
	bool was_present = speaker_is_present(s);

	s->plugged = plugged;
	count_presence(sim, s, was_present);
}

void sim_set_api_up(struct sim *sim, bool up)
{
	if (sim->api_up == up)
		return;
	sim->api_up = up;
	for (size_t n = 0; n < sim->rules.nodes; n++)
		relist_soon(&sim->speakers[n], RELIST_MS);
}

void sim_stall(struct sim *sim, size_t node, uint32_t ms)
{
	struct speaker *s = &sim->speakers[node];
	uint64_t until = sim->now + ms * MS;

	if (until > s->heard_until)
		s->heard_until = until;
}

bool sim_runs(const struct sim *sim, size_t node)
{
	return sim->speakers[node].runs;
}

size_t sim_answered_by(const struct sim *sim, size_t node)
{
	size_t count = 0;

	for (size_t vip = 0; vip < sim->rules.vips; vip++)
		count += sim->speakers[node].answers[vip];
	return count;
}

static bool is_settled_at(const struct sim *sim, size_t vip)
{
	struct ip address = sim_vip(vip);
	const char *owner = NULL;

	for (size_t n = 0; n < sim->rules.nodes; n++) {
		const struct speaker *s = &sim->speakers[n];
		const struct plan_vip *planned;

		if (!speaker_is_present(s))
			continue;
		planned = s->plan ? plan_find(s->plan, &address) : NULL;
		if (!planned || !planned->owner || (owner && strcmp(owner, planned->owner) != 0) ||
			planned->ours != s->answers[vip])
			return false;
		owner = planned->owner;
	}
	return sim->episodes[vip].answering == 1;
}

bool sim_is_settled(const struct sim *sim)
{
	for (size_t vip = 0; vip < sim->rules.vips; vip++) {
		if (!is_settled_at(sim, vip))
			return false;
	}
	return true;
}

static void make_objects(struct sim *sim)
{
	size_t nodes = sim->rules.nodes, vips = sim->rules.vips;

	sim->names = xcalloc(nodes, sizeof(*sim->names));
	sim->nodes = xcalloc(nodes, sizeof(*sim->nodes));
	sim->node_list = xcalloc(nodes, sizeof(*sim->node_list));
	for (size_t n = 0; n < nodes; n++) {
		snprintf(sim->names[n], sizeof(sim->names[n]), "node%zu", n + 1);
		sim->nodes[n] = (struct node){
			.meta = {.namespace = "", .name = sim->names[n]}, .ready = true};
		sim->node_list[n] = &sim->nodes[n];
	}
	sim->service_names = xcalloc(vips, sizeof(*sim->service_names));
	sim->services = xcalloc(vips, sizeof(*sim->services));
	sim->ingress = xcalloc(vips, sizeof(*sim->ingress));
	sim->service_list = xcalloc(vips, sizeof(*sim->service_list));
	for (size_t v = 0; v < vips; v++) {
		snprintf(sim->service_names[v], sizeof(sim->service_names[v]), "web%zu", v);
		sim->ingress[v].ip = sim_vip(v);
		sim->services[v] = (struct service){
			.meta = {.namespace = "default", .name = sim->service_names[v], .uid = ""},
			.type = SERVICE_LOAD_BALANCER,
			.ingress = &sim->ingress[v],
			.ingress_count = 1,
		};
		sim->service_list[v] = &sim->services[v];
	}
}

static void make_config(struct sim *sim)
{
	sim->range = (struct ip_range){sim_vip(0), sim_vip(sim->rules.vips - 1)};
	sim->pool = (struct config_pool){.name = "main", .ranges = &sim->range, .range_count = 1};
	sim->rule.name = "";
	sim->config = (struct config){.pools = &sim->pool,
		.pool_count = 1,
		.layer2 = &sim->rule,
		.layer2_count = 1,
		.membership = {.lease_duration_ms = 3000,
			.renew_interval_ms = 1000,
			.take_back = sim->rules.take_back,
			.take_back_ms = sim->rules.take_back_ms}};
}

struct sim *sim_new(const struct sim_rules *rules)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));

	sim->rules = *rules;
	sim->random = rules->seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	sim->now = MS;
	sim->api_up = true;
	make_objects(sim);
	make_config(sim);
	sim->leases = xcalloc(rules->nodes, sizeof(*sim->leases));
	sim->episodes = xcalloc(rules->vips, sizeof(*sim->episodes));
	sim->speakers = xcalloc(rules->nodes, sizeof(*sim->speakers));
	for (size_t n = 0; n < rules->nodes; n++) {
		sim->speakers[n] = (struct speaker){.sim = sim,
			.index = n,
			.reaches_api = true,
			.plugged = true,
			.answers = xcalloc(rules->vips, sizeof(bool))};
	}
	return sim;
}

void sim_free(struct sim *sim)
{
	for (size_t n = 0; n < sim->rules.nodes; n++) {
		if (sim->speakers[n].runs)
			speaker_end(&sim->speakers[n]);
		free(sim->speakers[n].answers);
		drop_lease(sim->leases[n]);
	}
	for (size_t i = 0; i < sim->queue_count; i++)
		drop_lease(sim->queue[i].lease);
	free(sim->queue);
	free(sim->leases);
	free(sim->episodes);
	free(sim->speakers);
	free(sim->names);
	free(sim->nodes);
	free(sim->node_list);
	free(sim->service_names);
	free(sim->services);
	free(sim->ingress);
	free(sim->service_list);
	free(sim);
}
