// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CONTROLLER_WRITER_H
#define HERALD_CONTROLLER_WRITER_H

#include <stdbool.h>

#include "herald/core/objects.h"
#include "herald/kube/program.h"

/*
 * Writes and reads of single Services: at most WRITER_JOBS_MAX at once, and after a
 * failure of the API server none until the back-off has passed (K53). What an outcome
 * means for a Service is the owner's business.
 */
/* Of the 90 streams that kube/http.c opens at most, some are left to the watches and to
   Events. (The Lease's renewal waits for none.) */
#define WRITER_JOBS_MAX 80u

enum writer_outcome {
	WRITER_DONE,	/* *service is the object as it is now */
	WRITER_STALE,	/* 409: it is another than was thought; or an unreadable answer */
	WRITER_GONE,	/* 404 */
	WRITER_UNKNOWN, /* no answer, or not now: the server may have acted all the same */
	WRITER_REFUSED	/* never as it is: *error says why */
};

struct writer;
struct writer_job;

struct writer_sink {
	/* The job has ended. `service` is taken by the callee; NULL but for DONE. */
	void (*ended)(void *context, void *subject, enum writer_outcome outcome,
		struct service *service, const struct err *error);
	void (*ready)(void *context); /* writer_is_ready again after a failure */
};

struct writer *writer_new(struct program *program, const struct writer_sink *sink, void *context);
void writer_free(struct writer *writer); /* cancels its jobs; NULL is allowed */

bool writer_is_ready(const struct writer *writer);
size_t writer_jobs(const struct writer *writer);
/* `path` of the Service; `subject` comes back in `ended`. Only when it is ready. */
struct writer_job *writer_patch(
	struct writer *writer, const char *path, const char *body, void *subject);
struct writer_job *writer_read(struct writer *writer, const char *path, void *subject);
/* `ended` is not called; the server may have acted all the same. NULL is allowed. */
void writer_cancel(struct writer_job *job);

#endif
