// SPDX-License-Identifier: Apache-2.0
/*
 * What may happen: users change Services, administrators the config, nodes get addresses;
 * news arrives late, writes are lost, land late or lose their answer, processes die. The
 * controller is played as the real one works: it decides on what it last read, writes
 * under a precondition, and frees what is left only once it sees its decision.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_world.h"

static uint32_t draw(struct world *w, uint32_t limit)
{
	return model_draw(&w->random, limit);
}

/* The controller */

static void decide(struct world *w, struct slot *slot);
static void deliver(struct world *w, struct slot *slot);

static void let_go(struct world *w, struct slot *slot)
{
	alloc_release(w->alloc, &slot->holder);
	slot->write.under_way = slot->dirty = slot->waiting = slot->stale = false;
	slot->decided = (struct spec){0};
}

static void try_waiting(struct world *w)
{
	if (w->judged == alloc_generation(w->alloc))
		return;
	w->judged = alloc_generation(w->alloc);
	for (size_t i = 0; i < SLOTS; i++) {
		if (w->slots[i].waiting && !w->slots[i].stale)
			decide(w, &w->slots[i]);
	}
}

static struct assign_input input_of(struct slot *slot, struct view *view)
{
	view_make(view, &slot->cache);
	return (struct assign_input){.service = &view->service,
		.holder = &slot->holder,
		.ours = slot->cache.spec.ours && slot->cache.spec.load_balancer};
}

static void decide(struct world *w, struct slot *slot)
{
	struct assign_decision decision;
	struct ip before[2] = {{0}};
	struct view view;
	struct assign_input input;

	if (slot->stale)
		deliver(w, slot);
	slot->dirty = slot->waiting = slot->stale = false;
	if (!slot->cache.exists)
		return;
	input = input_of(slot, &view);
	alloc_held(&slot->holder, IP_V4, &before[0]);
	alloc_held(&slot->holder, IP_V6, &before[1]);
	/* What it shares by while it leaves is what it shared by before. */
	slot->decided_before = slot->decided;
	if (spec_is_active(&slot->cache.spec))
		slot->decided = slot->cache.spec;
	assign_decide(w->alloc, &input, &decision);
	world_check_decision(w, slot, before, &decision);
	slot->waiting = decision.state == ASSIGN_PENDING || decision.state == ASSIGN_KEPT ||
			(decision.state == ASSIGN_ASSIGNED && slot->cache.spec.families[1] &&
				decision.address_count < 2);
	if (slot->write.under_way)
		return;
	if (decision.write)
		slot->write = (struct write){true, slot->cache.version, decision};
	else if (decision.state == ASSIGN_RELEASED)
		alloc_release(w->alloc, &slot->holder);
	else
		alloc_settle(w->alloc, &slot->holder);
}

/* The API server */

static void touch(struct world *w, struct slot *slot)
{
	slot->truth.version = ++w->versions;
}

static void end_of_object(struct world *w, struct slot *slot)
{
	if (slot->truth.spec.deleting && !slot->truth.finalizer) {
		slot->truth.exists = false;
		touch(w, slot);
	}
}

static bool apply(struct world *w, struct slot *slot, const struct write *write)
{
	const struct assign_decision *decision = &write->decision;
	struct object *truth = &slot->truth;

	if (!truth->exists || truth->version != write->version)
		return false;
	if (decision->ingress) {
		truth->count = decision->address_count;
		memcpy(truth->status, decision->addresses, sizeof(truth->status));
	}
	if (decision->finalizer != ASSIGN_KEEP)
		truth->finalizer = decision->finalizer == ASSIGN_SET;
	if (decision->annotation != ASSIGN_KEEP) {
		truth->has_assigned = decision->annotation == ASSIGN_SET;
		memcpy(truth->assigned, decision->annotation_text, sizeof(truth->assigned));
	}
	if (decision->shared_as != ASSIGN_KEEP)
		memcpy(truth->shared_as, decision->shared_as_text, sizeof(truth->shared_as));
	if (decision->moves != ASSIGN_KEEP)
		memcpy(truth->moves, decision->moves_text, sizeof(truth->moves));
	if (decision->condition != ASSIGN_KEEP) {
		truth->has_condition = decision->condition == ASSIGN_SET;
		truth->condition_true = decision->condition_true;
		if (decision->condition == ASSIGN_SET)
			snprintf(truth->reason, sizeof(truth->reason), "%s",
				decision->condition_reason);
		memcpy(truth->message, decision->condition_message, sizeof(truth->message));
	}
	truth->written = truth->spec;
	truth->strayed = false;
	touch(w, slot);
	end_of_object(w, slot);
	return true;
}

static void deliver(struct world *w, struct slot *slot)
{
	if (slot->cache.version == slot->truth.version)
		return;
	if (slot->cache.uid != slot->truth.uid || !slot->truth.exists)
		let_go(w, slot);
	slot->cache = slot->truth;
	slot->dirty = slot->cache.exists;
	slot->stale = false;
}

