// SPDX-License-Identifier: Apache-2.0
/*
 * Counting in the simulation: for each address how many of the nodes that a client can
 * hear answer for it, how long nobody or more than one did, and how long after one of
 * these had heard the other.
 */
#include "cluster_sim_private.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool speaker_is_present(const struct speaker *s)
{
	return s->runs && s->plugged;
}

static bool is_served(const struct sim *sim)
{
	for (size_t n = 0; n < sim->rules.nodes; n++) {
		if (speaker_is_present(&sim->speakers[n]))
			return true;
	}
	return false;
}

/* Takes what has passed of an episode into the counts. */
static void close_episode(struct sim *sim, struct episode *e)
{
	struct sim_counts *c = &sim->counts;
	uint64_t ms = (sim->now - e->since) / MS;

	if (e->answering == 0 && sim->was_served) {
		c->nobody_ms += ms;
		c->nobody_max = larger(c->nobody_max, ms);
	}
	if (e->answering > 1) {
		c->several_ms += ms;
		c->several_max = larger(c->several_max, ms);
	}
	if (e->answering > 1 && e->heard) {
		ms = (sim->now - e->heard_since) / MS;
		c->heard_ms += ms;
		c->heard_max = larger(c->heard_max, ms);
	}
}

static size_t class_of(size_t answering)
{
	return answering < 2 ? answering : 2;
}

static void change(struct sim *sim, size_t vip, bool more)
{
	struct episode *e = &sim->episodes[vip];
	size_t after = more ? e->answering + 1 : e->answering - 1;

	if (class_of(after) != class_of(e->answering)) {
		close_episode(sim, e);
		e->since = sim->now;
		e->heard = false;
	}
	e->answering = after;
}

void count_answer(struct sim *sim, struct speaker *s, size_t vip, bool answers)
{
	if (s->answers[vip] == answers)
		return;
	s->answers[vip] = answers;
	if (speaker_is_present(s))
		change(sim, vip, answers);
}

void count_presence(struct sim *sim, struct speaker *s, bool was_present)
{
	bool is_present = speaker_is_present(s);

	for (size_t vip = 0; vip < sim->rules.vips && was_present != is_present; vip++) {
		if (s->answers[vip])
			change(sim, vip, is_present);
	}
	if (is_served(sim) == sim->was_served)
		return;
	for (size_t vip = 0; vip < sim->rules.vips; vip++) {
		close_episode(sim, &sim->episodes[vip]);
		sim->episodes[vip].since = sim->now;
	}
	sim->was_served = !sim->was_served;
}

void count_claim(struct sim *sim, struct speaker *hearer, size_t vip)
{
	struct episode *e = &sim->episodes[vip];

	if (e->heard || e->answering < 2 || !speaker_is_present(hearer))
		return;
	e->heard = true;
	e->heard_since = sim->now;
	sim->counts.heard++;
}

void count_write(struct sim *sim)
{
	uint64_t second = sim->now / MS / 1000, in_ten = 0;

	for (; sim->second < second; sim->second++)
		sim->written[(sim->second + 1) % 10] = 0;
	sim->written[second % 10]++;
	for (size_t i = 0; i < 10; i++)
		in_ten += sim->written[i];
	sim->counts.writes++;
	sim->counts.writes_second = larger(sim->counts.writes_second, sim->written[second % 10]);
	sim->counts.writes_ten = larger(sim->counts.writes_ten, in_ten);
}

void sim_counts_clear(struct sim *sim)
{
	sim->counts = (struct sim_counts){0};
	for (size_t i = 0; i < 10; i++)
		sim->written[i] = 0;
	for (size_t vip = 0; vip < sim->rules.vips; vip++)
		sim->episodes[vip].since = sim->episodes[vip].heard_since = sim->now;
}

struct sim_counts sim_counts(struct sim *sim)
{
	struct sim_counts before = sim->counts, all;

	for (size_t vip = 0; vip < sim->rules.vips; vip++)
		close_episode(sim, &sim->episodes[vip]);
	all = sim->counts;
	sim->counts = before;
	return all;
}
