// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_VERDICTS_H
#define HERALD_SPEAKER_VERDICTS_H

#include <stdbool.h>

#include "herald/kube/cluster.h"
#include "herald/kube/program.h"

/* Telling people once of each node that counts as dead by BFD, and when it does no more. */
struct verdicts;

struct verdicts *verdicts_new(struct program *program);
void verdicts_free(struct verdicts *verdicts); /* NULL is allowed */
/* `speak`: record Events; to be set on one node only. */
void verdicts_follow(struct verdicts *verdicts, const struct cluster *cluster, bool speak);

#endif
