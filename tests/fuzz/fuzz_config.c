// SPDX-License-Identifier: Apache-2.0
/*
 * Any text through the configuration's parser. Beyond the sanitizers: it gives a config
 * or problems, never both; problems are in order and printable, and what a config holds
 * keeps the promises of core/config.h that others build on.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/utf8.h"
#include "herald/core/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(const char *text)
{
	uint32_t code = 0;

	for (size_t left = strlen(text), n; left > 0; left -= n, text += n) {
		n = utf8_next(text, left, &code);
		require(n > 0 && code >= 0x20 && (code < 0x7f || code >= 0xa0));
	}
}

static void check_ranges(const struct ip_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		require(ranges[i].first.family == ranges[i].last.family &&
			ip_compare(&ranges[i].first, &ranges[i].last) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_problems problems = {0};
	struct config *config = config_parse((const char *)data, size, &problems);

	require(!config == (problems.count > 0) && problems.count <= CONFIG_PROBLEMS_MAX);
	for (size_t i = 0; i < problems.count; i++) {
		require(*problems.items[i].text);
		require(i == 0 || problems.items[i - 1].line <= problems.items[i].line);
		check_text(problems.items[i].field);
		check_text(problems.items[i].text);
	}
	for (size_t i = 0; config && i < config->pool_count; i++) {
		require(config_pool_find(config, config->pools[i].name) == &config->pools[i]);
		require(config->pools[i].range_count > 0);
		check_ranges(config->pools[i].ranges, config->pools[i].range_count);
		check_ranges(config->pools[i].reserved, config->pools[i].reserved_count);
	}
	config_problems_done(&problems);
	config_free(config);
	return 0;
}
