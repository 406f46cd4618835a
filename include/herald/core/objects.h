// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_OBJECTS_H
#define HERALD_CORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"

/*
 * The Kubernetes objects that Herald reads, reduced to the fields it keeps. They come
 * from kube/decode.h; each is ONE malloc'ed block with all that it points to inside, so
 * that x_free is free() and memory follows the fields kept. Strings are never NULL
 * unless "NULL:" says what that means.
 */

/* Identity and what every object has (meta/v1 ObjectMeta). */
struct object_meta {
	const char *namespace; /* "" for cluster-wide objects */
	const char *name;
	const char *uid;
	const char *resource_version; /* opaque; sent back as precondition */
	int64_t created_unix;	      /* creationTimestamp, seconds; 0 absent */
	bool deleting;		      /* deletionTimestamp is set */
};

struct string_pair {
	const char *key, *value;
};

/* Sorted by key, keys are unique. */
struct string_map {
	const struct string_pair *pairs;
	uint32_t count;
};
/* NULL when the key is absent. */
const char *string_map_get(const struct string_map *map, const char *key);

enum service_type {
	SERVICE_CLUSTER_IP,
	SERVICE_NODE_PORT,
	SERVICE_LOAD_BALANCER,
	SERVICE_EXTERNAL_NAME
};
enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_OTHER };
enum family_policy { FAMILY_SINGLE, FAMILY_PREFER_DUAL, FAMILY_REQUIRE_DUAL };

struct service_port {
	uint16_t port, node_port; /* node_port 0: none */
	uint8_t protocol;	  /* enum protocol */
};

struct service_ingress {
	struct ip ip;	  /* IP_NONE: a hostname, or text that is no address */
	bool canonical;	  /* the text was ip_text(ip) */
	bool ip_mode_vip; /* ipMode absent counts as not set */
	bool ip_mode_set;
	bool has_ports; /* ports[] present (another implementation's, or ours) */
};

/* Condition types of ours begin with "herald.io/"; others' are not kept. */
struct condition {
	const char *type, *status, *reason, *message;
};

#define SERVICE_FINALIZER "service.kubernetes.io/load-balancer-cleanup"

struct service {
	struct object_meta meta;
	enum service_type type;
	bool has_finalizer;		 /* SERVICE_FINALIZER is among the finalizers */
	const char *load_balancer_class; /* NULL: unset */
	const char *load_balancer_ip;	 /* spec.loadBalancerIP as written; "" unset */
	uint8_t families[2]; /* enum ip_family, in the Service's order; from clusterIPs when
				ipFamilies is empty (K27); [1] is IP_NONE for one family */
	enum family_policy family_policy;
	bool traffic_local;  /* externalTrafficPolicy: Local */
	bool internal_local; /* internalTrafficPolicy: Local */
	const struct ip *external_ips;
	const struct ip *cluster_ips;
	const struct service_port *ports;
	const struct service_ingress *ingress; /* status.loadBalancer.ingress */
	const struct condition *conditions;    /* ours in status.conditions */
	uint32_t external_ip_count, cluster_ip_count;
	uint16_t port_count, ingress_count, condition_count;
	struct string_map labels;
	struct string_map selector;    /* spec.selector */
	struct string_map annotations; /* only keys under herald.io/, metallb.io/ and
					  metallb.universe.tf/ are kept */
};

struct node {
	struct object_meta meta;
	bool ready;		    /* condition Ready is True */
	bool network_unavailable;   /* condition NetworkUnavailable is True */
	bool unschedulable;	    /* cordoned */
	bool to_be_deleted;	    /* taint ToBeDeletedByClusterAutoscaler */
	bool out_of_service;	    /* taint node.kubernetes.io/out-of-service */
	bool shutting_down;	    /* Ready is False because the node is shutting down */
	const struct ip *addresses; /* InternalIP and ExternalIP */
	uint16_t address_count;
	struct string_map labels;
};

/* K39: present means excluded, unless the value parses as boolean false. */
bool node_is_excluded_from_load_balancers(const struct node *node);
/* The label herald.io/drain, read in the same way: nothing is announced from there. */
bool node_is_drained(const struct node *node);

struct endpoint {
	const char *node; /* nodeName; "" when absent */
	uint32_t id; /* hash of its first address: the same one in another slice is known again */
	bool ready, serving, terminating; /* absent: true, true, false (K43) */
};

struct endpoint_slice {
	struct object_meta meta;
	const char *service; /* label kubernetes.io/service-name; "" when absent */
	uint8_t family;	     /* IP_NONE for FQDN slices */
	const struct endpoint *endpoints;
	uint32_t endpoint_count;
};

/* coordination/v1 Lease. Times are not parsed: expiry is judged by the reader's clock. */
struct lease {
	struct object_meta meta;
	const char *holder;	/* spec.holderIdentity; "" when absent */
	const char *renew_time; /* spec.renewTime as written; "" when absent */
	uint32_t duration_s;	/* spec.leaseDurationSeconds; 0 when absent */
	uint32_t transitions;
	struct string_map labels;
	struct string_map annotations; /* herald.io/ only */
};

/* core/v1 ConfigMap: one key's value is kept, chosen by the caller of the decoder. */
struct config_map {
	struct object_meta meta;
	const char *text; /* NULL: the key is missing */
	size_t length;
};

struct namespace
{
	struct object_meta meta;
	struct string_map labels;
};

#endif
