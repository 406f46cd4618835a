// SPDX-License-Identifier: Apache-2.0
/*
 * The controller's start and its answer to a new configuration, played through on a
 * picture of the cluster: addresses in use are adopted under the configuration in force,
 * oldest Service first; then the new one is put in force and every Service is decided in
 * the same order, those that wait already before those that have what they want, which
 * the controller has to read first. Addresses that are left become free only when all
 * have been decided, as they do where each is first written; then those that wait are
 * tried again, until nothing more becomes free.
 */
#include "forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adoption.h"
#include "herald/base/err.h"

#define PASSES_MAX 1000u /* each ends with something freed, so that few are ever made */

/* A row while it is made. */
struct player {
	struct forecast_row row;
	struct adopted *has;
	enum assign_state state;
	bool waited;   /* for an address, under the configuration in force */
	char *message; /* what its condition would say; NULL: nothing but the assignment */
};

struct play {
	struct adoption adoption;
	struct player *players; /* oldest first */
	size_t count;
};

const char *forecast_change_name(enum forecast_change change)
{
	static const char *const names[FORECAST_CHANGE_COUNT] = {[FORECAST_SAME] = "same",
		[FORECAST_LOSES] = "loses",
		[FORECAST_CHANGES] = "changes",
		[FORECAST_GETS] = "gets",
		[FORECAST_KEEPS] = "keeps",
		[FORECAST_WAITS] = "waits"};

	return names[change];
}

static void remember_before(struct forecast_row *row)
{
	for (uint16_t i = 0; i < row->service->ingress_count; i++) {
		const struct ip *ip = &row->service->ingress[i].ip;

		if (ip->family != IP_NONE)
			row->before[ip->family == IP_V6] = *ip;
	}
}

static void cast(struct play *play)
{
	play->count = play->adoption.count;
	play->players = xcalloc(play->count + 1, sizeof(*play->players));
	for (size_t i = 0; i < play->count; i++) {
		struct player *player = &play->players[i];

		player->has = play->adoption.items[i];
		player->row.service = player->has->service;
		player->row.name = xstrdup(player->has->name);
		remember_before(&player->row);
	}
}

/* Lacks an address of a family, or has one that it would not be given now. */
static bool waits(const struct play *play, const struct player *player)
{
	const struct service *service = player->row.service;
	struct assign_wish wish;

	assign_wish_read(play->adoption.alloc, &player->has->input, &wish);
	for (size_t i = 0; i < 2 && service->families[i] != IP_NONE; i++) {
		struct alloc_refusal refusal;
		struct ip held;
		bool move;

		if (!alloc_held(&player->has->holder, service->families[i], &held) ||
			!alloc_stands(play->adoption.alloc, &player->has->holder, &wish.request,
				&held, &refusal, &move))
			return true;
	}
	return false;
}

/* Why an address that it has would not be given to it, in the new configuration's terms. */
static void explain(const struct play *play, struct player *player)
{
	struct forecast_row *row = &player->row;
	struct assign_wish wish;

	assign_wish_read(play->adoption.alloc, &player->has->input, &wish);
	for (size_t i = 0; i < 2 && !row->why; i++) {
		struct alloc_refusal refusal;
		char words[400];
		bool move;

		if (row->before[i].family == IP_NONE ||
			alloc_stands(play->adoption.alloc, &player->has->holder, &wish.request,
				&row->before[i], &refusal, &move))
			continue;
		alloc_refusal_text(&refusal, &wish.request, words, sizeof(words));
		row->why = xasprintf("%s: %s", ip_text(&row->before[i]).s, words);
	}
}

static void decide(struct play *play, struct player *player)
{
	struct assign_decision decision;

	assign_decide(play->adoption.alloc, &player->has->input, &decision);
	player->state = decision.state;
	memset(player->row.after, 0, sizeof(player->row.after));
	for (uint8_t i = 0; i < decision.address_count; i++)
		player->row.after[decision.addresses[i].family == IP_V6] = decision.addresses[i];
	free(player->message);
	player->message = strcmp(decision.condition_reason, "Assigned") == 0
				  ? NULL
				  : xstrdup(decision.condition_message);
}

