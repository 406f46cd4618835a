// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl status: the whole of Herald on one screen, and whether anything is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "grid.h"
#include "herald/kube/lease.h"
#include "verb.h"
#include "view.h"

#define SHOWN_PROBLEMS 20u /* of one kind; the rest is counted */

struct summary {
	const struct view *view;
	char *leader;	 /* NULL: nobody leads */
	size_t speakers; /* alive, of the nodes that there are */
	size_t services, states[SERVICE_ANNOUNCED + 1];
	struct grid problems;
	json_t *problem_list;
};

static void problem(struct summary *s, const char *about, const char *what)
{
	grid_add(&s->problems, about);
	grid_add(&s->problems, what);
	json_array_append_new(
		s->problem_list, json_pack("{s:s, s:s}", "about", about, "problem", what));
}

static void examine_controller(struct summary *s, const struct cluster_options *options)
{
	const struct facts *facts = s->view->facts;
	const struct lease *lease =
		store_find(&facts->of[FACT_LEASE], options->home, CONTROLLER_LEASE);

	s->leader = lease && *lease->holder ? text_clean(xstrdup(lease->holder)) : NULL;
	if (!facts->controller_alive)
		problem(s, "controller",
			lease ? "nobody renews its Lease, so nothing is assigned or released: look "
				"at "
				"the controller's pods and logs"
			      : "it has never led here: is Herald installed, and in this namespace "
				"(--herald-namespace)?");
}

static void examine_nodes(struct summary *s)
{
	const struct store *nodes = &s->view->facts->of[FACT_NODE];
	size_t told = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];
		const struct member *member =
			members_find(s->view->facts->members, node->meta.name);
		AUTO_FREE char *about = xasprintf("node/%s", node->meta.name);

		if (member && member->state == MEMBER_ALIVE && !member->suspicion.dead)
			s->speakers++;
		else if (told++ < SHOWN_PROBLEMS)
			problem(s, about,
				!member ? "no speaker has run there: does the DaemonSet reach it?"
				: member->suspicion.dead ? "its peers have lost it by BFD"
				: member->state == MEMBER_LEAVING
					? "its speaker has stopped in order"
					: "its speaker's Lease has expired: look at its pod");
	}
}

static void examine_services(struct summary *s)
{
	const struct store *services = &s->view->facts->of[FACT_SERVICE];
	size_t told = 0;

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = services->items[i];
		AUTO_FREE char *about =
			xasprintf("service/%s/%s", service->meta.namespace, service->meta.name);
		struct service_health health;

		if (!assign_is_ours(s->view->rules, service))
			continue;
		service_health(s->view, service, &health);
		s->services++;
		s->states[health.state]++;
		if (health.state != SERVICE_ANNOUNCED && told++ < SHOWN_PROBLEMS)
			problem(s, about, health.why);
		service_health_done(&health);
	}
}

static void examine(struct summary *s, const struct cluster_options *options)
{
	static const struct grid_column columns[] = {{.title = "ABOUT"}, {.title = "PROBLEM"}};

	grid_init(&s->problems, columns, 2, 1);
	s->problem_list = json_array();
	if (s->view->config_problem)
		problem(s, "configuration", s->view->config_problem);
	examine_controller(s, options);
	examine_nodes(s);
	examine_services(s);
}

static void print_pools(const struct summary *s)
{
	static const char *const families[2] = {"IPv4", "IPv6"};

	for (size_t i = 0; i < alloc_pool_count(s->view->adoption.alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(s->view->adoption.alloc, i);

		printf("%-15s%s:", i ? "" : "Pools", usage.name);
		for (size_t family = 0; family < 2; family++) {
			if (usage.total[family] > 0)
				printf(" %llu of %.0f %s", (unsigned long long)usage.in_use[family],
					usage.total[family], families[family]);
		}
		putchar('\n');
	}
}

static void print_text(const struct summary *s, const struct cluster_options *options)
{
	size_t nodes = s->view->facts->of[FACT_NODE].count;

	printf("%-15s%s/%s: %s\n", "Configuration", options->home, options->config_map,
		s->view->config ? "good" : "not good");
	printf("%-15s%s%s\n", "Controller", s->leader ? s->leader : "none",
		s->view->facts->controller_alive ? " leads" : "");
	printf("%-15salive on %zu of %zu nodes\n", "Speakers", s->speakers, nodes);
	print_pools(s);
	printf("%-15s%zu", "Services", s->services);
	for (int state = SERVICE_ANNOUNCED; state >= 0; state--) {
		if (s->states[state])
			printf("%s %zu %s", state == SERVICE_ANNOUNCED ? ":" : ",",
				s->states[state], service_state_name((enum service_state)state));
	}
	printf("\n%-15s%zu\n", "Conflicts", s->view->adoption.strangers.count);
	if (grid_rows(&s->problems) > 0) {
		putchar('\n');
		grid_print(&s->problems, stdout, false);
	}
}

static json_t *pools_json(const struct summary *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < alloc_pool_count(s->view->adoption.alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(s->view->adoption.alloc, i);

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:f, s:I, s:f}", "name", usage.name, "ipv4Used",
				      (json_int_t)usage.in_use[0], "ipv4Total", usage.total[0],
				      "ipv6Used", (json_int_t)usage.in_use[1], "ipv6Total",
				      usage.total[1]));
	}
	return list;
}

static json_t *data_of(const struct summary *s)
{
	json_t *states = json_object();

	for (int state = 0; state <= SERVICE_ANNOUNCED; state++)
		json_object_set_new(states, service_state_name((enum service_state)state),
			json_integer((json_int_t)s->states[state]));
	return json_pack(
		"{s:b, s:{s:b, s:s?}, s:{s:b, s:s?}, s:{s:I, s:I}, s:o, s:{s:I, s:o}, s:I, "
		"s:O}",
		"good", grid_rows(&s->problems) == 0, "configuration", "good",
		s->view->config != NULL, "problem", s->view->config_problem, "controller", "alive",
		s->view->facts->controller_alive, "leader", s->leader, "nodes", "total",
		(json_int_t)s->view->facts->of[FACT_NODE].count, "speakersAlive",
		(json_int_t)s->speakers, "pools", pools_json(s), "services", "total",
		(json_int_t)s->services, "states", states, "conflicts",
		(json_int_t)s->view->adoption.strangers.count, "problems", s->problem_list);
}

static int tell(void *context, struct gather *gather)
{
	const struct asking *asking = context;
	struct summary s = {0};
	struct view view;
	int code;

	view_make(gather_facts(gather), &asking->cluster.rules, &view);
	s.view = &view;
	examine(&s, &asking->cluster);
	if (output_is_data(asking->output))
		output_data(data_of(&s), asking->output);
	else
		print_text(&s, &asking->cluster);
	code = grid_rows(&s.problems) > 0 ? VERB_FOUND : VERB_GOOD;
	grid_done(&s.problems);
	free(s.leader);
	json_decref(s.problem_list);
	view_done(&view);
	return code;
}

static const char doc[] =
	"Tells how Herald is: its configuration, controller and speakers, the pools, how many "
	"Services are announced, and everything that is wrong."
	"\vExit codes: 0 all is well, 1 something is wrong, 2 it could not be told, 64 wrong "
	"command line.";

const struct argp status_argp = {NULL, NULL, NULL, doc, asking_children, NULL, NULL};

int status_main(int argc, char **argv)
{
	struct asking asking;

	asking_init(&asking);
	argp_parse(&status_argp, argc, argv, 0, NULL, &asking);
	return with_facts(&asking.cluster, FACTS_ALL, tell, &asking);
}
