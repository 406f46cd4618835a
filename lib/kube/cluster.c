// SPDX-License-Identifier: Apache-2.0
/*
 * The watches that feed the plan, and the members' clock. In: objects from the API
 * server. Out: stores and members, and a call when they changed. Plans nothing.
 */
#include "herald/kube/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "herald/kube/decode.h"
#include "herald/kube/watch.h"

enum kind { SERVICES, SLICES, NODES, LEASES, KIND_COUNT };

/* One watch and what it fills. */
struct feed {
	struct cluster *cluster;
	enum kind kind;
	struct kube_watch *watch;
	struct store store; /* not of LEASES: members keep what is needed */
	bool changed;	    /* since the list began */
};

struct cluster {
	struct program *program;
	const char *self;
	struct cluster_sink sink;
	void *context;
	struct feed feeds[KIND_COUNT];
	struct members *members;
	struct timer *timer;			 /* the next death */
	struct member_timing configured, timing; /* as it stands, and for those alive */
	size_t expected;			 /* to be alive soon */
	bool leases_known, valid_at_start;
	bool sees_all, wants_cluster_ips;
};

static struct monotime now_of(const struct cluster *c)
{
	return loop_now(c->program->loop);
}

static void schedule(struct cluster *c)
{
	struct monotime now = now_of(c), next;

	if (members_next(c->members, now, &next))
		timer_start(c->timer, monotime_ms_until(now, next));
	else
		timer_stop(c->timer);
}

/* The timing follows the number of speakers alive. */
static void follow_members(struct cluster *c)
{
	struct member_timing timing =
		member_timing_for(&c->configured, members_alive(c->members) + c->expected);

	if (timing.duration_ms != c->timing.duration_ms || timing.renew_ms != c->timing.renew_ms) {
		c->timing = timing;
		members_set_timing(c->members, &timing);
		c->sink.timing_changed(c->context);
	}
}

static void members_changed(struct cluster *c)
{
	follow_members(c);
	c->sink.changed(c->context);
}

static void on_deadline(void *context)
{
	struct cluster *c = context;

	if (members_judge(c->members, now_of(c)))
		members_changed(c);
	schedule(c);
}

/*
 * Seconds since the time that a Lease of our own says, by this node's wall clock in both
 * places; negative where that is no time. Only for the question whether a restart was so
 * short that nothing needs to be announced: where the answer is wrong, the periodic
 * refresh mends it.
 */
