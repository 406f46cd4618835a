// SPDX-License-Identifier: Apache-2.0
/*
 * In place of lib/io/loop.c, controller/writer.c, metrics, Events and the log: nothing happens
 * by itself, nothing is sent, nothing is told.
 */
#include "reconcile_fakes.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

/* ---- loop ---- */

struct timer {
	struct loop *loop;
	timer_fn *fn;
	void *context;
	bool running;
	uint64_t due_ns;
	struct timer *next;
};

struct monotime loop_now(struct loop *loop)
{
	return loop->now;
}

struct timer *timer_new(struct loop *loop, timer_fn *fn, void *context)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct timer){.loop = loop, .fn = fn, .context = context, .next = loop->timers};
	loop->timers = timer;
	return timer;
}

void timer_start(struct timer *timer, uint64_t after_ms)
{
	timer->running = true;
	timer->due_ns = timer->loop->now.ns + after_ms * 1000000u;
}

bool timer_is_running(const struct timer *timer)
{
	return timer->running;
}

void timer_free(struct timer *timer)
{
	struct timer **link;

	if (!timer)
		return;
	for (link = &timer->loop->timers; *link != timer;)
		link = &(*link)->next;
	*link = timer->next;
	free(timer);
}

bool loop_fire(struct loop *loop)
{
	for (struct timer *timer = loop->timers; timer; timer = timer->next) {
		if (!timer->running || timer->due_ns > loop->now.ns)
			continue;
		timer->running = false;
		timer->fn(timer->context);
		return true;
	}
	return false;
}

/* ---- writer ---- */

static struct writer *newest;

struct writer *fakes_writer(void)
{
	return newest;
}

struct writer *writer_new(struct program *program, const struct writer_sink *sink, void *context)
{
	newest = xcalloc(1, sizeof(*newest));
	*newest = (struct writer){.program = program, .sink = *sink, .context = context};
	return newest;
}

static void end_job(struct writer_job *job)
{
	struct writer_job **link = &job->writer->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	free(job->path);
	free(job->body);
	free(job);
}

void writer_cancel(struct writer_job *job)
{
	if (!job)
		return;
	world_gives_up(job);
	end_job(job);
}

void writer_free(struct writer *writer)
{
	while (writer->jobs)
		writer_cancel(writer->jobs);
	free(writer);
}

bool writer_is_ready(const struct writer *writer)
{
	return !writer->pausing && writer_jobs(writer) < WRITER_JOBS_MAX;
}

size_t writer_jobs(const struct writer *writer)
{
	size_t count = 0;

	for (const struct writer_job *job = writer->jobs; job; job = job->next)
		count++;
	return count;
}

static struct writer_job *begin(
	struct writer *writer, const char *path, const char *body, void *subject)
{
	struct writer_job *job = xcalloc(1, sizeof(*job));

	*job = (struct writer_job){.writer = writer,
		.subject = subject,
		.path = xstrdup(path),
		.body = body ? xstrdup(body) : NULL,
		.next = writer->jobs};
	writer->jobs = job;
	world_begins(job);
	return job;
}

struct writer_job *writer_patch(
	struct writer *writer, const char *path, const char *body, void *subject)
{
	return begin(writer, path, body, subject);
}

struct writer_job *writer_read(struct writer *writer, const char *path, void *subject)
{
	return begin(writer, path, NULL, subject);
}

void writer_answer(struct writer_job *job, enum writer_outcome outcome, struct service *service)
{
	struct writer *writer = job->writer;
	void *subject = job->subject;
	struct err error = {.text = "refused"};

	end_job(job);
	writer->sink.ended(writer->context, subject, outcome, service, &error);
}

/* ---- what is told and counted ---- */

struct metric *metric_counter(struct metrics *m, const char *name, const char *help, ...)
{
	(void)m, (void)name, (void)help;
	return NULL;
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *help, ...)
{
	(void)m, (void)name, (void)help;
	return NULL;
}

struct metric *metric_histogram(struct metrics *m, const char *name, const char *help,
	const double *bounds, size_t bound_count)
{
	(void)m, (void)name, (void)help, (void)bounds, (void)bound_count;
	return NULL;
}

void metric_set(struct metric *metric, double value)
{
	(void)metric, (void)value;
}

void metric_add(struct metric *metric, double by)
{
	(void)metric, (void)by;
}

void metric_observe(struct metric *metric, double value)
{
	(void)metric, (void)value;
}

void metrics_forget(struct metrics *m, const char *name)
{
	(void)m, (void)name;
}

void kube_event_record(struct kube_events *events, const struct kube_object_ref *about,
	enum kube_event_type type, const char *reason, const char *message)
{
	(void)events, (void)about, (void)type, (void)reason, (void)message;
}

void log_at(struct log *log, enum log_level level, const char *message, ...)
{
	(void)log, (void)level, (void)message;
}
