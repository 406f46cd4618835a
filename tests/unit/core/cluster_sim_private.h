// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CORE_CLUSTER_SIM_PRIVATE_H
#define HERALD_TESTS_UNIT_CORE_CLUSTER_SIM_PRIVATE_H

#include "cluster_sim.h"
#include "herald/core/announce.h"
#include "herald/core/holds.h"
#include "herald/core/ownership.h"
#include "herald/core/plan.h"
#include "herald/core/turn.h"

/* What the simulation's files share: the world (cluster_sim.c), a speaker
   (cluster_sim_speaker.c), the counting (cluster_sim_count.c). */
#define NEVER UINT64_MAX
#define MS UINT64_C(1000000)

/* A Lease as the API server has it, one for each write; freed with its last reader. */
struct lease_version {
	size_t node, readers;
	unsigned life; /* of the process that wrote it */
	uint64_t version, renewal, sent_ns, written_ns;
	uint32_t duration_s;
	bool released;
	char *holds; /* NULL: no annotation */
};

struct speaker {
	struct sim *sim;
	size_t index;
	bool runs, reaches_api, plugged;
	bool listens;	       /* its watch is established */
	unsigned life, stream; /* tell what belongs to an earlier process or watch */
	struct members *members;
	struct holds *holds;
	struct ownership *ownership;
	struct announce *announce;
	struct plan *plan;
	struct member_timing timing;
	struct turn turn;
	bool leaving, wrote_release, released, synced, adopted, valid_at_start;
	uint64_t heard_until; /* what the watch shows comes no sooner */
	uint64_t wake_at;     /* the earliest that is in the queue */
	uint64_t plan_at, plan_not_before, judge_at, holds_at, write_at, turn_at;
	unsigned failures; /* writes without success, in a row */
	bool writing, nudged;
	uint64_t proven_ns;
	uint32_t sent_renew_ms; /* the interval that held at the last write */
	bool *answers;		/* for each address */
};

/* Of one address, as a client sees it. */
struct episode {
	size_t answering;
	bool heard;		     /* one of several has heard another's claim */
	uint64_t since, heard_since; /* since: when `answering` changed to 0, 1, or more */
};

enum event_kind { EVENT_WAKE, EVENT_LEASE, EVENT_COMMIT, EVENT_RELIST, EVENT_FRAME };

struct event {
	uint64_t at, sequence;
	enum event_kind kind;
	size_t node; /* whose it is, or the sender */
	unsigned of; /* its life or stream */
	size_t vip;
	struct lease_version *lease;
};

struct sim {
	struct sim_rules rules;
	uint64_t random, now, sequence, version;
	struct event *queue; /* a heap */
	size_t queue_count, queue_capacity;
	bool api_up;
	struct lease_version **leases; /* the API server's, by node; NULL: none */
	struct speaker *speakers;
	struct episode *episodes;
	struct sim_counts counts;
	uint64_t written[10], second; /* in each of the last ten seconds, this being the last */
	bool was_served;	      /* somebody runs on the segment */
	/* What all see alike. */
	struct config config;
	struct config_pool pool;
	struct config_layer2 rule;
	struct ip_range range;
	struct node *nodes;
	const struct node **node_list;
	struct service *services;
	struct service_ingress *ingress;
	const struct service **service_list;
	char (*names)[32], (*service_names)[32];
};

void sim_push(struct sim *sim, const struct event *event);
struct ip sim_vip(size_t vip);
bool sim_is_reached(const struct speaker *s);
/* Puts the Lease that a speaker would write now into the API server, later. */
void sim_write(struct speaker *s);

void speaker_begin(struct speaker *s);
void speaker_end(struct speaker *s);
void speaker_see_list(struct speaker *s); /* all Leases as they stand */
void speaker_see_lease(struct speaker *s, const struct lease_version *lease);
void speaker_hear(struct speaker *s, size_t vip, size_t sender);
void speaker_wake(struct speaker *s);
void speaker_schedule(struct speaker *s);
void speaker_written(struct speaker *s, bool done);
/* What its Lease is to say; malloc'ed. */
struct lease_version *speaker_lease(struct speaker *s);

void count_write(struct sim *sim);
/* Whoever answers, runs or is plugged in has changed. */
void count_answer(struct sim *sim, struct speaker *s, size_t vip, bool answers);
void count_presence(struct sim *sim, struct speaker *s, bool was_present);
void count_claim(struct sim *sim, struct speaker *hearer, size_t vip);
bool speaker_is_present(const struct speaker *s); /* a client can hear it */

#endif
