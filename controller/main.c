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
#include "herald/io/listen.h"
#include "page.h"

#define DEFAULT_LISTEN "127.0.0.1:7472"
#define HOST_NAME_SIZE 256
#define RETRY_DEFAULT_S 60u
#define RETRY_MAX_S 3600u

struct arguments {
	struct program_options program;
	struct controller_options controller;
	struct page_options page;
};

enum option_key {
	OPTION_IDENTITY = 0x200,
	OPTION_CLASS,
	OPTION_UNSET,
	OPTION_RETRY,
	OPTION_PAGE,
	OPTION_PAGE_TOKEN
};

static const struct argp_option options[] = {
	{"identity", OPTION_IDENTITY, "NAME", 0,
		"This replica's name in the election ($POD_NAME, else the host's name)", 0},
	{"load-balancer-class", OPTION_CLASS, "CLASS", 0,
		"Serve Services of this loadBalancerClass; without it, those that have none", 0},
	{"handle-unset-class", OPTION_UNSET, NULL, 0,
		"With --load-balancer-class: also Services without a class", 0},
	{"retry-interval", OPTION_RETRY, "SECONDS", 0,
		"Try what failed again this often, whatever happened or did not (default: 60)", 0},
	{"status-page", OPTION_PAGE, "ADDRESS:PORT", OPTION_ARG_OPTIONAL,
		"Serve a status page (at " PAGE_DEFAULT_LISTEN ", where no address is given)", 0},
	{"status-page-token-file", OPTION_PAGE_TOKEN, "FILE", 0,
		"Show it only to those who give the token in this file", 0},
	{0},
};

static uint32_t parse_seconds(const char *text, struct argp_state *state)
{
	char *end = NULL;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || seconds == 0 || seconds > RETRY_MAX_S)
		argp_error(state, "--retry-interval: \"%s\" is no number of seconds from 1 to %u",
			text, RETRY_MAX_S);
	return (uint32_t)seconds;
}

static void set_page_listen(struct page_options *page, const char *text, struct argp_state *state)
{
	struct listen_address address;
	struct err e;

	page->listen = text ? text : PAGE_DEFAULT_LISTEN;
	if (listen_parse(page->listen, &address, &e) < 0)
		argp_error(state, "--status-page: %s", e.text);
}

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
	case OPTION_RETRY:
		arguments->controller.retry_ms = 1000 * parse_seconds(value, state);
		return 0;
	case OPTION_PAGE:
		set_page_listen(&arguments->page, value, state);
		return 0;
	case OPTION_PAGE_TOKEN:
		arguments->page.token_file = value;
		return 0;
	case ARGP_KEY_END:
		if (arguments->page.token_file && !arguments->page.listen)
			argp_error(state, "--status-page-token-file needs --status-page");
		if (!*arguments->controller.identity)
			argp_error(state, "the replica's name is empty: give --identity");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The parts of the page's options that others' options say. */
static struct page_options page_options_of(
	const struct arguments *arguments, struct controller *controller)
{
	struct page_options page = arguments->page;

	page.identity = arguments->controller.identity;
	page.class = (struct plan_class){
		arguments->controller.rules.class, arguments->controller.rules.handle_unset};
	page.is_leading = controller_is_leading;
	page.context = controller;
	return page;
}

static int run(struct program *program, const struct arguments *arguments, struct err *e)
{
	struct controller *controller;
	struct page_options page_options;
	struct page *page = NULL;
	int r = program_start(program, "herald-controller", arguments->controller.identity,
		&arguments->program, e);

	if (r != 0)
		return r;
	controller = controller_new(program, &arguments->controller);
	page_options = page_options_of(arguments, controller);
	if (page_options.listen)
		r = page_new(program, &page_options, &page, e);
	if (r == 0) {
		log_info(program->log, "started", "version", HERALD_VERSION, "identity",
			arguments->controller.identity, NULL);
		r = program_run(program, controller_stop, controller, CONTROLLER_STOP_MS);
	}
	page_free(page);
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
	struct arguments arguments = {
		.controller = {.identity = getenv("POD_NAME"), .retry_ms = 1000 * RETRY_DEFAULT_S}};
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
