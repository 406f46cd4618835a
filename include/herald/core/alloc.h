// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_ALLOC_H
#define HERALD_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/base/ip.h"
#include "herald/core/config.h"
#include "herald/core/conflicts.h"
#include "herald/core/objects.h"

/*
 * Who holds which address. All state is in `struct alloc`; nothing here does I/O or reads
 * a clock, and the same calls in the same order give the same answers.
 *
 * Order (A14): the pools that may serve a request by priority, then name. Within a pool
 * the lowest address that was never held (allocationOrder: spread takes them in bit-
 * reversed order instead), then the one that has been free for longest. Once more than
 * ALLOC_COOLING_MAX freed addresses of a family wait in a pool, the longest freed is
 * taken first, so that memory does not grow with the width of a pool.
 *
 * Cost does not depend on the width of a range (A13): a range is a position up to which
 * addresses were given out; only addresses that are or were held take memory.
 */
#define ALLOC_COOLING_MAX 65536u

struct alloc;
struct alloc_holding;
struct alloc_sharing;

/*
 * One Service as a holder of at most one active address a family, and of those that it
 * is leaving: they stay taken until alloc_settle, since the move may not have been
 * written yet. Embedded in the owner's record, zeroed before its first use; it must not
 * move in memory while it holds anything.
 */
struct alloc_holder {
	const char *name; /* "namespace/name" for messages; the owner's */
	struct alloc_holding *holdings;
	struct alloc_sharing *sharing;
};

/* What of a Service matters to the allocator. Borrowed for the call. */
struct alloc_request {
	const char *namespace;
	const struct string_map *namespace_labels; /* NULL: not known; no selector matches */
	const struct string_map *labels;
	const char *class;	 /* NULL: unset */
	const char *pool;	 /* only this one; NULL: any that assigns automatically */
	const char *sharing_key; /* NULL or "": not shared */
	const struct string_map *selector;
	const struct service_port *ports;
	uint16_t port_count;
	bool traffic_local;
	/* To be moved off these once no pool has them, as it was before; IP_NONE: none. */
	struct ip moves[2];
};

enum alloc_reason {
	ALLOC_OK,
	ALLOC_NO_POOL,		/* the address is in no pool */
	ALLOC_RESERVED,		/* reserved in its pool */
	ALLOC_AVOIDED,		/* .0 or .255 in a pool that avoids them */
	ALLOC_FULL,		/* the pool has none left */
	ALLOC_NO_FAMILY,	/* the pool has no address of this family at all */
	ALLOC_DISABLED,		/* the pool gives nothing new */
	ALLOC_BY_REQUEST,	/* the pool does not assign automatically */
	ALLOC_NAMESPACE,	/* the pool does not select the namespace */
	ALLOC_SERVICE,		/* the pool does not select the Service's labels */
	ALLOC_CLASS,		/* the pool does not serve the Service's class */
	ALLOC_OTHER_POOL,	/* the address is not in the pool asked for */
	ALLOC_UNKNOWN_POOL,	/* no pool of the name asked for */
	ALLOC_NODE_ADDRESS,	/* a node or some Service's externalIPs has it (K35) */
	ALLOC_STRANGER,		/* a station that is none of ours has it (L09) */
	ALLOC_IN_USE,		/* held by another Service, and not to be shared */
	ALLOC_SHARED_PORT,	/* same key, but a protocol and port collide */
	ALLOC_SHARED_POLICY,	/* same key, but the traffic policies do not go together */
	ALLOC_SHARED_NAMESPACE, /* could share it but for being in another namespace */
	ALLOC_REASON_COUNT
};
/* CamelCase, for metrics and conditions: "PoolFull". */
const char *alloc_reason_name(enum alloc_reason reason);

/* Two Services can't both have the address, whatever the config says. */
static inline bool alloc_reason_collides(enum alloc_reason reason)
{
	return reason == ALLOC_IN_USE || reason == ALLOC_SHARED_PORT ||
	       reason == ALLOC_SHARED_POLICY;
}

/* One answer "no". Strings belong to the config in force or to a holder. */
struct alloc_refusal {
	enum alloc_reason reason;
	const char *pool;   /* NULL: no pool is concerned */
	const char *holder; /* who has it, for IN_USE, SHARED_* and STRANGER; else NULL */
};
#define ALLOC_TRACE_MAX 64
struct alloc_trace {
	struct alloc_refusal refusals[ALLOC_TRACE_MAX];
	size_t count, omitted;
};
/* "pool `a`: full; pool `b`: does not select namespace `x`" (A09). */
void alloc_trace_text(const struct alloc_trace *trace, const struct alloc_request *request,
	char *buffer, size_t size);
