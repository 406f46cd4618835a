// SPDX-License-Identifier: Apache-2.0
/*
 * What an allocation costs, and whether that depends on how many addresses are in use or
 * on how wide the pool is. Each figure is the best of some rounds, so that what else the
 * machine does shows less; compare the ratios of one run, not figures of two.
 * Usage: alloc_bench [HOLDERS...]   (default 1000 10000 100000 1000000)
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/base/err.h"
#include "herald/core/alloc.h"

#define ROUNDS 7
#define BATCH 1000u

struct pool_case {
	const char *what, *first, *last;
	bool spread;
};

static const struct pool_case cases[] = {
	{"IPv4 /12", "10.0.0.0", "10.15.255.255", false},
	{"IPv6 /48", "fd00::", "fd00:0:0:ffff:ffff:ffff:ffff:ffff", false},
	{"IPv6 /48 spread", "fd00::", "fd00:0:0:ffff:ffff:ffff:ffff:ffff", true},
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static bool allocate(struct alloc *alloc, struct alloc_holder *holder, enum ip_family family)
{
	static const struct string_map no_labels = {0};
	struct alloc_request request = {.namespace = "default", .labels = &no_labels};
	struct alloc_trace trace;
	struct ip ip;

	if (!alloc_find(alloc, holder, &request, family, &ip, &trace))
		return false;
	alloc_take(alloc, holder, &ip);
	return true;
}

/* Nanoseconds for one allocation among `count` addresses in use. */
static double measure(struct alloc *alloc, enum ip_family family)
{
	static struct alloc_holder batch[BATCH];
	double best = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		double start = now_ns(), each;

		for (unsigned i = 0; i < BATCH; i++) {
			if (!allocate(alloc, &batch[i], family))
				DIE("the pool is full");
		}
		each = (now_ns() - start) / BATCH;
		if (round == 0 || each < best)
			best = each;
		for (unsigned i = 0; i < BATCH; i++)
			alloc_release(alloc, &batch[i]);
	}
	return best;
}

static void set_up(struct config *config, struct config_pool *pool, struct ip_range *range,
	const struct pool_case *what)
{
	if (!ip_parse(what->first, &range->first) || !ip_parse(what->last, &range->last))
		DIE("not an address");
	*pool = (struct config_pool){.name = "pool",
		.ranges = range,
		.range_count = 1,
		.auto_assign = true,
		.spread = what->spread};
	*config = (struct config){.pools = pool, .pool_count = 1};
}

/* Prints one line and returns the cost; `floor` is that of the fewest holders, 0: this one. */
static double run(const struct pool_case *what, size_t count, double floor)
{
	AUTO_FREE struct alloc_holder *holders = xcalloc(count, sizeof(*holders));
	size_t before = bytes_in_use();
	struct alloc *alloc = alloc_new();
	struct config_pool pool;
	struct config config;
	struct ip_range range;
	double start, fill, each, memory;

	set_up(&config, &pool, &range, what);
	alloc_configure(alloc, &config);
	start = now_ns();
	for (size_t i = 0; i < count; i++) {
		if (!allocate(alloc, &holders[i], (enum ip_family)range.first.family))
			DIE("the pool is full");
	}
	fill = (now_ns() - start) / (double)count;
	memory = (double)(bytes_in_use() - before) / (double)count;
	each = measure(alloc, (enum ip_family)range.first.family);
	printf("%-16s %9zu %9.0f %9.0f %12.0f %7.2f %9.0f\n", what->what, count, fill, each,
		1e9 / each, floor > 0 ? each / floor : 1.0, memory);
	for (size_t i = 0; i < count; i++)
		alloc_release(alloc, &holders[i]);
	alloc_free(alloc);
	return each;
}

int main(int argc, char **argv)
{
	static const size_t defaults[] = {1000, 10000, 100000, 1000000};
	size_t count = argc > 1 ? (size_t)argc - 1 : sizeof(defaults) / sizeof(defaults[0]);

	printf("%-16s %9s %9s %9s %12s %7s %9s\n", "pool", "in use", "fill ns", "next ns",
		"per second", "ratio", "bytes");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double floor = 0;

		for (size_t j = 0; j < count; j++) {
			size_t holders = argc > 1 ? strtoull(argv[j + 1], NULL, 10) : defaults[j];
			double each = run(&cases[i], holders ? holders : 1, floor);

			if (j == 0)
				floor = each;
		}
	}
	puts("fill: mean while all were given out; next: one more with so many in use;\n"
	     "ratio: next to that of the first line of the pool; bytes: memory per holder");
	return 0;
}
