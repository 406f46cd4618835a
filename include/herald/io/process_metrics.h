// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_PROCESS_METRICS_H
#define HERALD_IO_PROCESS_METRICS_H

#include "herald/io/metrics.h"

/*
 * The metrics of this process under the names that Prometheus' client libraries share:
 * process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
 * process_max_fds and process_start_time_seconds, read when they are asked for. Takes the
 * registry's metrics_before_render.
 */
struct process_metrics;
struct process_metrics *process_metrics_new(struct metrics *metrics);
/* Before or after the registry, but nothing may be rendered afterwards. NULL is allowed. */
void process_metrics_free(struct process_metrics *process);

#endif
