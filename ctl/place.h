// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_PLACE_H
#define HERALDCTL_PLACE_H

#include <stddef.h>

#include "herald/core/yaml_tree.h"

/* A place in a text, in lines and characters from 1, as editors and libyaml count. */
struct place {
	unsigned line, column;
};

/* The place in `text` of the byte at `offset`, and back; both stay within the text. */
struct place place_of(const char *text, size_t length, size_t offset);
size_t place_offset(const char *text, size_t length, struct place place);

/*
 * A text written as a scalar in another (a document in a ConfigMap's key): where a place
 * of the inner text stands in the outer one, whatever the scalar's style. The scalar must
 * come from the outer text.
 */
struct place place_outside(
	const char *outer, size_t length, const struct yaml_node *scalar, struct place inner);

#endif