static void end_write(struct world *w, struct slot *slot)
{
	struct object before = slot->truth;
	unsigned fate = draw(w, 10);

	if (!slot->write.under_way)
		return;
	slot->write.under_way = false;
	slot->dirty = slot->cache.exists;
	slot->stale = true;
	if (fate == 0)
		return; /* it never arrived */
	if (apply(w, slot, &slot->write))
		world_check_published(w, slot, &before);
	if (fate > 2) /* else the answer is lost, and what it did is read some time */
		deliver(w, slot);
}

/* What it shows and is about to leave: nobody knows after a crash. */
static uint32_t leaves(const struct slot *slot)
{
	uint32_t left = 0;

	for (uint8_t i = 0; i < slot->cache.count; i++) {
		const struct ip *ip = &slot->cache.status[i];
		struct ip held;

		if (!alloc_held(&slot->holder, (enum ip_family)ip->family, &held) ||
			!ip_equal(&held, ip))
			left |= UINT32_C(1) << model_index(ip);
	}
	return left;
}

static void crash(struct world *w)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &w->slots[i];

		slot->left = leaves(slot);
		if (slot->write.under_way && draw(w, 2) == 0)
			apply(w, slot, &slot->write);
		else if (slot->write.under_way && !w->calm)
			slot->late = slot->write;
		let_go(w, slot);
		if (w->calm || draw(w, 4))
			slot->cache = slot->truth; /* else an old reading */
	}
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		w->moves[i] = false;
		if (w->blocked[i])
			alloc_unblock(w->alloc, &ip);
	}
	alloc_free(w->alloc);
	w->alloc = alloc_new();
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (w->blocked[i])
			alloc_block(w->alloc, &ip);
	}
	for (size_t pass = 0; pass <= ASSIGN_PASSES; pass++) {
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &w->slots[i];
			struct view view;
			struct assign_input input = input_of(slot, &view);

			slot->dirty = slot->cache.exists;
			slot->decided = slot->cache.spec;
			if (!slot->cache.exists)
				continue;
			if (pass == ASSIGN_PASSES && !alloc_holds_any(&slot->holder))
				assign_adopt_annotation(w->alloc, &input);
			else if (pass < ASSIGN_PASSES && assign_pass_of(w->alloc, &input) == pass)
				assign_adopt_status(w->alloc, &input);
		}
	}
	world_check_adopted(w);
}

/* What happens */

static void user_acts(struct world *w, struct slot *slot)
{
	if (!object_change(&slot->truth, &w->random, w->versions + 1))
		return;
	touch(w, slot);
	end_of_object(w, slot);
}

static void reconfigure(struct world *w)
{
	const struct config *old = w->config;

	w->config = w->configs[draw(w, MODEL_CONFIGS)];
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);
		const struct config_pool *before = model_pool(old, &ip);

		if (model_pool(w->config, &ip))
			w->moves[i] = false;
		else if (before)
			w->moves[i] = before->move_when_removed;
	}
	alloc_configure(w->alloc, w->config);
	for (size_t i = 0; i < SLOTS; i++)
		w->slots[i].dirty = w->slots[i].cache.exists;
}

static void toggle_block(struct world *w)
{
	size_t index = draw(w, UNIVERSE);
	struct ip ip = model_ip(index);

	w->blocked[index] = !w->blocked[index];
	if (!w->blocked[index]) {
		alloc_unblock(w->alloc, &ip);
	} else if (alloc_block(w->alloc, &ip)) {
		for (size_t i = 0; i < SLOTS; i++)
			w->slots[i].dirty = w->slots[i].cache.exists;
	}
}

void world_happen(struct world *w)
{
	struct slot *slot = &w->slots[draw(w, SLOTS)];
	uint32_t what = draw(w, 1000);

	if (what < 120)
		user_acts(w, slot);
	else if (what < 123)
		reconfigure(w);
	else if (what < 128)
		toggle_block(w);
	else if (what < 130)
		crash(w);
	else if (what < 160 && slot->late.under_way)
		slot->late.under_way = apply(w, slot, &slot->late) && false;
	else if (what < 400)
		deliver(w, slot);
	else if (what < 700)
		end_write(w, slot);
	else if (slot->dirty)
		decide(w, slot);
	try_waiting(w);
}

void world_come_to_rest(struct world *w)
{
	bool busy = true;

	for (unsigned turns = 0; busy; turns++) {
		REQUIRE(w, turns < 200, "it never comes to rest");
		busy = false;
		for (size_t i = 0; i < SLOTS; i++) {
			struct slot *slot = &w->slots[i];

			slot->late.under_way = false;
			if (slot->write.under_way) {
				struct object before = slot->truth;

				slot->write.under_way = false;
				slot->dirty = slot->cache.exists;
				if (apply(w, slot, &slot->write))
					world_check_published(w, slot, &before);
			}
			deliver(w, slot);
			busy |= slot->dirty;
			if (slot->dirty)
				decide(w, slot);
			try_waiting(w);
		}
		for (size_t i = 0; i < SLOTS; i++)
			busy |= w->slots[i].write.under_way;
	}
}
