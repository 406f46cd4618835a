// SPDX-License-Identifier: Apache-2.0
/*
 * Reading and replacing small files of text. A new text is written beside the old one and
 * takes its name in one step, so that a reader sees the one or the other.
 */
#include "herald/io/small_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int small_file_read(const char *path, char **ret, struct err *e)
{
	FILE *file = fopen(path, "re");
	size_t length = 0, room = 4096;
	char *text;

	if (!file)
		return err_set(e, -errno, "cannot read \"%s\": %s", path, strerror(errno));
	text = xcalloc(room, 1);
	while (length < SMALL_FILE_MAX) {
		size_t n = fread(text + length, 1, room - length - 1, file);

		if (n == 0)
			break;
		length += n;
		if (length + 1 == room)
			text = xrealloc(text, room *= 2, 1);
	}
	text[length] = '\0';
	if (ferror(file) || length >= SMALL_FILE_MAX) {
		fclose(file);
		free(text);
		return err_set(e, -EIO, "cannot read \"%s\" whole", path);
	}
	fclose(file);
	*ret = text;
	return 0;
}

static int write_whole(FILE *file, const char *text, mode_t mode)
{
	if (fchmod(fileno(file), mode) != 0 || fputs(text, file) == EOF || fflush(file) != 0)
		return -errno;
	return 0;
}

int small_file_write(const char *path, const char *text, mode_t mode, struct err *e)
{
	AUTO_FREE char *beside = xasprintf("%s.XXXXXX", path);
	int fd = mkstemp(beside), r;
	FILE *file;

	if (fd < 0)
		return err_set(
			e, -errno, "cannot make a file beside \"%s\": %s", path, strerror(errno));
	file = fdopen(fd, "we");
	r = file ? write_whole(file, text, mode) : -errno;
	if (file ? fclose(file) != 0 : close(fd) != 0)
		r = r ? r : -errno;
	if (r == 0 && rename(beside, path) != 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlink(beside);
	return err_set(e, r, "cannot write \"%s\": %s", path, strerror(-r));
}
