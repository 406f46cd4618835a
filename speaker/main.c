// SPDX-License-Identifier: Apache-2.0
/*
 * herald-speaker: answers for Service addresses from this node. In: the command line.
 * Out: an exit code: 0 after a clean stop, 1 on failure, 64 for a wrong command line.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "speaker.h"

#define DEFAULT_LISTEN "127.0.0.1:7473"

struct arguments {
	struct program_options program;
	struct speaker_options speaker;
};

enum option_key {
	OPTION_NODE = 0x200,
	OPTION_CLASS,
	OPTION_UNSET,
	OPTION_BIRD_SOCKET,
	OPTION_BIRD_INCLUDE,
	OPTION_DAEMONSET
};

static const struct argp_option options[] = {
	{"node-name", OPTION_NODE, "NAME", 0, "The name of this node's Node object ($NODE_NAME)",
		0},
	{"load-balancer-class", OPTION_CLASS, "CLASS", 0,
		"Announce Services of this loadBalancerClass; without it, those that have none", 0},
	{"handle-unset-class", OPTION_UNSET, NULL, 0,
		"With --load-balancer-class: also Services without a class", 0},
	{"bird-socket", OPTION_BIRD_SOCKET, "PATH", 0, "BIRD's control socket, for BFD and BGP", 0},
	{"bird-include", OPTION_BIRD_INCLUDE, "PATH", 0,
		"The file that BIRD's configuration includes and this program writes", 0},
	{"daemonset", OPTION_DAEMONSET, "NAME", 0,
		"With --bird-include: the DaemonSet whose end is this program's end for good", 0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->program;
		return 0;
	case OPTION_NODE:
		arguments->speaker.node = value;
		return 0;
	case OPTION_CLASS:
		arguments->speaker.class.name = value;
		return 0;
	case OPTION_UNSET:
		arguments->speaker.class.handle_unset = true;
		return 0;
	case OPTION_BIRD_SOCKET:
		arguments->speaker.bird_socket = value;
		return 0;
	case OPTION_BIRD_INCLUDE:
		arguments->speaker.bird_include = value;
		return 0;
	case OPTION_DAEMONSET:
		arguments->speaker.daemonset = value;
		return 0;
	case ARGP_KEY_END:
		if (arguments->speaker.daemonset && !arguments->speaker.bird_include)
			argp_error(state, "--daemonset is of use with --bird-include alone");
		if (!arguments->speaker.bird_socket != !arguments->speaker.bird_include)
			argp_error(state, "--bird-socket and --bird-include belong together: give "
					  "both, or none");
		if (!arguments->speaker.node || !*arguments->speaker.node)
			argp_error(state,
				"the node's name is missing: give --node-name, or $NODE_NAME");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(struct program *program, const struct arguments *arguments, struct err *e)
{
	struct speaker *speaker = NULL;
	int r = program_start(
		program, "herald-speaker", arguments->speaker.node, &arguments->program, e);

	if (r == 0)
		r = speaker_new(program, &arguments->speaker, &wire_pcap, &speaker, e);
	if (r == 0) {
		log_info(program->log, "started", "version", HERALD_VERSION, "node",
			arguments->speaker.node, NULL);
		r = program_run(program, speaker_stop, speaker,
			SPEAKER_STOP_MS + (arguments->speaker.daemonset ? SPEAKER_LEAVE_MS : 0));
	}
	speaker_free(speaker);
	return r;
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&program_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options, parse, NULL,
		"Answers ARP and neighbour discovery for the addresses of Services of type "
		"LoadBalancer that this node owns.",
		children, NULL, NULL};
	struct arguments arguments = {.speaker.node = getenv("NODE_NAME")};
	struct program program = {0};
	struct err e;
	int r;

	argp_program_version = "herald-speaker " HERALD_VERSION;
	program_options_init(&arguments.program, DEFAULT_LISTEN);
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	r = run(&program, &arguments, &e);
	if (r < 0)
		fprintf(stderr, "herald-speaker: %s\n", e.text);
	program_done(&program);
	return r == 0 ? 0 : 1;
}
