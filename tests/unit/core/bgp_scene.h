// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_TESTS_BGP_SCENE_H
#define HERALD_TESTS_BGP_SCENE_H

#include "herald/core/bgp_plan.h"

/*
 * A small cluster as text, a line for each thing, words between blanks:
 *
 *     self NODE                          whose plan it is; "node1" where not said
 *     node NAME [ADDRESS|KEY=VALUE|FLAG]...   flags: notready deleting cordoned shutdown
 *                                             nospeaker
 *     service NAME [ADDRESS|KEY=VALUE|external:ADDRESS|cluster:ADDRESS|POLICY]...
 *                                             policies: local internal (Local of the kind)
 *     endpoint SERVICE NODE [ready|terminating|notready] [v6] [ID]
 *     secret NAME PASSWORD
 *     nosecret NAME WHY...
 *     oldsecret NAME WHY...              the same, but there is a password from before
 *     drain shutdown|withdraw
 *
 * Services are in the namespace "default". Dies on a line that it does not know.
 */
struct bgp_scene; /* opaque */

struct bgp_scene *bgp_scene_new(const struct config *config, const char *text);
void bgp_scene_free(struct bgp_scene *scene);
const struct bgp_plan_input *bgp_scene_input(const struct bgp_scene *scene);

/* The plan as lines: sessions' names, routes with what they say to whom, addresses with
   their verdicts, problems. malloc'ed. */
char *bgp_plan_show(const struct bgp_plan *plan);

#endif
