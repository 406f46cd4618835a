// SPDX-License-Identifier: Apache-2.0
/*
 * herald-controller: assigns addresses to Services. In: the command line. Out: an exit
 * code: 0 after a clean stop, 1 on failure, 64 for a wrong command line.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controller.h"

#define DEFAULT_LISTEN "127.0.0.1:7472"
#define HOST_NAME_SIZE 256

struct arguments {
	struct program_options program;
	struct controller_options controller;
};

enum option_key { OPTION_IDENTITY = 0x200, OPTION_CLASS, OPTION_UNSET };

static const struct argp_option options[] = {
	{"identity", OPTION_IDENTITY, "NAME", 0,
		"This replica's name in the election ($POD_NAME, else the host's name)", 0},
	{"load-balancer-class", OPTION_CLASS, "CLASS", 0,
		"Serve Services of this loadBalancerClass; without it, those that have none", 0},
	{"handle-unset-class", OPTION_UNSET, NULL, 0,
		"With --load-balancer-class: also Services without a class", 0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->program;
		return 0;
	case OPTION_IDENTITY:
		arguments->controller.identity = value;
		return 0;
	case OPTION_CLASS:
		arguments->controller.rules.class = value;
		return 0;
	case OPTION_UNSET:
		arguments->controller.rules.handle_unset = true;
		return 0;
	case ARGP_KEY_END:
		if (!*arguments->controller.identity)
			argp_error(state, "the replica's name is empty: give --identity");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(struct program *program, const struct arguments *arguments, struct err *e)
{
	struct controller *controller;
	int r = program_start(program, "herald-controller", arguments->controller.identity,
		&arguments->program, e);

	if (r != 0)
		return r;
	controller = controller_new(program, &arguments->controller);
	log_info(program->log, "started", "version", HERALD_VERSION, "identity",
		arguments->controller.identity, NULL);
	r = program_run(program, controller_stop, controller, CONTROLLER_STOP_MS);
	controller_free(controller);
	return r;
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&program_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options, parse, NULL,
		"Assigns addresses to Services of type LoadBalancer from the pools of Herald's "
		"ConfigMap.",
		children, NULL, NULL};
	char host[HOST_NAME_SIZE] = "";
	struct arguments arguments = {.controller.identity = getenv("POD_NAME")};
	struct program program = {0};
	struct err e;
	int r;

	argp_program_version = "herald-controller " HERALD_VERSION;
	gethostname(host, sizeof(host) - 1);
	if (!arguments.controller.identity)
		arguments.controller.identity = host;
	program_options_init(&arguments.program, DEFAULT_LISTEN);
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	r = run(&program, &arguments, &e);
	if (r < 0)
		fprintf(stderr, "herald-controller: %s\n", e.text);
	program_done(&program);
	return r == 0 ? 0 : 1;
}
