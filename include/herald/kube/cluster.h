// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_KUBE_CLUSTER_H
#define HERALD_KUBE_CLUSTER_H

#include "herald/core/members.h"
#include "herald/core/plan.h"
#include "herald/kube/program.h"
#include "herald/kube/store.h"

/*
 * What a plan is made of: the Services, EndpointSlices, Nodes and speakers' Leases,
 * watched. Of Services only those that have an external address are kept, unless others are
 * asked for.
 */
struct cluster;

struct cluster_sink {
	void (*changed)(void *context);	       /* something that the plan depends on */
	void (*lease_seen)(void *context);     /* our own Lease was renewed */
	void (*timing_changed)(void *context); /* see cluster_timing */
	/* Once, before `changed`: the first list of Leases is complete. */
	void (*leases_known)(void *context);
};

/* `self`: this node; "": on none. */
struct cluster *cluster_new(
	struct program *program, const char *self, const struct cluster_sink *sink, void *context);
/* For one who shows all there is, right after cluster_new: Services that wait for an address
   are kept, too, and `changed` tells of every EndpointSlice and of BGP peers. */
void cluster_see_all(struct cluster *cluster);
/* Whether all Services with a cluster IP are kept. */
void cluster_want_cluster_ips(struct cluster *cluster, bool wanted);
void cluster_free(struct cluster *cluster); /* NULL is allowed */

bool cluster_is_synced(const struct cluster *cluster);
void cluster_set_timing(struct cluster *cluster, const struct config_membership *configured);
/* So many more speakers will live soon (core/turn.h). */
void cluster_expect(struct cluster *cluster, size_t more);
size_t cluster_node_count(const struct cluster *cluster);
/* How our Lease is to be kept: as configured, stretched where many speakers live. */
struct member_timing cluster_timing(const struct cluster *cluster);
const struct members *cluster_members(const struct cluster *cluster);
/* NULL: there is none of this name. */
const struct node *cluster_node(const struct cluster *cluster, const char *name);
/* Our own Lease was not seen renewed for its duration: others may have taken over. */
bool cluster_has_lapsed(const struct cluster *cluster);
/* The node of which a speaker says that it has this MAC address; NULL: none. */
const char *cluster_node_with_mac(
	const struct cluster *cluster, const uint8_t mac[static MAC_SIZE]);
bool cluster_in_contact(const struct cluster *cluster);
/* At start our own Lease was still valid: nobody can have taken over meanwhile. */
bool cluster_was_valid_at_start(const struct cluster *cluster);

/* Services, slices, nodes and members of *input; valid until the loop turns. */
void cluster_fill(const struct cluster *cluster, struct plan_input *input);

#endif