static double own_age(const char *renew_time)
{
	struct timespec now;
	struct tm tm = {0};
	double fraction = 0;
	const char *rest = strptime(renew_time, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		return -1;
	if (*rest == '.')
		fraction = strtod(rest, NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec - timegm(&tm)) + (double)now.tv_nsec / 1e9 - fraction;
}

static void put_lease(struct cluster *c, const json_t *object)
{
	struct lease *lease = NULL;
	const struct member *own = members_find(c->members, c->self);
	struct monotime renewed = own ? own->renewed : (struct monotime){0};
	uint64_t bgp = members_bgp_generation(c->members);
	bool changed;

	if (kube_decode_lease(object, &lease, NULL) != 0)
		return;
	changed = members_put(c->members, lease, now_of(c));
	own = members_find(c->members, c->self);
	if (!c->leases_known && own && strcmp(lease->holder, c->self) == 0) {
		double age = own_age(lease->renew_time);

		c->valid_at_start = age >= 0 && age * 1000 < own->duration_ms;
	}
	free(lease);
	if (members_judge(c->members, now_of(c)) || changed)
		members_changed(c);
	else if (c->sees_all && members_bgp_generation(c->members) != bgp)
		c->sink.changed(c->context);
	if (own && own->renewed.ns != renewed.ns)
		c->sink.lease_seen(c->context);
	schedule(c);
}

static bool is_kept(const struct cluster *c, const struct service *service)
{
	return service->external_ip_count > 0 ||
	       (c->wants_cluster_ips && service->cluster_ip_count > 0) ||
	       (service->type == SERVICE_LOAD_BALANCER &&
		       (c->sees_all || service->ingress_count > 0));
}

static void *decode(enum kind kind, const json_t *object)
{
	struct service *service = NULL;
	struct endpoint_slice *slice = NULL;
	struct node *node = NULL;

	switch (kind) {
	case SERVICES:
		return kube_decode_service(object, &service, NULL) == 0 ? service : NULL;
	case SLICES:
		return kube_decode_endpoint_slice(object, &slice, NULL) == 0 ? slice : NULL;
	case NODES:
		return kube_decode_node(object, &node, NULL) == 0 ? node : NULL;
	case LEASES:
	case KIND_COUNT:
		break;
	}
	return NULL;
}

static void feed_changed(struct feed *feed)
{
	feed->changed = true;
	feed->cluster->sink.changed(feed->cluster->context);
}

/* Pods come and go by the thousand; only those behind a Service with policy Local count. */
static bool slice_matters(const struct cluster *c, const struct endpoint_slice *slice)
{
	const struct service *service =
		store_find(&c->feeds[SERVICES].store, slice->meta.namespace, slice->service);

	return service && (c->sees_all || service->traffic_local || service->internal_local);
}

static void on_put(void *context, const json_t *object)
{
	struct feed *feed = context;
	const struct object_meta *meta;
	void *decoded;
	bool matters;

	if (feed->kind == LEASES) {
		put_lease(feed->cluster, object);
		return;
	}
	decoded = decode(feed->kind, object);
	if (!decoded)
		return; /* without a name: no object that we could ever be told more about */
	meta = decoded;
	if (feed->kind == SERVICES && !is_kept(feed->cluster, decoded)) {
		bool was_there = store_remove(&feed->store, meta->namespace, meta->name);

		free(decoded);
		if (was_there)
			feed_changed(feed);
		return;
	}
	matters = feed->kind != SLICES || slice_matters(feed->cluster, decoded);
	store_put_take(&feed->store, decoded);
	if (matters)
		feed_changed(feed);
}

static bool node_exists(const void *context, const char *node)
{
	return cluster_node(context, node) != NULL;
}

/* A Lease goes with its Node, and the two watches tell it in any order. */
static void forget_members(struct cluster *c)
{
	if (kube_watch_is_synced(c->feeds[NODES].watch) &&
		members_forget(c->members, node_exists, c))
		members_changed(c);
}

static void on_gone(void *context, const json_t *object)
{
	struct feed *feed = context;
	const json_t *meta = json_object_get(object, "metadata");
	const char *namespace = json_string_value(json_object_get(meta, "namespace"));
	const char *name = json_string_value(json_object_get(meta, "name"));

	if (!name)
		return;
	if (feed->kind == LEASES)
		members_gone(feed->cluster->members, name);
	else if (store_remove(&feed->store, namespace ? namespace : "", name))
		feed_changed(feed);
	if (feed->kind == LEASES || feed->kind == NODES)
		forget_members(feed->cluster);
}

static void on_list_begin(void *context)
{
	struct feed *feed = context;

	if (feed->kind == LEASES)
		members_list_begin(feed->cluster->members);
	store_list_begin(&feed->store);
}

static void on_list_end(void *context)
{
	struct feed *feed = context;
	struct cluster *c = feed->cluster;

	store_list_end(&feed->store);
	if (feed->kind == LEASES)
		members_list_end(c->members);
	if (feed->kind == LEASES || feed->kind == NODES)
		forget_members(c);
	if (feed->kind == LEASES && !c->leases_known) {
		c->leases_known = true;
		c->sink.leases_known(c->context);
	}
	c->sink.changed(c->context);
}

static void on_failing(void *context, const struct err *error)
{
	struct feed *feed = context;

	log_warn(feed->cluster->program->log, "watch fails, retrying", "error", error->text, NULL);
}

static void feed_start(struct cluster *c, enum kind kind, const char *path, const char *labels)
{
	static const struct kube_watch_sink sink = {
		.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing,
	};
	struct kube_watch_options options = {.path = path, .label_selector = labels};
	struct feed *feed = &c->feeds[kind];

	feed->cluster = c;
	feed->kind = kind;
	feed->watch = kube_watch_new(c->program->client, &options, &sink, feed);
}

struct cluster *cluster_new(
	struct program *program, const char *self, const struct cluster_sink *sink, void *context)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	AUTO_FREE char *namespace = kube_escape(program->options.namespace);
	AUTO_FREE char *leases =
		xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", namespace);

	c->program = program;
	c->self = self;
	c->sink = *sink;
	c->context = context;
	c->members = members_new();
	c->configured = (struct member_timing){3000, 1000};
	c->timing = c->configured;
	c->timer = timer_new(program->loop, on_deadline, c);
	feed_start(c, LEASES, leases, MEMBER_COMPONENT_LABEL "=speaker");
	feed_start(c, NODES, "/api/v1/nodes", NULL);
	feed_start(c, SERVICES, "/api/v1/services", NULL);
	feed_start(c, SLICES, "/apis/discovery.k8s.io/v1/endpointslices", NULL);
	return c;
}

