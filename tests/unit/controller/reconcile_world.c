// SPDX-License-Identifier: Apache-2.0
/*
 * What may happen: users change Services, administrators the config, nodes get addresses;
 * news arrives late or as a list of some moment, requests or their answers are lost, writes
 * land late, processes die, and one that has lost the lead goes on for a while.
 */
#include "reconcile_world.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/kube/decode.h"

#define MS UINT64_C(1000000)
#define SLOW_MS 61000

static struct world *the_world; /* for what the fakes ask */

static uint32_t draw(struct world *w, uint32_t limit)
{
	return model_draw(&w->random, limit);
}

static bool runs(const struct replica *r)
{
	return r->assigner != NULL;
}

/* ---- news ---- */

static void note_seen(struct replica *r, unsigned slot, const struct object *object)
{
	if (r->seen[slot].uid != object->uid || !object->exists)
		r->granted[slot] = 0;
	r->seen[slot] = *object;
	if (object->version > r->newest[slot])
		r->newest[slot] = object->version;
	r->seen[slot].exists &= object->uid != r->gone[slot];
}

static void tell(struct replica *r, unsigned slot, const struct object *object)
{
	json_t *json = server_json(slot, object);

	if (object->exists)
		assigner_put(r->assigner, json);
	else
		assigner_gone(r->assigner, json);
	json_decref(json);
}

static void deliver(struct world *w, struct replica *r)
{
	const struct happening *news = &w->server.history[r->position++];

	if (news->object.version > r->seen[news->slot].version)
		note_seen(r, news->slot, &news->object);
	tell(r, news->slot, &news->object);
}

/* A list of how it was at some moment, not before what the watch has told. */
static void list(struct world *w, struct replica *r)
{
	size_t room = w->server.count - r->position;

	r->lists_again = false;
	if (room > 0 && draw(w, 4))
		room -= draw(w, (uint32_t)room + 1);
	r->position += room;
	assigner_list_begin(r->assigner);
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		struct object object = server_at(&w->server, slot, r->position);

		note_seen(r, slot, &object);
		if (object.exists)
			tell(r, slot, &object);
		if (draw(w, 4) == 0)
			loop_fire(&r->loop);
	}
	assigner_list_end(r->assigner);
}

static const struct string_map *no_labels(void *context, const char *namespace)
{
	(void)context, (void)namespace;
	return NULL;
}

static void list_again(void *context)
{
	((struct replica *)context)->lists_again = true;
}

static void start(struct world *w, struct replica *r)
{
	struct assigner_options options = {.namespace_labels = no_labels,
		.list_again = list_again,
		.context = r,
		.retry_ms = SLOW_MS};
	struct monotime now = r->loop.now;

	*r = (struct replica){.loop.now = now};
	r->program.loop = &r->loop;
	r->assigner = assigner_new(&r->program, &options);
	r->writer = fakes_writer();
	assigner_configure(r->assigner, w->config);
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);

		if (w->blocked[i])
			assigner_block(r->assigner, &ip);
	}
	r->position = w->calm ? w->server.count
			      : w->server.count - draw(w, (uint32_t)w->server.count / 8 + 1);
	list(w, r);
	assigner_start(r->assigner);
	r->settled_at = r->position;
}

static void stop(struct replica *r)
{
	assigner_free(r->assigner);
	r->assigner = NULL;
}

/* ---- exchanges ---- */

void world_begins(struct writer_job *job)
{
	if (job->body)
		world_check_write(the_world, (struct replica *)job->writer->program, job);
}

static void push_late(struct world *w, const struct writer_job *job)
{
	struct late *late = xcalloc(1, sizeof(*late));

	*late = (struct late){xstrdup(job->path), xstrdup(job->body), w->late};
	w->late = late;
}

static void end_late(struct world *w, bool arrives)
{
	struct late *late = w->late;

	if (!late)
		return;
	w->late = late->next;
	if (arrives)
		server_patch(&w->server, late->path, late->body);
	free(late->path);
	free(late->body);
	free(late);
}

void world_gives_up(struct writer_job *job)
{
	struct world *w = the_world;

	if (!job->body)
		return;
	if (draw(w, 2) == 0)
		server_patch(&w->server, job->path, job->body);
	else if (!w->calm && draw(w, 2))
		push_late(w, job);
}

static void answer(struct world *w, struct replica *r, struct writer_job *job, bool lost)
{
	unsigned slot = server_slot(job->path);
	long status = job->body ? server_patch(&w->server, job->path, job->body)
		      : server_has(&w->server, job->path) ? 200
							  : 404;
	const struct object *object = &w->server.objects[slot];
	struct service *service = NULL;
	json_t *json;

	if (!lost && status == 404 && !job->body) {
		r->gone[slot] = r->seen[slot].uid;
		r->seen[slot].exists = false;
	}
	if (lost || status != 200) {
		r->writer->pausing = lost && draw(w, 2);
		writer_answer(job,
			lost		? WRITER_UNKNOWN
			: status == 404 ? WRITER_GONE
					: WRITER_STALE,
			NULL);
		return;
	}
	json = server_json(slot, object);
	if (kube_decode_service(json, &service, NULL) != 0)
		DIE("the server's own Service can't be read");
	json_decref(json);
	note_seen(r, slot, object);
	writer_answer(job, WRITER_DONE, service);
}

