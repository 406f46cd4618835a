// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BFD_H
#define HERALD_SPEAKER_BFD_H

#include <jansson.h>
#include <stdbool.h>

#include "bird_include.h"
#include "herald/core/bfd_watch.h"
#include "herald/core/config.h"
#include "herald/kube/program.h"
#include "ports.h"

/*
 * This node's part in BFD: has BIRD keep sessions with the node's peers on the ring, looks
 * at them twice in an interval, and says in the node's Lease that it takes part and whom
 * it suspects. What follows from suspicions is decided by members (core/suspicion.h).
 */
struct bfd;

struct bfd_sink {
	void (*changed)(void *context); /* bfd_annotate says something else: to be told at once */
	bool (*has_lapsed)(void *context); /* our own Lease */
	/* All our peers were lost, and one is back: it was us who were cut off, perhaps. */
	void (*peer_returned)(void *context);
};

/* `include` is borrowed; NULL: there is no BIRD, and BFD in the configuration a problem. */
struct bfd *bfd_new(struct program *program, const char *self, struct bird_include *include,
	const struct bfd_sink *sink, void *context);
void bfd_free(struct bfd *bfd); /* NULL is allowed */

/* What it depends on, after any of it changed; `node` is ours, NULL: unknown yet. */
struct bfd_facts {
	const struct config_bfd *config;
	const struct members *members;
	const struct node *node;
	const struct ports *ports;
};
void bfd_follow(struct bfd *bfd, const struct bfd_facts *facts);

/* BIRD is in force or not any more, or has another problem. */
void bfd_bird_changed(struct bfd *bfd);

/* Adds what our Lease is to say. */
void bfd_annotate(const struct bfd *bfd, json_t *annotations);
/* For the status page; a new reference. */
json_t *bfd_status(const struct bfd *bfd);

#endif
