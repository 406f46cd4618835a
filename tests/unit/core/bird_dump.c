// SPDX-License-Identifier: Apache-2.0
/*
 * For tests/bird: prints what BIRD would be given. In: any number of pairs, a configuration
 * and a cluster (bgp_scene.h), each ended by a NUL. Out: for each pair the text, ended by a
 * NUL, after "problem ..." lines in comments; or "refused" with the configuration's problems.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp_scene.h"
#include "herald/base/err.h"
#include "herald/core/bird_config.h"

static void print_text(const struct config *config, const char *scene_text)
{
	struct bgp_scene *scene = bgp_scene_new(config, scene_text);
	struct bgp_plan *plan = bgp_plan_make(bgp_scene_input(scene));
	AUTO_FREE char *text = bird_config_text(&(struct bird_wants){.bgp = plan});

	for (size_t i = 0; plan && i < plan->problem_count; i++)
		printf("# problem %s\n", plan->problems[i].text);
	fputs(text, stdout);
	bgp_plan_free(plan);
	bgp_scene_free(scene);
}

static void print_pair(const char *config_text, const char *scene_text)
{
	struct config_problems problems = {0};
	struct config *config = config_parse(config_text, strlen(config_text), &problems);

	if (config)
		print_text(config, scene_text);
	else
		puts("refused");
	for (size_t i = 0; i < problems.count; i++)
		printf("%u %s: %s\n", problems.items[i].line, problems.items[i].field,
			problems.items[i].text);
	config_problems_done(&problems);
	config_free(config);
	putchar('\0');
	fflush(stdout);
}

/* False: nothing follows. */
static bool read_part(char **part, size_t *room)
{
	return getdelim(part, room, '\0', stdin) > 0;
}

int main(void)
{
	AUTO_FREE char *config = NULL, *scene = NULL;
	size_t config_room = 0, scene_room = 0;

	while (read_part(&config, &config_room) && read_part(&scene, &scene_room))
		print_pair(config, scene);
	return 0;
}
