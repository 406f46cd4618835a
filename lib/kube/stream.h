// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_LIB_KUBE_STREAM_H
#define HERALD_LIB_KUBE_STREAM_H

#include "herald/kube/client.h"

/* The parts of a client that its watches need. */

/* As kube_call_start, but a 2xx answer's body is not collected: it goes to `data` as it
   comes, unbounded. False from `data`: the call ends, failed. */
struct kube_call *kube_stream_start(struct kube_client *client, const struct kube_request *request,
	bool (*data)(void *context, const char *bytes, size_t length), kube_done_fn *done,
	void *context);

struct loop *kube_client_loop(const struct kube_client *client);
struct log *kube_client_log(const struct kube_client *client);
struct metrics *kube_client_metrics(const struct kube_client *client); /* may be NULL */

#endif
