// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps the Authorization header's value current. A projected service account token is
 * replaced on disk at 80 % of its life; the file is a symbolic link that moves, so what
 * it leads to is compared. Time comes from the caller.
 */
#include "token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 65536u
#define LOOK_INTERVAL_MS 1000u
#define READ_INTERVAL_MS 60000u

void token_init(struct token *token, const struct kubeconfig *config)
{
	*token = (struct token){.file = config->token_file};
	if (!token->file && config->token)
		token->header = xasprintf("Bearer %s", config->token);
}

static void wipe(struct token *token)
{
	if (token->header)
		explicit_bzero(token->header, strlen(token->header));
	free(token->header);
	token->header = NULL;
}

void token_done(struct token *token)
{
	wipe(token);
}

bool token_can_rotate(const struct token *token)
{
	return token->file;
}

static bool changed(const struct token *token, const struct stat *now)
{
	return token->seen.st_ino != now->st_ino || token->seen.st_size != now->st_size ||
	       token->seen.st_mtim.tv_sec != now->st_mtim.tv_sec ||
	       token->seen.st_mtim.tv_nsec != now->st_mtim.tv_nsec;
}

static int take(struct token *token, char *text, struct err *e)
{
	size_t length = strlen(text);

	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] == 0x7f)
			return err_set(e, -EINVAL,
				"the token in \"%s\" has a blank or control "
				"character at byte %zu",
				token->file, i);
	}
	if (length == 0)
		return err_set(e, -EINVAL, "the token file \"%s\" is empty", token->file);
	wipe(token);
	token->header = xasprintf("Bearer %s", text);
	return 0;
}

static int read_file(struct token *token, struct err *e)
{
	FILE *file = fopen(token->file, "re");
	char *text;
	size_t length;
	int r;

	if (!file)
		return err_set(e, -errno, "cannot read the token file \"%s\": %s", token->file,
			strerror(errno));
	text = xcalloc(TOKEN_MAX + 1, 1);
	length = fread(text, 1, TOKEN_MAX, file);
	if (ferror(file))
		r = err_set(e, -EIO, "cannot read the token file \"%s\"", token->file);
	else if (length == TOKEN_MAX)
		r = err_set(e, -EFBIG, "the token file \"%s\" is larger than 64 KiB", token->file);
	else
		r = take(token, text, e);
	fclose(file);
	explicit_bzero(text, TOKEN_MAX);
	free(text);
	return r;
}

int token_refresh(struct token *token, struct monotime now, bool again, struct err *e)
{
	struct stat seen = {0};
	bool due;

	if (!token->file)
		return 0;
	if (token->tried && !again &&
		!monotime_reached(now, monotime_add_ms(token->looked, LOOK_INTERVAL_MS)))
		return 0;
	token->looked = now;
	due = !token->tried || again ||
	      monotime_reached(now, monotime_add_ms(token->read, READ_INTERVAL_MS));
	token->tried = true;
	if (stat(token->file, &seen) == 0 && !due && token->header && !changed(token, &seen))
		return 0;
	token->seen = seen;
	token->read = now;
	return read_file(token, e);
}