static bool is_content(const struct player *player)
{
	const struct forecast_row *row = &player->row;

	return player->state == ASSIGN_ASSIGNED &&
	       (row->service->families[1] == IP_NONE ||
		       (row->after[0].family && row->after[1].family));
}

/* What is left becomes free; false: nothing was. */
static bool settle_all(struct play *play)
{
	uint64_t before = alloc_generation(play->adoption.alloc);

	for (size_t i = 0; i < play->count; i++)
		alloc_settle(play->adoption.alloc, &play->players[i].has->holder);
	return alloc_generation(play->adoption.alloc) != before;
}

static void decide_all(struct play *play)
{
	for (size_t i = 0; i < play->count; i++)
		explain(play, &play->players[i]);
	for (int waiting = 1; waiting >= 0; waiting--) {
		for (size_t i = 0; i < play->count; i++) {
			if (play->players[i].waited == (waiting == 1))
				decide(play, &play->players[i]);
		}
	}
	for (unsigned pass = 0; pass < PASSES_MAX && settle_all(play); pass++) {
		for (size_t i = 0; i < play->count; i++) {
			if (!is_content(&play->players[i]))
				decide(play, &play->players[i]);
		}
	}
}

static enum forecast_change judge(const struct player *player)
{
	const struct forecast_row *row = &player->row;
	bool loses = false, changes = false, gains = false;

	for (size_t i = 0; i < 2; i++) {
		if (ip_equal(&row->before[i], &row->after[i]))
			continue;
		if (row->before[i].family == IP_NONE)
			gains = true;
		else if (row->after[i].family == IP_NONE)
			loses = true;
		else
			changes = true;
	}
	if (loses || changes)
		return loses ? FORECAST_LOSES : FORECAST_CHANGES;
	if (gains)
		return FORECAST_GETS;
	if (player->state == ASSIGN_PENDING)
		return FORECAST_WAITS;
	return player->message ? FORECAST_KEEPS : FORECAST_SAME;
}

/* The word of the new configuration where an address goes; else what its condition says. */
static void conclude(struct player *player)
{
	struct forecast_row *row = &player->row;
	bool goes;

	row->change = judge(player);
	goes = row->change == FORECAST_LOSES || row->change == FORECAST_CHANGES;
	if (!goes) {
		free(row->why);
		row->why = NULL;
	}
	if (row->change == FORECAST_SAME || row->why)
		return;
	row->why = player->message ? xstrdup(player->message) : xstrdup("is assigned");
}

static int compare_names(const void *a, const void *b)
{
	const struct forecast_row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void forecast_make(const struct facts *facts, const struct assign_rules *rules,
	const struct config *current, const struct config *next, struct forecast *ret)
{
	struct play play = {0};

	*ret = (struct forecast){0};
	adoption_make(facts, rules, current, &play.adoption);
	cast(&play);
	for (size_t i = 0; i < play.count; i++)
		play.players[i].waited = waits(&play, &play.players[i]);
	alloc_configure(play.adoption.alloc, next);
	decide_all(&play);
	ret->rows = xcalloc(play.count + 1, sizeof(*ret->rows));
	for (size_t i = 0; i < play.count; i++) {
		struct player *player = &play.players[i];

		conclude(player);
		ret->rows[ret->count++] = player->row;
		ret->totals[player->row.change]++;
		free(player->message);
	}
	if (ret->count)
		qsort(ret->rows, ret->count, sizeof(*ret->rows), compare_names);
	free(play.players);
	adoption_done(&play.adoption);
}

void forecast_done(struct forecast *forecast)
{
	for (size_t i = 0; i < forecast->count; i++) {
		free(forecast->rows[i].name);
		free(forecast->rows[i].why);
	}
	free(forecast->rows);
	*forecast = (struct forecast){0};
}
