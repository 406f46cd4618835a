// SPDX-License-Identifier: Apache-2.0
/*
 * Shows which configuration is in force: a JSON line on stdout for each change, with the
 * pools' names. SIGUSR1 prints the gauges; SIGUSR2 records the same Event a hundred
 * times. Driven by tests/contract/test_config_watch.py.
 *
 *     config_probe KUBECONFIG NAMESPACE CONFIGMAP
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "herald/kube/config_watch.h"

struct probe {
	struct program program;
	struct config_watch *watch;
};

static void print(json_t *line)
{
	if (json_dumpf(line, stdout, JSON_COMPACT) < 0)
		exit(1);
	json_decref(line);
	putchar('\n');
	fflush(stdout);
}

static void on_changed(void *context, const struct config *config)
{
	json_t *pools = json_array();

	(void)context;
	for (size_t i = 0; i < config->pool_count; i++)
		json_array_append_new(pools, json_string(config->pools[i].name));
	print(json_pack("{s:s,s:o}", "call", "changed", "pools", pools));
}

static void show(void *context, int signal_number)
{
	struct probe *probe = context;
	struct metrics *metrics = probe->program.metrics;

	(void)signal_number;
	print(json_pack("{s:s,s:b,s:b,s:i,s:i}", "call", "shown", "synced",
		config_watch_is_synced(probe->watch), "current",
		config_watch_current(probe->watch) != NULL, "valid",
		(int)metric_value(metric_gauge(metrics, "herald_config_valid", "", NULL)), "loaded",
		(int)metric_value(metric_gauge(metrics, "herald_config_loaded", "", NULL))));
}

static void repeat(void *context, int signal_number)
{
	struct probe *probe = context;
	struct kube_object_ref about = {"v1", "Node", "", "node-1", "a-uid"};

	(void)signal_number;
	for (int i = 0; i < 100; i++)
		kube_event_record(probe->program.events, &about, KUBE_EVENT_NORMAL, "Repeated",
			"the same again");
}

static void stop(void *context)
{
	struct probe *probe = context;

	loop_stop(probe->program.loop);
}

int main(int argc, char **argv)
{
	struct program_options options;
	struct probe probe = {0};
	struct err e;
	int code;

	if (argc != 4) {
		fprintf(stderr, "usage: config_probe KUBECONFIG NAMESPACE CONFIGMAP\n");
		return 2;
	}
	program_options_init(&options, "127.0.0.1:0");
	options.kubeconfig = argv[1];
	options.namespace = argv[2];
	options.config_map = argv[3];
	if (program_start(&probe.program, "config_probe", "probe-1", &options, &e) < 0 ||
		loop_on_signal(probe.program.loop, SIGUSR1, show, &probe, &e) < 0 ||
		loop_on_signal(probe.program.loop, SIGUSR2, repeat, &probe, &e) < 0) {
		fprintf(stderr, "config_probe: %s\n", e.text);
		program_done(&probe.program);
		return 1;
	}
	probe.watch = config_watch_new(&probe.program, CONFIG_WATCH_EVENTS, on_changed, &probe);
	print(json_pack("{s:s}", "call", "started"));
	code = program_run(&probe.program, stop, &probe, 5000);
	config_watch_free(probe.watch);
	program_done(&probe.program);
	return code;
}