static void end_job(struct world *w, struct replica *r)
{
	struct writer_job *job = r->writer->jobs;
	uint32_t fate = draw(w, 10);

	for (size_t skip = draw(w, 4); job && skip > 0; skip--)
		job = job->next ? job->next : r->writer->jobs;
	if (!job)
		return;
	if (fate == 0) { /* it never arrived */
		r->writer->pausing = draw(w, 2);
		writer_answer(job, WRITER_UNKNOWN, NULL);
	} else {
		answer(w, r, job, fate < 3);
	}
}

static void resume(struct replica *r)
{
	if (!r->writer->pausing)
		return;
	r->writer->pausing = false;
	r->writer->sink.ready(r->writer->context);
}

static void turn(struct world *w, struct replica *r)
{
	loop_fire(&r->loop);
	if (r->assigner->records.dirty.count > 0 || r->writer->jobs || r->lists_again ||
		r->position < w->server.count)
		return;
	r->settled_at = w->server.count;
	r->settled_step = w->step;
}

/* ---- what happens ---- */

static void reconfigure(struct world *w)
{
	const struct config *old = w->config;

	w->config = w->configs[draw(w, MODEL_CONFIGS)];
	w->disturbed_step = w->step;
	for (size_t i = 0; i < UNIVERSE; i++) {
		struct ip ip = model_ip(i);
		const struct config_pool *before = model_pool(old, &ip);

		if (before && !model_pool(w->config, &ip))
			w->moves[i] |= before->move_when_removed;
	}
	for (size_t i = 0; i < 2; i++) {
		if (runs(&w->replicas[i]))
			assigner_configure(w->replicas[i].assigner, w->config);
	}
}

static void toggle_block(struct world *w)
{
	size_t index = draw(w, UNIVERSE);
	struct ip ip = model_ip(index);

	w->blocked[index] = !w->blocked[index];
	w->disturbed_step = w->step;
	for (size_t i = 0; i < 2; i++) {
		if (!runs(&w->replicas[i]))
			continue;
		if (w->blocked[index])
			assigner_block(w->replicas[i].assigner, &ip);
		else
			assigner_unblock(w->replicas[i].assigner, &ip);
	}
}

static void user_acts(struct world *w)
{
	unsigned slot = draw(w, SLOTS);

	if (object_change(&w->server.objects[slot], &w->random, (uint32_t)w->server.count + 1))
		server_touch(&w->server, slot);
}

/* The other one takes the lead; this one does not know it yet, or is dead. */
static void change_leader(struct world *w, bool dead)
{
	struct replica *other = &w->replicas[1 - w->leader];

	if (runs(other))
		stop(other);
	if (dead)
		stop(&w->replicas[w->leader]);
	start(w, other);
	w->leader = 1 - w->leader;
}

void world_happen(struct world *w)
{
	struct replica *r = &w->replicas[w->leader];
	uint32_t what = draw(w, 1000);

	/* One that has lost the lead does what it does half as often. */
	if (runs(&w->replicas[1 - w->leader]) && draw(w, 3) == 0)
		r = &w->replicas[1 - w->leader];
	r->loop.now.ns += (300 + draw(w, 600)) * MS;
	if (what < 100)
		user_acts(w);
	else if (what < 103)
		reconfigure(w);
	else if (what < 107)
		toggle_block(w);
	else if (what < 110)
		change_leader(w, w->calm || draw(w, 2));
	else if (what < 115)
		r->lists_again = true;
	else if (what < 150)
		resume(r);
	else if (what < 170)
		end_late(w, draw(w, 2));
	else if (what < 400 && r->lists_again)
		list(w, r);
	else if (what < 400 && r->position < w->server.count)
		deliver(w, r);
	else if (what < 650)
		end_job(w, r);
	else
		turn(w, r);
}

/* All that is under way arrives, and all that is due is done; false: nothing was. */
static bool settle(struct world *w, struct replica *r)
{
	bool busy = false;

	resume(r);
	for (; r->writer->jobs; busy = true)
		answer(w, r, r->writer->jobs, false);
	if (r->lists_again) {
		list(w, r);
		busy = true;
	}
	for (; r->position < w->server.count; busy = true)
		deliver(w, r);
	while (loop_fire(&r->loop))
		busy = true;
	return busy;
}

static bool is_set_aside(const struct replica *r)
{
	const struct records *records = &r->assigner->records;
	const struct record *record = records_first(records);

	while (record && !(record->work && record->work->failed))
		record = records_next(records, record);
	return record != NULL;
}

void world_come_to_rest(struct world *w)
{
	struct replica *r = &w->replicas[w->leader];

	if (runs(&w->replicas[1 - w->leader]))
		stop(&w->replicas[1 - w->leader]);
	while (w->late)
		end_late(w, false);
	for (unsigned rounds = 0;; rounds++) {
		REQUIRE(w, rounds < 500, "it never comes to rest");
		if (settle(w, r))
			continue;
		/* Only what was set aside may need time; all else comes at once (A09). */
		if (!is_set_aside(r))
			break;
		r->loop.now.ns += SLOW_MS * MS;
	}
	turn(w, r);
}

void world_begin(struct world *w, uint64_t seed)
{
	struct config *configs[MODEL_CONFIGS];

	memcpy(configs, w->configs, sizeof(configs));
	*w = (struct world){.seed = seed, .random = model_random(seed), .calm = seed % 2};
	memcpy(w->configs, configs, sizeof(configs));
	w->config = w->configs[0];
	the_world = w;
	start(w, &w->replicas[0]);
}

void world_end(struct world *w)
{
	for (size_t i = 0; i < 2; i++) {
		if (runs(&w->replicas[i]))
			stop(&w->replicas[i]);
	}
	while (w->late)
		end_late(w, false);
	server_done(&w->server);
}