void alloc_refusal_text(const struct alloc_refusal *refusal, const struct alloc_request *request,
	char *buffer, size_t size);

struct alloc *alloc_new(void);
/* Every holder must have been released. NULL is allowed. */
void alloc_free(struct alloc *alloc);

/*
 * Puts a config in force (borrowed until the next one is, or the allocator is freed);
 * holders keep what they have (A08), in a pool or not. NULL: none.
 */
void alloc_configure(struct alloc *alloc, const struct config *config);
const struct config *alloc_config(const struct alloc *alloc);

/* Addresses that are never given out (K35); counted, so twice blocked is twice unblocked. */
/* True: somebody holds it. */
bool alloc_block(struct alloc *alloc, const struct ip *ip);
void alloc_unblock(struct alloc *alloc, const struct ip *ip);
/* Nor these, all that strangers have now. True: somebody holds one that is new among them. */
bool alloc_set_strangers(struct alloc *alloc, const struct conflict_list *list);

/* What this holder shares by; before take, and whenever its Service changed. */
void alloc_describe(
	struct alloc *alloc, struct alloc_holder *holder, const struct alloc_request *request);

/* Stands for all that a request shares by; 0: it does not share. The same on every machine. */
uint64_t alloc_sharing_mark(const struct alloc_request *request);

/* Could `holder` be given exactly this address? *ret says why not. */
bool alloc_check(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret);

/* The address that is next for this request; false: *trace says each pool's reason. */
bool alloc_find(struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, enum ip_family family, struct ip *ret,
	struct alloc_trace *trace);

/*
 * Whether those who have this address or are leaving it can live with `holder`, whatever
 * its pool says today: for taking over what was assigned before.
 */
bool alloc_admits(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret);

/*
 * Would the address that `holder` has still be given to it? Disabled pools and pools
 * that assign only by request do not count against it. *ret_move: the config says that
 * Services are moved off this address.
 */
bool alloc_stands(const struct alloc *alloc, const struct alloc_holder *holder,
	const struct alloc_request *request, const struct ip *ip, struct alloc_refusal *ret,
	bool *ret_move);

/* Whether its pool has Services moved off addresses that it does not have any more; if no pool has
   it, the one that had it last, as it is known, or else what the request knows of that. */
bool alloc_moves(
	const struct alloc *alloc, const struct alloc_request *request, const struct ip *ip);

/*
 * Makes ip the active address of its family; the one before is being left. It is not
 * checked: adopting an address that no pool has is allowed.
 */
void alloc_take(struct alloc *alloc, struct alloc_holder *holder, const struct ip *ip);
void alloc_leave(struct alloc *alloc, struct alloc_holder *holder, enum ip_family family);
/*
 * What the holder has is written as its Service's, and nothing was decided for it since:
 * frees what it is leaving.
 */
void alloc_settle(struct alloc *alloc, struct alloc_holder *holder);
/* Frees all of the holder's addresses and what it is described by. */
void alloc_release(struct alloc *alloc, struct alloc_holder *holder);

/* The active address of a family; false: none. */
bool alloc_held(const struct alloc_holder *holder, enum ip_family family, struct ip *ret);
/* Whether it has this address, being left or not. */
bool alloc_holds(const struct alloc_holder *holder, const struct ip *ip);
/* Whether it has this address, and had it as the active one at an alloc_settle. */
bool alloc_has_settled(const struct alloc_holder *holder, const struct ip *ip);
/* Whether any address is taken for this holder, being left or not. */
bool alloc_holds_any(const struct alloc_holder *holder);

/* The pool whose ranges hold the address (reserved or not); NULL: none. */
const struct config_pool *alloc_pool_of(const struct alloc *alloc, const struct ip *ip);

/*
 * Rises whenever something became free, or can be shared that could not, or a config was
 * put in force: those who wait may be in luck.
 */
uint64_t alloc_generation(const struct alloc *alloc);

struct alloc_pool_usage {
	const char *name;
	double total[2];    /* addresses that can be given out, IPv4 and IPv6 */
	uint64_t in_use[2]; /* IPv4 and IPv6 */
};
size_t alloc_pool_count(const struct alloc *alloc);
struct alloc_pool_usage alloc_pool_usage(const struct alloc *alloc, size_t index);
/* The pool that this request may use, in the order they are tried; NULL at the end. */
const struct config_pool *alloc_eligible_pool(
	const struct alloc *alloc, const struct alloc_request *request, size_t *position);

#endif
