// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_SMALL_FILE_H
#define HERALD_IO_SMALL_FILE_H

#include <sys/types.h>

#include "herald/base/err.h"

/*
 * Files of text that another program reads: whole or not at all, however either of us
 * ends.
 */
#define SMALL_FILE_MAX (32u * 1024 * 1024) /* BIRD's include with 300,000 routes */

/* The text with a NUL, malloc'ed; -ENOENT where there is no such file. */
int small_file_read(const char *path, char **ret, struct err *e);
/* Replaces it, or makes it, with these permissions from the first byte on. */
int small_file_write(const char *path, const char *text, mode_t mode, struct err *e);

#endif
