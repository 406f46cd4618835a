// SPDX-License-Identifier: Apache-2.0
/*
 * One candidate for a Lease: a JSON line on stdout for each call of the sink. SIGTERM
 * gives the Lease up and ends; SIGUSR1 annotates it. Driven by
 * tests/contract/test_lease.py.
 *
 *     lease_probe KUBECONFIG NAMESPACE NAME IDENTITY DURATION_MS RENEW_MS
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "herald/kube/lease.h"
#include "herald/kube/program.h"

struct probe {
	struct program program;
	struct kube_lease *lease;
	unsigned annotations;
};

static void print(const char *call, const char *text)
{
	json_t *line = json_pack("{s:s,s:s*}", "call", call, "text", text);

	if (json_dumpf(line, stdout, JSON_COMPACT) < 0)
		exit(1);
	json_decref(line);
	putchar('\n');
	fflush(stdout);
}

static void on_held(void *context)
{
	const struct probe *probe = context;

	print("held", kube_lease_is_held(probe->lease) ? NULL : "but it says it is not");
}

static void on_lost(void *context, const char *why)
{
	(void)context;
	print("lost", why);
}

static void on_failing(void *context, const struct err *error)
{
	(void)context;
	print("failing", error->text);
}

static void on_released(void *context)
{
	struct probe *probe = context;

	print("released", NULL);
	loop_stop(probe->program.loop);
}

static void stop(void *context)
{
	struct probe *probe = context;

	kube_lease_release(probe->lease, on_released, probe);
	if (kube_lease_is_held(probe->lease))
		print("error", "held while it is released");
}

static void annotate(void *context, int signal_number)
{
	struct probe *probe = context;
	char text[64];

	(void)signal_number;
	snprintf(text, sizeof(text), "{\"herald.io/probe\":\"%u\"}", ++probe->annotations);
	kube_lease_annotate(probe->lease, text);
}

int main(int argc, char **argv)
{
	static const struct kube_lease_sink sink = {
		.held = on_held, .lost = on_lost, .failing = on_failing};
	struct program_options options;
	struct kube_lease_options lease = {.labels_json = "{\"herald.io/of\":\"probe\"}"};
	struct probe probe = {0};
	struct err e;
	int code;

	if (argc != 7) {
		fprintf(stderr, "usage: lease_probe KUBECONFIG NAMESPACE NAME IDENTITY DURATION_MS "
				"RENEW_MS\n");
		return 2;
	}
	program_options_init(&options, "127.0.0.1:0");
	options.kubeconfig = argv[1];
	lease.namespace = argv[2];
	lease.name = argv[3];
	lease.identity = argv[4];
	lease.duration_ms = (uint32_t)strtoul(argv[5], NULL, 10);
	lease.renew_ms = (uint32_t)strtoul(argv[6], NULL, 10);
	if (program_start(&probe.program, "lease_probe", argv[4], &options, &e) < 0 ||
		loop_on_signal(probe.program.loop, SIGUSR1, annotate, &probe, &e) < 0) {
		fprintf(stderr, "lease_probe: %s\n", e.text);
		program_done(&probe.program);
		return 1;
	}
	probe.lease =
		kube_lease_new(probe.program.client, probe.program.loop, &lease, &sink, &probe);
	code = program_run(&probe.program, stop, &probe, 10000);
	kube_lease_free(probe.lease);
	program_done(&probe.program);
	return code;
}
