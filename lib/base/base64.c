// SPDX-License-Identifier: Apache-2.0
/*
 * Decodes what other programs write as base64: the inline data of kubeconfig files, and
 * the password of a browser.
 */
#include "herald/base/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

char *base64_decode_text(const char *text)
{
	char *decoded = xcalloc(strlen(text) / 4 * 3 + 4, 1);
	size_t length = 0, digits = 0, padding = 0;
	uint32_t bits = 0;

	for (; *text; text++) {
		int value = digit(*text);

		if (strchr(" \t\r\n", *text))
			continue;
		if (*text == '=') {
			padding++;
			continue;
		}
		if (value < 0 || padding > 0)
			goto bad;
		bits = bits << 6 | (uint32_t)value;
		digits++;
		if (digits % 4 == 0) {
			decoded[length++] = (char)(bits >> 16);
			decoded[length++] = (char)(bits >> 8);
			decoded[length++] = (char)bits;
		}
	}
	if ((digits + padding) % 4 != 0 || padding > 2 || digits % 4 == 1)
		goto bad;
	if (digits % 4 >= 2)
		decoded[length++] = (char)(digits % 4 == 2 ? bits >> 4 : bits >> 10);
	if (digits % 4 == 3)
		decoded[length++] = (char)(bits >> 2);
	if (memchr(decoded, '\0', length))
		goto bad;
	return decoded;
bad:
	free(decoded);
	return NULL;
}
