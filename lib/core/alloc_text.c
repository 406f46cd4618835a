// SPDX-License-Identifier: Apache-2.0
/*
 * The allocator's reasons in words: names for metrics and conditions, and sentences for
 * whoever reads `kubectl describe service` (A09). Numbers that change often stay out, so
 * that the same situation gives the same text and is not reported again.
 */
#include "herald/core/alloc.h"

#include <stdio.h>
#include <string.h>

const char *alloc_reason_name(enum alloc_reason reason)
{
	static const char *const names[ALLOC_REASON_COUNT] = {
		[ALLOC_OK] = "Assigned",
		[ALLOC_NO_POOL] = "AddressOutsidePools",
		[ALLOC_RESERVED] = "AddressReserved",
		[ALLOC_AVOIDED] = "AddressAvoided",
		[ALLOC_FULL] = "PoolFull",
		[ALLOC_NO_FAMILY] = "NoAddressOfFamily",
		[ALLOC_DISABLED] = "PoolDisabled",
		[ALLOC_BY_REQUEST] = "PoolOnRequestOnly",
		[ALLOC_NAMESPACE] = "NamespaceNotSelected",
		[ALLOC_SERVICE] = "ServiceNotSelected",
		[ALLOC_CLASS] = "ClassNotServed",
		[ALLOC_OTHER_POOL] = "AddressInOtherPool",
		[ALLOC_UNKNOWN_POOL] = "UnknownPool",
		[ALLOC_NODE_ADDRESS] = "AddressOfNodeOrExternalIP",
		[ALLOC_STRANGER] = "AddressOfStranger",
		[ALLOC_IN_USE] = "AddressInUse",
		[ALLOC_SHARED_PORT] = "SharedPortInUse",
		[ALLOC_SHARED_POLICY] = "SharedPolicyDiffers",
		[ALLOC_SHARED_NAMESPACE] = "SharedAcrossNamespaces",
	};

	return names[reason];
}

static int refusal_words(const struct alloc_refusal *refusal, const struct alloc_request *request,
	char *buffer, size_t size)
{
	const char *who = refusal->holder ? refusal->holder : "another Service";

	switch (refusal->reason) {
	case ALLOC_NAMESPACE:
		return snprintf(buffer, size, "does not select namespace `%s`", request->namespace);
	case ALLOC_CLASS:
		return snprintf(buffer, size, "does not serve loadBalancerClass `%s`",
			request->class ? request->class : "");
	case ALLOC_OTHER_POOL:
		return snprintf(buffer, size, "is not the pool `%s` that was asked for",
			request->pool ? request->pool : "");
	case ALLOC_STRANGER:
		return snprintf(buffer, size, "another machine has it: %s", who);
	case ALLOC_IN_USE:
		return snprintf(buffer, size,
			"in use by `%s` (give both the same herald.io/share key to share it)", who);
	case ALLOC_SHARED_PORT:
		return snprintf(
			buffer, size, "shared with `%s`, which has one of the ports already", who);
	case ALLOC_SHARED_POLICY:
		return snprintf(buffer, size,
			"shared with `%s`, whose externalTrafficPolicy (under Local: or selector) "
			"differs",
			who);
	case ALLOC_SHARED_NAMESPACE:
		return snprintf(buffer, size,
			"shared with `%s` of another namespace, which the pool does not allow "
			"(shareAcrossNamespaces)",
			who);
	case ALLOC_OK:
	case ALLOC_REASON_COUNT:
		return snprintf(buffer, size, "free");
	default:
		break;
	}
	static const char *const words[ALLOC_REASON_COUNT] = {
		[ALLOC_NO_POOL] = "in no pool",
		[ALLOC_RESERVED] = "reserved",
		[ALLOC_AVOIDED] = "ends in .0 or .255, which the pool avoids",
		[ALLOC_FULL] = "full",
		[ALLOC_NO_FAMILY] = "has no address of this family",
		[ALLOC_DISABLED] = "disabled",
		[ALLOC_BY_REQUEST] = "only on request (autoAssign: false)",
		[ALLOC_SERVICE] = "does not select the Service's labels",
		[ALLOC_UNKNOWN_POOL] = "does not exist",
		[ALLOC_NODE_ADDRESS] = "an address of a node or in some Service's externalIPs",
	};
	return snprintf(buffer, size, "%s", words[refusal->reason]);
}

void alloc_refusal_text(const struct alloc_refusal *refusal, const struct alloc_request *request,
	char *buffer, size_t size)
{
	int used = 0;

	if (refusal->pool)
		used = snprintf(buffer, size, "pool `%s`: ", refusal->pool);
	if (used < 0 || (size_t)used >= size)
		return;
	refusal_words(refusal, request, buffer + used, size - (size_t)used);
}

void alloc_trace_text(const struct alloc_trace *trace, const struct alloc_request *request,
	char *buffer, size_t size)
{
	const size_t room = sizeof("; and 18446744073709551615 more");
	size_t used = 0, omitted = trace->omitted;

	if (trace->count == 0)
		snprintf(buffer, size, "there are no pools");
	for (size_t i = 0; i < trace->count; i++) {
		char text[700];
		size_t length;

		alloc_refusal_text(&trace->refusals[i], request, text, sizeof(text));
		length = strlen(text);
		/* Whole reasons only; the rest are counted. */
		if (used + 2 + length + room > size) {
			omitted++;
			continue;
		}
		used += (size_t)snprintf(
			buffer + used, size - used, "%s%s", used ? "; " : "", text);
	}
	if (omitted)
		snprintf(buffer + used, size - used, "%sand %zu more", used ? "; " : "", omitted);
}
