// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel knows about this process (getrusage(2), proc(5)), as metrics. What
 * cannot be read (no /proc, no descriptor left) keeps its last value: a scrape is no
 * place to fail for it.
 */
#include "herald/io/process_metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "herald/base/err.h"

struct process_metrics {
	struct metric *cpu, *memory, *open_fds, *max_fds, *start;
};

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void read_usage(struct process_metrics *process)
{
	struct rusage usage;
	struct rlimit limit;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metric_set(process->cpu, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metric_set(process->max_fds, (double)limit.rlim_cur);
}

/* The second number of statm: resident pages. */
static void read_memory(struct process_metrics *process)
{
	FILE *in = fopen("/proc/self/statm", "re");
	uint64_t pages;

	if (!in)
		return;
	if (fscanf(in, "%*u %" SCNu64, &pages) == 1)
		metric_set(process->memory, (double)pages * (double)sysconf(_SC_PAGESIZE));
	fclose(in);
}

static void read_open_fds(struct process_metrics *process)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned count = 0;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			count++;
	}
	closedir(dir);
	metric_set(process->open_fds, count - 1); /* less the one that reads them */
}

static void refresh(void *context)
{
	struct process_metrics *process = context;

	read_usage(process);
	read_memory(process);
	read_open_fds(process);
}

/* Boot time in seconds since 1970, or 0. */
static double boot_time(void)
{
	FILE *in = fopen("/proc/stat", "re");
	char line[256];
	double seconds = 0;

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "btime ", 6) == 0)
			seconds = strtod(line + 6, NULL);
	}
	fclose(in);
	return seconds;
}

/* Field 22 of stat, in ticks since boot; the name in field 2 may hold anything. */
static void read_start(struct process_metrics *process)
{
	FILE *in = fopen("/proc/self/stat", "re");
	double boot = boot_time();
	char line[1024];
	const char *rest;
	uint64_t ticks;

	if (!in)
		return;
	rest = fgets(line, sizeof(line), in) ? strrchr(line, ')') : NULL;
	fclose(in);
	if (!rest || boot <= 0)
		return;
	for (int field = 2; field < 22 && rest; field++) {
		rest = strchr(rest, ' ');
		rest = rest ? rest + 1 : NULL;
	}
	if (rest && sscanf(rest, "%" SCNu64, &ticks) == 1)
		metric_set(process->start, boot + (double)ticks / (double)sysconf(_SC_CLK_TCK));
}

struct process_metrics *process_metrics_new(struct metrics *m)
{
	struct process_metrics *process = xcalloc(1, sizeof(*process));

	process->cpu = metric_counter(m, "process_cpu_seconds_total",
		"Total user and system CPU time spent in seconds.", NULL);
	process->memory = metric_gauge(
		m, "process_resident_memory_bytes", "Resident memory size in bytes.", NULL);
	process->open_fds =
		metric_gauge(m, "process_open_fds", "Number of open file descriptors.", NULL);
	process->max_fds = metric_gauge(
		m, "process_max_fds", "Maximum number of open file descriptors.", NULL);
	process->start = metric_gauge(m, "process_start_time_seconds",
		"Start time of the process since unix epoch in seconds.", NULL);
	read_start(process);
	metrics_before_render(m, refresh, process);
	return process;
}

void process_metrics_free(struct process_metrics *process)
{
	free(process);
}
