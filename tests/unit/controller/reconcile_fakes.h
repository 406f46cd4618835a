// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_FAKES_H
#define HERALD_TESTS_UNIT_CONTROLLER_RECONCILE_FAKES_H

#include "herald/kube/program.h"
#include "writer.h"

/*
 * What stands around the assigner in the program, in the test's hands: a loop whose time and
 * timers the test moves on, and a writer whose exchanges the test answers when it likes.
 */
struct loop {
	struct monotime now;
	struct timer *timers;
};
/* Runs one timer that is due; false: none is. */
bool loop_fire(struct loop *loop);

struct writer_job {
	struct writer *writer;
	void *subject;
	char *path, *body; /* body NULL: a read */
	struct writer_job *next;
};

struct writer {
	struct program *program;
	struct writer_sink sink;
	void *context;
	struct writer_job *jobs;
	bool pausing; /* not ready */
};
struct writer *fakes_writer(void); /* the one made last */
/* The job is over: its answer goes to the assigner. The job is freed. */
void writer_answer(struct writer_job *job, enum writer_outcome outcome, struct service *service);

/* The test's: an exchange begins; one is given up, which may act all the same. */
void world_begins(struct writer_job *job);
void world_gives_up(struct writer_job *job);

#endif
