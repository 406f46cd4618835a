// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_LEASE_H
#define HERALD_KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/monotime.h"
#include "herald/kube/client.h"

/*
 * Holding one Lease (coordination/v1): created when missing, taken over when its holder
 * let it expire by OUR monotonic clock since we last saw it change, renewed with
 * resourceVersion as precondition, released at the end (K58). Serves leader election
 * (several candidates) and membership (one candidate, one Lease a node) alike.
 *
 * `held` is called on winning; `lost` when the lease could not be renewed within its
 * duration less a margin, or another holds it: from then on nothing may be written in
 * its name. Acquiring goes on by itself afterwards.
 */
#define CONTROLLER_LEASE "herald-controller" /* its holder is the controller at work */

struct kube_lease_options {
	const char *namespace, *name; /* copied */
	const char *identity;	      /* holderIdentity; copied */
	uint32_t duration_ms;	      /* sent rounded up to seconds */
	uint32_t renew_ms;	      /* interval between renewals; jittered by 10% */
	const char *labels_json;      /* JSON object put in metadata.labels, or NULL; copied */
};
struct kube_lease_sink {
	void (*held)(void *context);
	void (*lost)(void *context, const char *why);
	void (*failing)(void *context, const struct err *error);
	void (*written)(void *context); /* kube_lease_written is another; NULL is allowed */
};

struct kube_lease;
struct kube_lease *kube_lease_new(struct kube_client *client, struct loop *loop,
	const struct kube_lease_options *options, const struct kube_lease_sink *sink,
	void *context);
bool kube_lease_is_held(const struct kube_lease *lease);
/* From the next write on; it is not hurried. */
void kube_lease_set_timing(struct kube_lease *lease, uint32_t duration_ms, uint32_t renew_ms);
/* These annotations (JSON object) go out with the next renewal; null takes one away. */
void kube_lease_set_annotations(struct kube_lease *lease, const char *annotations_json);
/* The same, and the renewal is now rather than at the next interval. */
void kube_lease_annotate(struct kube_lease *lease, const char *annotations_json);
/* Where it is created from now on it goes with this Node: Kubernetes deletes it once there is
   none of this uid. A Lease that exists is left as it is, for some clusters allow changing
   owners only to who may delete; whose Node was made anew is deleted, and created again. */
void kube_lease_set_owner(struct kube_lease *lease, const char *node, const char *uid);
/* Renews it now rather than at the next interval. */
void kube_lease_renew(struct kube_lease *lease);
/* True where this is the version that our last write made: then *ret is when it was sent. */
bool kube_lease_written(
	const struct kube_lease *lease, const char *resource_version, struct monotime *ret);
/* Gives it up (no holderIdentity), then calls done, from the loop; also when that failed
   for 2 s. `lost` is not called; it is not held from now on. */
void kube_lease_release(struct kube_lease *lease, void (*done)(void *context), void *context);
void kube_lease_free(struct kube_lease *lease); /* does not release; NULL is allowed */

#endif
