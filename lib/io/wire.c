// SPDX-License-Identifier: Apache-2.0
/*
 * The only file that knows libpcap. In: an interface's name. Out: the frames of ARP and
 * neighbour discovery that come in there, and a way to send. Parses nothing.
 *
 * The ring is small, since these are few and a burst that overflows it is only asked
 * again; frames are delivered at once (immediate mode), since a waiting client is slower
 * than a wake-up. Not promiscuous: unicast to other stations is not our business.
 */
#include "herald/io/wire.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "herald/io/wire_filter.h"

#define BUFFER_SIZE (512 * 1024) /* bytes of ring per interface: some 1500 frames */
#define BATCH 256		 /* frames handled before the loop gets its turn */

struct wire {
	pcap_t *pcap;
	struct fd_watch *watch;
	struct wire_sink sink;
	bool *closed; /* set by wire_close while frames are being handed over */
	char interface[16];
};

static int fail(struct err *e, const char *what, const char *interface, pcap_t *pcap, int status)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(e, -EPERM,
			"cannot %s `%s`: not permitted; the speaker needs the capability "
			"CAP_NET_RAW",
			what, interface);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(e, -ENODEV, "cannot %s `%s`: no such interface", what, interface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(e, -ENETDOWN, "cannot %s `%s`: it is down", what, interface);
	default:
		return err_set(e, -EIO, "cannot %s `%s`: %s", what, interface, pcap_geterr(pcap));
	}
}

static const struct ip_prefix everything[] = {
	{.address = {.family = IP_V4}}, {.address = {.family = IP_V6}}};

/* Put in the place of the last one at once: libpcap's own way drops what comes meanwhile. */
static int attach(pcap_t *pcap, const struct ip_prefix *networks, size_t count)
{
	struct sock_filter items[WIRE_FILTER_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)wire_filter_build(networks, count, items),
		.filter = items,
	};

	return setsockopt(pcap_fileno(pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)) == 0
		       ? 0
		       : -errno;
}

/* The first one, by libpcap: what came before it was there is dropped. And what this node
   sends itself is not even copied; kernels before 4.20 can't do that, and libpcap leaves it
   out. */
static int set_filter(pcap_t *pcap, const char *interface, struct err *e)
{
	struct sock_filter items[WIRE_FILTER_MAX];
	struct bpf_insn copy[WIRE_FILTER_MAX]; /* the same by another name */
	struct bpf_program program = {.bf_insns = copy};
	const int yes = 1;
	int r;

	program.bf_len = (unsigned)wire_filter_build(everything, 2, items);
	for (unsigned i = 0; i < program.bf_len; i++)
		copy[i] = (struct bpf_insn){items[i].code, items[i].jt, items[i].jf, items[i].k};
	setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	r = pcap_setfilter(pcap, &program);
	return r == 0 ? 0 : fail(e, "set the filter on", interface, pcap, r);
}

static int activate(pcap_t *pcap, const char *interface, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int r;

	pcap_set_snaplen(pcap, WIRE_SNAP_LENGTH);
	pcap_set_promisc(pcap, 0);
	pcap_set_immediate_mode(pcap, 1);
	pcap_set_buffer_size(pcap, BUFFER_SIZE);
	r = pcap_activate(pcap);
	if (r < 0)
		return fail(e, "capture on", interface, pcap, r);
	if (pcap_datalink(pcap) != DLT_EN10MB)
		return err_set(e, -EPROTONOSUPPORT, "cannot capture on `%s`: it is not Ethernet",
			interface);
	r = set_filter(pcap, interface, e);
	if (r != 0)
		return r;
	if (pcap_setdirection(pcap, PCAP_D_IN) != 0)
		return fail(e, "choose the direction on", interface, pcap, PCAP_ERROR);
	if (pcap_setnonblock(pcap, 1, text) != 0)
		return err_set(
			e, -EIO, "cannot capture on `%s` without blocking: %s", interface, text);
	return 0;
}

static void hand_over(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct wire *wire = (void *)context;

	if (*wire->closed)
		return;
	wire->sink.frame(wire->sink.context, bytes, header->caplen);
}

static void on_readable(void *context, unsigned events)
{
	struct wire *wire = context;
	bool closed = false;
	struct err e;
	int r;

	(void)events;
	wire->closed = &closed;
	r = pcap_dispatch(wire->pcap, BATCH, hand_over, context);
	if (closed) {
		pcap_close(wire->pcap);
		free(wire);
		return;
	}
	wire->closed = NULL;
	if (r >= 0 || r == PCAP_ERROR_BREAK)
		return;
	fd_watch_set(wire->watch, 0);
	fail(&e, "go on capturing on", wire->interface, wire->pcap, r);
	wire->sink.down(wire->sink.context, &e);
}

int wire_open(struct loop *loop, const char *interface, const struct wire_sink *sink,
	struct wire **ret, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(interface, text);
	struct wire *wire;
	int r;

	if (!pcap)
		return err_set(e, -EIO, "cannot capture on `%s`: %s", interface, text);
	r = activate(pcap, interface, e);
	if (r != 0) {
		pcap_close(pcap);
		return r;
	}
	wire = xcalloc(1, sizeof(*wire));
	wire->pcap = pcap;
	wire->sink = *sink;
	strncpy(wire->interface, interface, sizeof(wire->interface) - 1);
	wire->watch = fd_watch_new(loop, pcap_get_selectable_fd(pcap), on_readable, wire);
	fd_watch_set(wire->watch, FD_READABLE);
	*ret = wire;
	return 0;
}

int wire_send(struct wire *wire, const uint8_t *bytes, size_t length, struct err *e)
{
	if (pcap_inject(wire->pcap, bytes, length) == (int)length)
		return 0;
	return fail(e, "send on", wire->interface, wire->pcap, PCAP_ERROR);
}

int wire_heed(struct wire *wire, const struct ip_prefix *networks, size_t count, struct err *e)
{
	int r = attach(wire->pcap, networks, count);

	if (r != 0)
		attach(wire->pcap, everything, 2);
	return r == 0 ? 0
		      : err_set(e, r, "cannot set the filter on `%s`: %s", wire->interface,
				strerror(-r));
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	fd_watch_free(wire->watch);
	if (wire->closed) {
		*wire->closed = true; /* inside pcap_dispatch: on_readable frees */
		return;
	}
	pcap_close(wire->pcap);
	free(wire);
}

const struct wire_driver wire_pcap = {
	.open = wire_open,
	.send = wire_send,
	.heed = wire_heed,
	.close = wire_close,
};
