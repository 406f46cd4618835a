// SPDX-License-Identifier: Apache-2.0
/*
 * Exchanges about one Service with the API server, their number, and the pause after a
 * failure. In: a path, a body. Out: what became of it. Decides nothing about Services.
 */
#include "writer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "herald/kube/backoff.h"
#include "herald/kube/decode.h"
#include "herald/kube/json_object.h"

#define TIMEOUT_MS 5000u

struct writer_job {
	struct writer *writer;
	struct kube_call *call;
	void *subject;
	bool writes;
	struct writer_job *previous, *next;
};

struct writer {
	struct program *program;
	struct writer_sink sink;
	void *context;
	struct writer_job *jobs;
	size_t job_count;
	struct timer *pause; /* runs: not ready */
	struct backoff backoff;
	char told[sizeof(((struct err *)0)->text)]; /* the last failure, logged once */
	struct metric *outcomes[WRITER_REFUSED + 1];
};

static void on_pause_over(void *context)
{
	struct writer *writer = context;

	writer->sink.ready(writer->context);
}

struct writer *writer_new(struct program *program, const struct writer_sink *sink, void *context)
{
	static const char *const names[] = {"done", "conflict", "gone", "unknown", "refused"};
	struct writer *writer = xcalloc(1, sizeof(*writer));

	writer->program = program;
	writer->sink = *sink;
	writer->context = context;
	writer->backoff = (struct backoff){.base_ms = 100, .max_ms = 15000};
	writer->pause = timer_new(program->loop, on_pause_over, writer);
	for (size_t i = 0; i <= WRITER_REFUSED; i++)
		writer->outcomes[i] =
			metric_counter(program->metrics, "herald_controller_service_requests_total",
				"Writes and reads of single Services, by what became of them.",
				"outcome", names[i], NULL);
	return writer;
}

static void unlink_job(struct writer_job *job)
{
	struct writer *writer = job->writer;

	if (job->next)
		job->next->previous = job->previous;
	if (job->previous)
		job->previous->next = job->next;
	else
		writer->jobs = job->next;
	writer->job_count--;
	free(job);
}

void writer_cancel(struct writer_job *job)
{
	if (!job)
		return;
	kube_call_cancel(job->call);
	unlink_job(job);
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	while (writer->jobs)
		writer_cancel(writer->jobs);
	timer_free(writer->pause);
	free(writer);
}

bool writer_is_ready(const struct writer *writer)
{
	return !timer_is_running(writer->pause) && writer->job_count < WRITER_JOBS_MAX;
}

size_t writer_jobs(const struct writer *writer)
{
	return writer->job_count;
}

static enum writer_outcome outcome_of(const struct kube_response *response)
{
	long status = response->status;

	if (!response->error)
		return WRITER_DONE;
	if (status == 404)
		return WRITER_GONE;
	if (status == 409)
		return WRITER_STALE;
	/* Credentials and rights are mended by others, in time. */
	if (status == 0 || status == 401 || status == 403 || status == 429 || status >= 500)
		return WRITER_UNKNOWN;
	return WRITER_REFUSED;
}

static int decode(const struct kube_response *response, struct service **ret, struct err *e)
{
	json_t *object = NULL;
	int r = kube_json_object_load(response->body, response->length, &object, e);

	if (r == 0)
		r = kube_decode_service(object, ret, e);
	json_decref(object);
	return r;
}

static void note_health(struct writer *writer, bool wrote, enum writer_outcome outcome,
	const struct kube_response *response)
{
	uint32_t luck = 0;

	if (outcome != WRITER_UNKNOWN) {
		/* Reads may work where writes are not allowed. */
		if (!wrote)
			return;
		backoff_reset(&writer->backoff);
		writer->told[0] = '\0';
		return;
	}
	if (getrandom(&luck, sizeof(luck), 0) != sizeof(luck))
		DIE("getrandom failed");
	if (!timer_is_running(writer->pause))
		timer_start(writer->pause,
			backoff_next_ms(&writer->backoff, response->retry_after_ms, luck));
	if (strcmp(writer->told, response->error->text) == 0)
		return;
	snprintf(writer->told, sizeof(writer->told), "%s", response->error->text);
	log_warn(writer->program->log, "cannot write now, retrying", "error", response->error->text,
		NULL);
}

static void on_done(void *context, const struct kube_response *response)
{
	struct writer_job *job = context;
	struct writer *writer = job->writer;
	void *subject = job->subject;
	bool wrote = job->writes;
	enum writer_outcome outcome = outcome_of(response);
	const struct err *error = response->error;
	struct service *service = NULL;
	struct err why;

	unlink_job(job);
	note_health(writer, wrote, outcome, response);
	if (outcome == WRITER_DONE && decode(response, &service, &why) < 0) {
		/* What became of a write is read; what can't be read would be the same again. */
		outcome = wrote ? WRITER_STALE : WRITER_REFUSED;
		error = &why;
	}
	metric_add(writer->outcomes[outcome], 1);
	writer->sink.ended(writer->context, subject, outcome, service, error);
}

static struct writer_job *start(
	struct writer *writer, const struct kube_request *request, void *subject)
{
	struct writer_job *job = xcalloc(1, sizeof(*job));

	job->writer = writer;
	job->subject = subject;
	job->writes = request->body != NULL;
	job->next = writer->jobs;
	if (writer->jobs)
		writer->jobs->previous = job;
	writer->jobs = job;
	writer->job_count++;
	job->call = kube_call_start(writer->program->client, request, on_done, job);
	return job;
}

struct writer_job *writer_patch(
	struct writer *writer, const char *path, const char *body, void *subject)
{
	AUTO_FREE char *status_path = xasprintf("%s/status", path);
	const struct kube_request request = {
		.method = "PATCH",
		.path = status_path,
		.content_type = KUBE_STRATEGIC_PATCH,
		.body = body,
		.body_length = strlen(body),
		.timeout_ms = TIMEOUT_MS,
	};

	return start(writer, &request, subject);
}

struct writer_job *writer_read(struct writer *writer, const char *path, void *subject)
{
	const struct kube_request request = {
		.method = "GET", .path = path, .timeout_ms = TIMEOUT_MS};

	return start(writer, &request, subject);
}
