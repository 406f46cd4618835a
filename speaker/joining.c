// SPDX-License-Identifier: Apache-2.0
/*
 * The shell around core/turn: its timer, and what the cluster shows of the others that
 * start. Out: a call when it is our turn, and to the cluster how many more will live.
 */
#include "joining.h"

#include <stdlib.h>

#include "herald/core/elect.h"
#include "herald/core/turn.h"

struct joining {
	struct program *program;
	const char *self;
	void (*due)(void *context);
	void *context;
	struct cluster *cluster; /* NULL: not begun */
	struct timer *timer;
	struct turn turn;
	bool told;
};

static void follow(struct joining *j)
{
	cluster_expect(j->cluster, j->turn.waiting);
	if (j->turn.waiting > 0)
		timer_start(j->timer, monotime_ms_until(loop_now(j->program->loop), j->turn.next));
	if (!j->turn.ours || j->told)
		return;
	j->told = true;
	j->due(j->context);
}

static void on_timer(void *context)
{
	struct joining *j = context;

	turn_step(&j->turn, members_starting(cluster_members(j->cluster)),
		loop_now(j->program->loop));
	follow(j);
}

struct joining *joining_new(
	struct program *program, const char *self, void (*due)(void *context), void *context)
{
	struct joining *j = xcalloc(1, sizeof(*j));

	j->program = program;
	j->self = self;
	j->due = due;
	j->context = context;
	j->timer = timer_new(program->loop, on_timer, j);
	return j;
}

void joining_free(struct joining *joining)
{
	if (!joining)
		return;
	timer_free(joining->timer);
	free(joining);
}

void joining_begin(struct joining *joining, struct cluster *cluster)
{
	struct monotime now = loop_now(joining->program->loop);

	if (joining->cluster)
		return;
	joining->cluster = cluster;
	turn_begin(&joining->turn, elect_node_hash(joining->self) ^ now.ns,
		cluster_node_count(cluster), now);
	follow(joining);
}
