// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_SPEAKER_H
#define HERALD_SPEAKER_SPEAKER_H

#include "bfd.h"
#include "bgp.h"
#include "herald/io/wire.h"
#include "herald/kube/cluster.h"
#include "herald/kube/program.h"
#include "layer2.h"

/*
 * The speaker of one node: watches the cluster, keeps the plan, holds the node's Lease,
 * and has layer 2 carry the plan out.
 */
struct speaker_options {
	const char *node;			/* --node-name, $NODE_NAME */
	struct plan_class class;		/* --load-balancer-class, --handle-unset-class */
	const char *bird_socket, *bird_include; /* --bird-socket, --bird-include; NULL: no BIRD */
	const char *daemonset;			/* --daemonset; NULL: every stop is a restart */
};

struct speaker;

/* `program` and `options` are borrowed; `driver` is wire_pcap, or a fake. */
int speaker_new(struct program *program, const struct speaker_options *options,
	const struct wire_driver *driver, struct speaker **ret, struct err *e);
void speaker_free(struct speaker *speaker); /* NULL is allowed */

/* Hands over and releases the Lease, then stops the loop; within SPEAKER_STOP_MS. Where it is
   removed for good, BGP's routes are withdrawn before, within SPEAKER_LEAVE_MS more. */
#define SPEAKER_STOP_MS 6000u
#define SPEAKER_LEAVE_MS 20000u
void speaker_stop(void *speaker);

/* For the status page. */
const char *speaker_node(const struct speaker *speaker);
const struct plan *speaker_plan(const struct speaker *speaker); /* NULL: none yet */
const struct layer2 *speaker_layer2(const struct speaker *speaker);
const struct cluster *speaker_cluster(const struct speaker *speaker);
const struct bfd *speaker_bfd(const struct speaker *speaker);
const struct bgp *speaker_bgp(const struct speaker *speaker);

#endif
