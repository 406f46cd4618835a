// SPDX-License-Identifier: Apache-2.0
/*
 * The shell of a long-running program: its common options (argp), what it is built from,
 * and how it ends. Knows neither Services nor addresses. Signals are turned into one call
 * of the program's own `stop`, with a bound on how long that may take.
 */
#include "herald/kube/program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "herald/io/listen.h"
#include "herald/io/metallb_metrics.h"
#include "herald/kube/kubeconfig.h"

#define DNS_LABEL_MAX 63      /* RFC 1123: a namespace's name */
#define DNS_SUBDOMAIN_MAX 253 /* RFC 1123: a ConfigMap's name */

enum {
	KEY_KUBECONFIG = 0x1000,
	KEY_CONTEXT,
	KEY_SERVER,
	KEY_NAMESPACE,
	KEY_CONFIG_MAP,
	KEY_LISTEN,
	KEY_LOG_LEVEL,
	KEY_LOG_FORMAT,
	KEY_METALLB_METRICS,
};

static const struct argp_option argp_options[] = {
	{NULL, 0, NULL, 0, "Kubernetes:", 1},
	{"kubeconfig", KEY_KUBECONFIG, "FILE", 0,
		"Connect as this file says (default: the pod's service account, else $KUBECONFIG, "
		"else ~/.kube/config)",
		1},
	{"context", KEY_CONTEXT, "NAME", 0, "Context of the kubeconfig (default: its current one)",
		1},
	{"server", KEY_SERVER, "URL", 0, "API server, instead of the kubeconfig's", 1},
	{"namespace", KEY_NAMESPACE, "NAME", 0,
		"Namespace of Herald's own objects (default: $POD_NAMESPACE, else herald-system)",
		1},
	{"config-map", KEY_CONFIG_MAP, "NAME", 0,
		"ConfigMap that holds the configuration (default: herald-config)", 1},
	{NULL, 0, NULL, 0, "Observation:", 2},
	{"listen", KEY_LISTEN, "ADDRESS:PORT", 0, "Where /metrics, /healthz and /readyz are served",
		2},
	{"metallb-metrics", KEY_METALLB_METRICS, NULL, 0,
		"Give metrics by MetalLB's names, too, where they mean the same", 2},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "debug, info (default), warn or error", 2},
	{"log-format", KEY_LOG_FORMAT, "FORMAT", 0, "logfmt (default) or json", 2},
	{0},
};

void program_options_init(struct program_options *options, const char *listen)
{
	const char *pod_namespace = getenv("POD_NAMESPACE");

	*options = (struct program_options){
		.namespace = pod_namespace && *pod_namespace ? pod_namespace : "herald-system",
		.config_map = "herald-config",
		.listen = listen,
		.log_level = LOG_LEVEL_INFO,
		.log_format = LOG_FORMAT_LOGFMT,
	};
}

/* Labels of a-z, 0-9 and inner '-', joined by dots: as the API server checks names. */
static bool is_dns_name(const char *text, size_t max)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	if (length == 0 || length > max || text[length] != '\0')
		return false;
	for (size_t i = 0; i < length; i++) {
		bool starts = i == 0 || text[i - 1] == '.';
		bool ends = i + 1 == length || text[i + 1] == '.';

		if (text[i] == '.' ? starts || i + 1 == length : text[i] == '-' && (starts || ends))
			return false;
	}
	return true;
}

static void check_names(const struct program_options *options, struct argp_state *state)
{
	if (!is_dns_name(options->namespace, DNS_LABEL_MAX) || strchr(options->namespace, '.'))
		argp_error(state,
			"\"%s\" is not a namespace's name: give one with --namespace or "
			"$POD_NAMESPACE (a-z, 0-9 and -, at most 63)",
			options->namespace);
	if (!is_dns_name(options->config_map, DNS_SUBDOMAIN_MAX))
		argp_error(state,
			"\"%s\" is not a ConfigMap's name: give one with --config-map "
			"(a-z, 0-9, - and ., at most 253)",
			options->config_map);
}

static void set_listen(struct program_options *options, const char *text, struct argp_state *state)
{
	struct listen_address address;
	struct err e;

	if (listen_parse(text, &address, &e) < 0)
		argp_error(state, "--listen: %s", e.text);
	options->listen = text;
}

