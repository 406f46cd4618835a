// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_CLIENT_H
#define HERALD_KUBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/base/log.h"
#include "herald/io/loop.h"
#include "herald/io/metrics.h"
#include "herald/kube/kubeconfig.h"

/*
 * Requests to the API server: one HTTP/2 connection for all of them. Bearer token from
 * a file is read again as it rotates, and once more on 401. Every answer is bounded.
 */
struct kube_client;
struct kube_call;

/* `config` and `log` are borrowed and must outlive the client; `metrics` may be NULL. */
int kube_client_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
	struct log *log, struct metrics *metrics, struct kube_client **ret, struct err *e);
/* Calls under way are cancelled without their callback. */
void kube_client_free(struct kube_client *client);

struct kube_request {
	const char *method;	  /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char *path;	  /* with query, already encoded: "/api/v1/services?limit=500" */
	const char *content_type; /* NULL: application/json; for PATCH one of KUBE_PATCH_* */
	const char *body;	  /* copied; NULL: none */
	size_t body_length;
	uint32_t timeout_ms; /* of the whole exchange; 0: 10 s */
	bool urgent;	     /* it waits for none of the others, as a Lease's renewal must not */
};
#define KUBE_MERGE_PATCH "application/merge-patch+json"
#define KUBE_STRATEGIC_PATCH "application/strategic-merge-patch+json"
#define KUBE_JSON_PATCH "application/json-patch+json"

/*
 * What came back. `status` is the HTTP status, or 0 when there was no answer: then it is
 * unknown whether the server acted. For failures `error` is one sentence that says what
 * was tried and why it failed, for 403 with the RBAC rule that would mend it.
 */
struct kube_response {
	long status;
	const char *body; /* NUL-terminated; of this callback only */
	size_t length;
	const char *reason;	 /* Status.reason: "Conflict", "NotFound", ...; "" when absent */
	uint32_t retry_after_ms; /* from Retry-After or Status.details; 0: not said */
	const struct err *error; /* NULL on 2xx */
};
typedef void kube_done_fn(void *context, const struct kube_response *response);

/* The callback is called exactly once, never from inside kube_call_start. */
struct kube_call *kube_call_start(struct kube_client *client, const struct kube_request *request,
	kube_done_fn *done, void *context);
/* No callback afterwards; the server may have acted all the same. NULL is allowed. */
void kube_call_cancel(struct kube_call *call);

/* Percent-encodes one path segment or query value; malloc'ed. */
char *kube_escape(const char *text);

#endif
