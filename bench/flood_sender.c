// SPDX-License-Identifier: Apache-2.0
/*
 * Frames of ARP and neighbour discovery in great numbers, for bench/flood.py: run in the
 * network namespace of a host.
 *
 *     flood_sender send KIND INTERFACE OWN BASE COUNT SECONDS RATE
 *     flood_sender ask INTERFACE OWN BASE COUNT SECONDS WINDOW PAUSE-US
 *
 * Both ask for the COUNT addresses from BASE on, of either family, as OWN. `send` does so at
 * RATE frames a second, whatever comes back; of KIND "malformed" each frame is cut short or
 * has bytes overwritten. `ask` keeps WINDOW questions open, waits PAUSE-US after an answer,
 * and gives a question up after 200 ms. A line of JSON says what came of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ARP_SIZE 42u
#define NDP_SIZE 86u
#define ADDRESSES_MAX 8192u
#define BATCH 64u
#define SAMPLES_MAX (1u << 20)
#define LOST_NS 200000000u

struct flood {
	int wire;
	bool six;
	unsigned char mac[6], own[16], base[16];
	size_t count, size; /* addresses; bytes a frame */
	unsigned char frames[ADDRESSES_MAX][NDP_SIZE];
	unsigned long long random;
};

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flood_sender: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long next_random(struct flood *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static void address_of(const struct flood *f, size_t n, unsigned char *ret)
{
	size_t size = f->six ? 16 : 4;
	size_t low;

	memcpy(ret, f->base, size);
	low = (size_t)ret[size - 2] << 8 | ret[size - 1];
	low += n;
	ret[size - 2] = (unsigned char)(low >> 8);
	ret[size - 1] = (unsigned char)low;
}

static void build_arp(const struct flood *f, const unsigned char *target, unsigned char *at)
{
	static const unsigned char fixed[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};

	memset(at, 0xff, 6);
	memcpy(at + 6, f->mac, 6);
	memcpy(at + 12, fixed, sizeof(fixed));
	memcpy(at + 22, f->mac, 6);
	memcpy(at + 28, f->own, 4);
	memcpy(at + 38, target, 4);
}

static void build_solicitation(
	const struct flood *f, const unsigned char *target, unsigned char *at)
{
	static const unsigned char fixed[] = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255};
	static const unsigned char group[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
	unsigned sum = 58 + 32;

	at[0] = at[1] = 0x33;
	memcpy(at + 6, f->mac, 6);
	memcpy(at + 12, fixed, sizeof(fixed));
	memcpy(at + 22, f->own, 16);
	memcpy(at + 38, group, sizeof(group));
	memcpy(at + 51, target + 13, 3);
	memcpy(at + 2, at + 50, 4);
	at[54] = 135;
	memcpy(at + 62, target, 16);
	at[78] = at[79] = 1;
	memcpy(at + 80, f->mac, 6);
	for (size_t i = 22; i < NDP_SIZE; i += 2)
		sum += (unsigned)at[i] << 8 | at[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	at[56] = (unsigned char)(sum >> 8);
	at[57] = (unsigned char)sum;
}

static void open_wire(struct flood *f, const char *interface)
{
	int one = 1, room = 8 << 20;
	unsigned short protocol = htons(f->six ? ETHERTYPE_IPV6 : ETHERTYPE_ARP);
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = protocol,
		.sll_ifindex = (int)if_nametoindex(interface)};
	socklen_t length = sizeof(address);

	f->wire = socket(AF_PACKET, SOCK_RAW, protocol);
	if (f->wire < 0 || bind(f->wire, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		getsockname(f->wire, (struct sockaddr *)&address, &length) != 0)
		die(interface);
	setsockopt(f->wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(f->wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	memcpy(f->mac, address.sll_addr, 6);
}

/* INTERFACE OWN BASE COUNT */
static void set_up(struct flood *f, char **args)
{
	int family = strchr(args[2], ':') ? AF_INET6 : AF_INET;
	unsigned char target[16];

	f->six = family == AF_INET6;
	f->size = f->six ? NDP_SIZE : ARP_SIZE;
	f->random = 88172645463325252u;
	f->count = (size_t)atoi(args[3]);
	if (inet_pton(family, args[1], f->own) != 1 || inet_pton(family, args[2], f->base) != 1 ||
		f->count == 0 || f->count > ADDRESSES_MAX) {
		fputs("flood_sender: bad address or count\n", stderr);
		exit(2);
	}
	open_wire(f, args[0]);
	for (size_t i = 0; i < f->count; i++) {
		address_of(f, i, target);
		if (f->six)
			build_solicitation(f, target, f->frames[i]);
		else
			build_arp(f, target, f->frames[i]);
	}
}

/* Everything behind the Ethernet header may be wrong, or missing. */
static size_t spoil(struct flood *f, unsigned char *frame)
{
	unsigned long long r = next_random(f);

	for (unsigned i = 0; i <= (r >> 32 & 3); i++) {
		unsigned long long which = next_random(f);

		frame[14 + which % (f->size - 14)] = (unsigned char)(which >> 40);
	}
	return r & 1 ? f->size : 14 + (r >> 8) % (f->size - 14);
}

static void send_batch(struct flood *f, bool malformed, size_t at)
{
	static unsigned char copies[BATCH][NDP_SIZE];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	unsigned done = 0;

	for (size_t i = 0; i < BATCH; i++) {
		unsigned char *frame = f->frames[(at + i) % f->count];

		parts[i] = (struct iovec){frame, f->size};
		if (malformed) {
			memcpy(copies[i], frame, f->size);
			parts[i] = (struct iovec){copies[i], spoil(f, copies[i])};
		}
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < BATCH) {
		int r = sendmmsg(f->wire, messages + done, BATCH - done, 0);

		if (r < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("send");
		done += r > 0 ? (unsigned)r : 0;
	}
}

/* KIND INTERFACE OWN BASE COUNT SECONDS RATE */
static int run_send(struct flood *f, char **args)
{
	bool malformed = strcmp(args[0], "malformed") == 0;
	unsigned long long begin, end, sent = 0;
	double rate = atof(args[6]);
	const int yes = 1;

	set_up(f, args + 1);
	/* What is sent goes straight to the link, past queues and other listeners. */
	if (setsockopt(f->wire, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) != 0)
		die("bypass the queue");
	begin = now_ns();
	end = begin + (unsigned long long)(atof(args[5]) * 1e9);
	for (unsigned long long now = begin; now < end; now = now_ns()) {
		if ((double)sent > rate * (double)(now - begin) / 1e9) {
			usleep(200);
			continue;
		}
		send_batch(f, malformed, (size_t)(sent % f->count));
		sent += BATCH;
	}
	printf("{\"sent\": %llu, \"seconds\": %.3f}\n", sent, (double)(now_ns() - begin) / 1e9);
	return 0;
}

struct asking {
	unsigned long long asked[ADDRESSES_MAX]; /* when; 0: not open */
	unsigned long long answers, lost;
	size_t open, next;
	float samples[SAMPLES_MAX]; /* microseconds */
	size_t sample_count;
};

static void ask(struct flood *f, struct asking *a)
{
	size_t n = a->next++ % f->count;

	if (a->asked[n] != 0) {
		a->lost++;
		a->open--;
	}
	a->asked[n] = now_ns();
	a->open++;
	if (send(f->wire, f->frames[n], f->size, 0) < 0 && errno != ENOBUFS)
		die("send");
}

static bool is_answer(const struct flood *f, const unsigned char *frame, ssize_t length)
{
	if (length < (ssize_t)ARP_SIZE || memcmp(frame, f->mac, 6) != 0)
		return false;
	return f->six ? length >= 78 && frame[20] == 58 && frame[54] == 136
		      : frame[20] == 0 && frame[21] == 2;
}

static void hear(struct flood *f, struct asking *a)
{
	unsigned char frame[256];
	ssize_t length;

	while ((length = recv(f->wire, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		const unsigned char *end = f->six ? frame + 78 : frame + 32;
		size_t base = (size_t)f->base[f->six ? 14 : 2] << 8 | f->base[f->six ? 15 : 3];
		size_t n = ((size_t)end[-2] << 8 | end[-1]) - base;

		if (!is_answer(f, frame, length) || n >= f->count || a->asked[n] == 0)
			continue;
		if (a->sample_count < SAMPLES_MAX)
			a->samples[a->sample_count++] = (float)(now_ns() - a->asked[n]) / 1000.0f;
		a->asked[n] = 0;
		a->answers++;
		a->open--;
	}
}

static void give_up_old(const struct flood *f, struct asking *a)
{
	unsigned long long now = now_ns();

	for (size_t i = 0; i < f->count; i++) {
		if (a->asked[i] == 0 || now - a->asked[i] < LOST_NS)
			continue;
		a->asked[i] = 0;
		a->lost++;
		a->open--;
	}
}

static int compare_samples(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void tell(struct asking *a, double seconds)
{
	size_t count = a->sample_count;

	qsort(a->samples, count, sizeof(*a->samples), compare_samples);
	printf("{\"answers\": %llu, \"lost\": %llu, \"seconds\": %.3f, \"median_us\": %.1f, "
	       "\"p99_us\": %.1f}\n",
		a->answers, a->lost, seconds, count ? (double)a->samples[count / 2] : 0.0,
		count ? (double)a->samples[count - 1 - count / 100] : 0.0);
}

/* INTERFACE OWN BASE COUNT SECONDS WINDOW PAUSE-US */
static int run_ask(struct flood *f, char **args)
{
	static struct asking a;
	size_t window = (size_t)atoi(args[5]);
	useconds_t pause = (useconds_t)atoi(args[6]);
	unsigned long long begin, end;

	set_up(f, args);
	begin = now_ns();
	end = begin + (unsigned long long)(atof(args[4]) * 1e9);
	while (now_ns() < end) {
		struct pollfd wire = {.fd = f->wire, .events = POLLIN};

		while (a.open < window && a.open < f->count)
			ask(f, &a);
		if (poll(&wire, 1, 20) == 0)
			give_up_old(f, &a);
		hear(f, &a);
		if (pause)
			usleep(pause);
		give_up_old(f, &a);
	}
	tell(&a, (double)(now_ns() - begin) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	static struct flood flood;

	if (argc == 9 && strcmp(argv[1], "send") == 0)
		return run_send(&flood, argv + 2);
	if (argc == 9 && strcmp(argv[1], "ask") == 0)
		return run_ask(&flood, argv + 2);
	fputs("usage: see the opening of bench/flood_sender.c\n", stderr);
	return 2;
}