/* What was left out is seen by another list. What is kept beyond need goes with its Service. */
void cluster_want_cluster_ips(struct cluster *cluster, bool wanted)
{
	bool list_again = wanted && !cluster->wants_cluster_ips;

	cluster->wants_cluster_ips = wanted;
	if (!list_again)
		return;
	kube_watch_free(cluster->feeds[SERVICES].watch);
	feed_start(cluster, SERVICES, "/api/v1/services", NULL);
}

void cluster_see_all(struct cluster *cluster)
{
	cluster->sees_all = true;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		kube_watch_free(cluster->feeds[i].watch);
		store_done(&cluster->feeds[i].store);
	}
	timer_free(cluster->timer);
	members_free(cluster->members);
	free(cluster);
}

bool cluster_is_synced(const struct cluster *cluster)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!kube_watch_is_synced(cluster->feeds[i].watch))
			return false;
	}
	return true;
}

void cluster_set_timing(struct cluster *cluster, const struct config_membership *configured)
{
	cluster->configured = (struct member_timing){
		configured->lease_duration_ms, configured->renew_interval_ms};
	members_set_watchers(cluster->members, configured->bfd.on ? configured->bfd.watchers : 0);
	follow_members(cluster);
	schedule(cluster);
}

void cluster_expect(struct cluster *cluster, size_t more)
{
	cluster->expected = more;
	follow_members(cluster);
}

size_t cluster_node_count(const struct cluster *cluster)
{
	return cluster->feeds[NODES].store.count;
}

struct member_timing cluster_timing(const struct cluster *cluster)
{
	return cluster->timing;
}

const struct members *cluster_members(const struct cluster *cluster)
{
	return cluster->members;
}

const struct node *cluster_node(const struct cluster *cluster, const char *name)
{
	return store_find(&cluster->feeds[NODES].store, "", name);
}

bool cluster_has_lapsed(const struct cluster *cluster)
{
	const struct member *own = members_find(cluster->members, cluster->self);

	return !own ||
	       monotime_reached(now_of(cluster), monotime_add_ms(own->renewed, own->duration_ms));
}

const char *cluster_node_with_mac(const struct cluster *cluster, const uint8_t mac[static MAC_SIZE])
{
	for (size_t i = 0; i < members_count(cluster->members); i++) {
		const struct member *member = members_at(cluster->members, i);

		if (interface_text_has_mac(member->interfaces, mac))
			return member->node;
	}
	return NULL;
}

bool cluster_in_contact(const struct cluster *cluster)
{
	return members_in_contact(cluster->members, now_of(cluster));
}

bool cluster_was_valid_at_start(const struct cluster *cluster)
{
	return cluster->valid_at_start;
}

void cluster_fill(const struct cluster *cluster, struct plan_input *input)
{
	const struct feed *feeds = cluster->feeds;

	/* All object pointers look alike: the stores hold one kind each. */
	input->services = (const void *)feeds[SERVICES].store.items;
	input->service_count = feeds[SERVICES].store.count;
	input->slices = (const void *)feeds[SLICES].store.items;
	input->slice_count = feeds[SLICES].store.count;
	input->nodes = (const void *)feeds[NODES].store.items;
	input->node_count = feeds[NODES].store.count;
	input->members = cluster->members;
}
