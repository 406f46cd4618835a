// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_REMOVAL_H
#define HERALD_SPEAKER_REMOVAL_H

#include "herald/kube/program.h"

/*
 * Is a speaker that is told to stop restarted, or removed for good (B05)? Kubernetes tells
 * both in the same way; the difference is that its DaemonSet is gone, or going. Where it
 * can't be asked for any more, though it could when we started, our rights are gone with it.
 */
struct removal;

/* `daemonset` and `include` are borrowed; a word for BIRD's script is left beside `include`. */
struct removal *removal_new(struct program *program, const char *daemonset, const char *include);
void removal_free(struct removal *removal); /* NULL is allowed */

/* Once; the answer comes within REMOVAL_MS, and where nobody answers it is a restart. */
#define REMOVAL_MS 1500u
void removal_ask(
	struct removal *removal, void (*answered)(void *context, bool removed), void *context);
/* Tells BIRD's script what this stop was (config/bgp/run.yaml). */
void removal_leave_word(const struct removal *removal, bool removed);

#endif
