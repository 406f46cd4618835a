// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a whole file or standard input, up to a bound: what is larger is refused rather
 * than cut, and a FIFO or device that never ends can't fill the memory.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (64u * 1024u)

static int read_all(int fd, struct input *input, struct err *e)
{
	size_t capacity = 0;

	for (;;) {
		ssize_t n;

		if (capacity - input->length < CHUNK) {
			capacity = capacity ? 2 * capacity : 2 * CHUNK;
			input->text = xrealloc(input->text, capacity, 1);
		}
		n = read(fd, input->text + input->length, CHUNK - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EISDIR)
			return err_set(e, -EISDIR, "is a directory: name the files in it");
		if (n < 0)
			return err_set(e, -errno, "cannot be read: %s", strerror(errno));
		if (n == 0)
			break;
		input->length += (size_t)n;
		if (input->length > INPUT_MAX)
			return err_set(e, -EFBIG, "is larger than %u MiB: split it",
				INPUT_MAX / (1024 * 1024));
	}
	input->text[input->length] = '\0';
	return 0;
}

int input_read(const char *name, struct input *ret, struct err *e)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	int r;

	*ret = (struct input){.name = is_stdin ? "standard input" : name};
	if (fd < 0)
		return err_set(e, -errno, "cannot be opened: %s", strerror(errno));
	r = read_all(fd, ret, e);
	if (!is_stdin)
		close(fd);
	return r;
}

void input_done(struct input *input)
{
	free(input->text);
	*input = (struct input){0};
}