static const char *non_empty(const char *option, const char *text, struct argp_state *state)
{
	if (*text == '\0')
		argp_error(state, "%s needs a value that is not empty", option);
	return text;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct program_options *options = state->input;

	switch (key) {
	case KEY_KUBECONFIG:
		options->kubeconfig = non_empty("--kubeconfig", text, state);
		return 0;
	case KEY_CONTEXT:
		options->context = non_empty("--context", text, state);
		return 0;
	case KEY_SERVER:
		options->server = non_empty("--server", text, state);
		return 0;
	case KEY_NAMESPACE:
		options->namespace = text;
		return 0;
	case KEY_CONFIG_MAP:
		options->config_map = text;
		return 0;
	case KEY_LISTEN:
		set_listen(options, text, state);
		return 0;
	case KEY_METALLB_METRICS:
		options->metallb_metrics = true;
		return 0;
	case KEY_LOG_LEVEL:
		if (!log_level_parse(text, &options->log_level))
			argp_error(state,
				"--log-level: \"%s\" is none of debug, info, warn and error", text);
		return 0;
	case KEY_LOG_FORMAT:
		if (!log_format_parse(text, &options->log_format))
			argp_error(state, "--log-format: \"%s\" is neither logfmt nor json", text);
		return 0;
	case ARGP_KEY_END:
		check_names(options, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp program_argp = {.options = argp_options, .parser = parse_option};

static int start_client(struct program *program, const char *instance, struct err *e)
{
	struct kubeconfig_options where = {
		.path = program->options.kubeconfig,
		.context = program->options.context,
		.server = program->options.server,
	};
	AUTO_FREE char *user_agent = xasprintf("%s/%s", program->name, HERALD_VERSION);
	int r = kubeconfig_load(&where, &program->kubeconfig, e);

	if (r == 0)
		r = kube_client_new(program->loop, program->kubeconfig, user_agent, program->log,
			program->metrics, &program->client, e);
	if (r < 0)
		return r;
	program->events = kube_events_new(
		program->client, program->loop, program->name, instance, program->log);
	return 0;
}

/* Tokens and passwords are in memory (B07). A limit of one byte keeps cores from programs
   that they are piped to, too, which 0 does not (core(5)); whoever wants one raises it. */
static void dump_no_core(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0)
		return;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_CORE, &limit);
}

int program_start(struct program *program, const char *name, const char *instance,
	const struct program_options *options, struct err *e)
{
	int r;

	dump_no_core();
	*program = (struct program){.name = name, .options = *options};
	program->log = log_new(stderr, options->log_format, options->log_level, name);
	program->metrics = metrics_new();
	if (options->metallb_metrics)
		metallb_metrics_add(program->metrics);
	program->process = process_metrics_new(program->metrics);
	metric_set(metric_gauge(program->metrics, "herald_build_info",
			   "Constant 1, labelled with the version that runs.", "version",
			   HERALD_VERSION, NULL),
		1);
	r = loop_new(&program->loop, e);
	if (r == 0)
		r = status_server_new(
			program->loop, options->listen, program->metrics, &program->status, e);
	return r < 0 ? r : start_client(program, instance, e);
}

/* One run of program_run; lives on its stack. */
struct run {
	struct program *program;
	void (*stop)(void *context);
	void *context;
	struct timer *bound;
	uint32_t bound_ms;
	bool stopping, exceeded;
};

static void on_bound(void *context)
{
	struct run *run = context;

	run->exceeded = true;
	log_warn(run->program->log, "stopping took too long: leaving the rest undone", NULL);
	loop_stop(run->program->loop);
}

static void on_signal(void *context, int signal_number)
{
	struct run *run = context;

	if (run->stopping) {
		log_warn(run->program->log, "stopping at once", "signal", strsignal(signal_number),
			NULL);
		loop_stop(run->program->loop);
		return;
	}
	run->stopping = true;
	log_info(run->program->log, "stopping", "signal", strsignal(signal_number), NULL);
	timer_start(run->bound, run->bound_ms);
	run->stop(run->context);
}

static void on_hangup(void *context, int signal_number)
{
	struct run *run = context;

	/* The configuration is watched, so that there is nothing to read again. */
	log_debug(run->program->log, "signal ignored", "signal", strsignal(signal_number), NULL);
}

static int watch_signals(struct run *run, struct err *e)
{
	struct loop *loop = run->program->loop;
	int r = loop_on_signal(loop, SIGTERM, on_signal, run, e);

	if (r == 0)
		r = loop_on_signal(loop, SIGINT, on_signal, run, e);
	if (r == 0)
		r = loop_on_signal(loop, SIGHUP, on_hangup, run, e);
	return r;
}

int program_run(
	struct program *program, void (*stop)(void *context), void *context, uint32_t bound_ms)
{
	struct run run = {
		.program = program, .stop = stop, .context = context, .bound_ms = bound_ms};
	struct err e;

	if (watch_signals(&run, &e) < 0) {
		log_error(program->log, "cannot run", "error", e.text, NULL);
		return 1;
	}
	run.bound = timer_new(program->loop, on_bound, &run);
	loop_run(program->loop);
	timer_free(run.bound);
	return run.exceeded ? 1 : 0;
}

void program_done(struct program *program)
{
	if (program->events)
		kube_events_free(program->events);
	if (program->client)
		kube_client_free(program->client);
	kubeconfig_free(program->kubeconfig);
	status_server_free(program->status);
	loop_free(program->loop);
	process_metrics_free(program->process);
	metrics_free(program->metrics);
	log_free(program->log);
	*program = (struct program){0};
}
