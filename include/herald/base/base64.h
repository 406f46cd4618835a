// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_BASE_BASE64_H
#define HERALD_BASE_BASE64_H

/*
 * Standard base64 (RFC 4648, section 4) with padding; white space is passed over. The
 * result is malloc'ed and NUL-terminated; NULL: `text` is not base64, or has a NUL inside.
 */
char *base64_decode_text(const char *text);

#endif
