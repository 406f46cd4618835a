// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_EVENT_H
#define HERALD_KUBE_EVENT_H

#include "herald/kube/client.h"

/*
 * Kubernetes Events (core/v1, in the object's namespace; "default" for cluster-wide
 * ones). Repeats of the same (object, reason, message) are aggregated into one Event
 * whose count rises, and each object has a rate limit (token bucket: 25, one a 300 s),
 * so that no loop of ours can flood etcd (C24). Best effort: a failure is logged once.
 */
struct kube_events;

struct kube_events *kube_events_new(struct kube_client *client, struct loop *loop,
	const char *component, const char *instance, struct log *log);
/* What is queued and not sent is dropped. */
void kube_events_free(struct kube_events *events);

struct kube_object_ref {
	const char *api_version, *kind; /* "v1", "Service" */
	const char *namespace, *name, *uid;
};

enum kube_event_type { KUBE_EVENT_NORMAL, KUBE_EVENT_WARNING };
void kube_event_record(struct kube_events *events, const struct kube_object_ref *about,
	enum kube_event_type type, const char *reason, const char *message);

#endif
