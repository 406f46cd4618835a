// SPDX-License-Identifier: Apache-2.0
/*
 * Stands in for libFuzzer where there is none: gives each file of the folders named to
 * the fuzzer's entry point, so that every input that once crashed stays a test. A folder
 * without a file is an error: a check that checks nothing must not pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "herald/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	AUTO_FREE uint8_t *data = NULL;
	size_t size = 0, got;

	if (!file) {
		perror(path);
		exit(1);
	}
	/* Exactly as big as what is in it, so that a sanitizer sees the first byte beyond. */
	do {
		data = xrealloc(data, size + 4096, 1);
		got = fread(data + size, 1, 4096, file);
		size += got;
	} while (got > 0);
	fclose(file);
	data = xrealloc(data, size, 1);
	LLVMFuzzerTestOneInput(data, size);
}

static int run_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	int count = 0;

	if (!entries) {
		perror(folder);
		exit(1);
	}
	while ((entry = readdir(entries))) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		run_file(path);
		count++;
	}
	closedir(entries);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = run_folder(argv[i]);

		printf("%s: %d seeds\n", argv[i], count);
		if (!count)
			return 1;
	}
	return argc < 2;
}
