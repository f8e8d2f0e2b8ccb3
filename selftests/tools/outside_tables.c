/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* outside_tables BPFFS CGROUP: source ranges and Maglev, as programs find them while they change. TAP. */
#include "sock.h"
#include "../../userspace/proxy/maglev.h"
#include "xb/bpfobj.h"

#define LB "tcp4 l=203.0.113.9:80 be=ABC "

static const struct xb_svc *services;
static const struct xb_mag *lines;
static int sources;

/* The tables as they are pinned now: growth puts others in their place. */
static void look(void)
{
	static const char *const names[] = { "xb_svc", "xb_mag", "xb_src" };
	void *mem[3];
	size_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[PATH_MAX];
		int fd;

		snprintf(path, sizeof(path), "%s/xebec/v%u/maps/%s", bpffs, XB_ABI_VERSION, names[i]);
		fd = bpf_obj_get(path);
		if (fd < 0 || (i < 2 && xb_bpf_mmap(fd, &mem[i], &bytes) < 0))
			die(path);
		if (i == 2)
			sources = fd;
	}
	services = mem[0];
	lines = mem[1];
}

static bool allowed(__u32 id, const char *client)
{
	struct xb_src_key key = { .prefix_bits = 160, .id = htonl(id) };
	__u8 value;

	if (strchr(client, ':')) {
		inet_pton(AF_INET6, client, key.addr.b);
	} else {
		key.addr.be32[2] = htonl(0xffff);
		inet_pton(AF_INET, client, &key.addr.be32[3]);
	}
	return bpf_map_lookup_elem(sources, &key, &value) == 0;
}

static size_t networks(void)
{
	struct xb_src_key key, next;
	size_t n = 0;

	for (void *last = NULL; bpf_map_get_next_key(sources, last, &next) == 0; last = &key, n++)
		key = next;
	return n;
}

static void test_ranges(struct apply *a)
{
	const struct xb_svc *svc = &services[1];
	__u32 id;

	set(a, "default/lb", LB);
	is(svc->source_ranges, 0, "no ranges: all clients");
	set(a, "default/lb", LB "src=10.0.0.0/8 src=192.0.2.7/32");
	id = svc->source_ranges;
	ok(id && allowed(id, "10.1.2.3") && allowed(id, "192.0.2.7"), "clients in a range are let in");
	ok(!allowed(id, "11.0.0.1") && !allowed(id, "192.0.2.8"), "others are not");
	set(a, "default/lb", LB "src=192.0.2.7/32 src=10.0.0.0/8");
	is(svc->source_ranges, id, "the same ranges in another order: nothing changes");
	set(a, "default/lb", LB "src=0.0.0.0/0");
	ok(svc->source_ranges != id && allowed(svc->source_ranges, "8.8.8.8"), "0.0.0.0/0 lets all in, under another id");
	set(a, "default/lb6", "tcp6 l=[2001:db8::9]:80 be=A src=2001:db8:1::/48");
	ok(allowed(services[2].source_ranges, "2001:db8:1::5") && !allowed(services[2].source_ranges, "2001:db8:2::5"), "IPv6");
	set(a, "default/lb", LB);
	is(svc->source_ranges, 0, "taken away: all clients again");
}

/* --- changes while a reader looks */

struct watch {
	volatile bool stop;
	long looked, wrong;
};

/* 172.16.0.1 is in every list. */
static void *watch_list(void *arg)
{
	struct watch *w = arg;

	while (!w->stop) {
		__u32 id = __atomic_load_n(&services[1].source_ranges, __ATOMIC_ACQUIRE);
		bool in = allowed(id, "172.16.0.1") && !allowed(id, "172.32.0.1");

		/* a program that knew an old id has returned before that list goes; this thread may not have */
		if (id != __atomic_load_n(&services[1].source_ranges, __ATOMIC_ACQUIRE))
			continue;
		w->looked++;
		w->wrong += !in;
	}
	return NULL;
}

static void test_whole_lists(struct apply *a)
{
	struct watch w = {};
	pthread_t thread;

	set(a, "default/lb", LB "src=172.16.0.0/12 src=10.0.0.0/8");
	if (pthread_create(&thread, NULL, watch_list, &w))
		die("pthread_create");
	for (int i = 0; i < 150; i++)
		set(a, "default/lb", i & 1 ? LB "src=10.0.0.0/8 src=172.16.0.0/12" : LB "src=172.16.0.0/12 src=10.1.0.0/16 src=10.2.0.0/16");
	w.stop = true;
	pthread_join(thread, NULL);
	printf("# looked %ld times during 150 changes\n", w.looked);
	ok(w.looked > 100 && !w.wrong, "no reader ever sees a part of a list");
	ok(networks() <= 64, "old lists go: the table did not have to grow");
}

/* --- Maglev */

static bool table_is_for(struct xb_slice slice, const char *letters)
{
	struct xb_plan_backend backends[8];
	struct xb_plan_set set = { .backends = backends };
	_cleanup_free_ __u16 *want = NULL;

	add_backends(&set, AF_INET, letters);
	if (slice.size != maglev_size(set.n))
		return false;
	want = calloc(slice.size, sizeof(*want));
	return want && maglev_fill(&set, AF_INET, want) == 0 && !memcmp(want, lines[slice.base].position, slice.size * sizeof(*want));
}

static void test_maglev(struct apply *a)
{
	const struct xb_svc *svc = &services[3];
	struct xb_slice first;

	set(a, "default/mag", "tcp4 n=30099 be=ABC");
	is(svc->maglev.size, 0, "without maglev: no table");
	set(a, "default/mag", "tcp4 n=30099 be=ABC maglev");
	look();
	svc = &services[3];
	first = svc->maglev;
	ok(table_is_for(first, "ABC"), "a table for its backends");
	set(a, "default/mag", "tcp4 n=30099 be=ABC ext=ABC maglev");
	ok(!memcmp(&svc->maglev, &first, sizeof(first)), "no change: the same table");
	set(a, "default/mag", "tcp4 n=30099 be=AC maglev");
	look();
	svc = &services[3];
	ok(svc->maglev.base != first.base && table_is_for(svc->maglev, "AC"), "a backend goes: another table beside the old one");
	set(a, "default/mag", "tcp4 n=30099 maglev");
	is(svc->maglev.size, 0, "no backends: no table");
	for (int i = 0; i < 100; i++)
		set(a, "default/mag", i & 1 ? "tcp4 n=30099 be=ABC maglev" : "tcp4 n=30099 be=BC maglev");
	look();
	ok(table_is_for(services[3].maglev, "ABC"), "after 100 changes it is that of the last");
}

static void test_restart(struct apply **a)
{
	struct xb_svc lb, mag;
	size_t n;

	set(*a, "default/lb", LB "src=10.0.0.0/8");
	look();
	lb = services[1], mag = services[3];
	apply_close(*a);
	*a = open_tables();
	look();
	n = networks();
	is((long)n, 2, "after a restart only the lists that ports have are left");
	set(*a, "default/lb", LB "src=10.0.0.0/8");
	set(*a, "default/mag", "tcp4 n=30099 be=ABC maglev");
	is(services[1].source_ranges, lb.source_ranges, "the list that is right already stays");
	ok(!memcmp(&services[3].maglev, &mag.maglev, sizeof(mag.maglev)), "and so does the Maglev table");
	apply_prune(*a);
	look();
	is((long)services[2].source_ranges, 0, "what no list confirms goes");
	apply_remove(*a, "default/lb", AF_INET, XB_PROTO_TCP);
	apply_remove(*a, "default/mag", AF_INET, XB_PROTO_TCP);
	ok(!services[1].source_ranges && !services[3].maglev.size, "a removed port has neither");
	apply_close(*a);
	*a = open_tables();
	look();
	is((long)networks(), 0, "and leaves no network behind");
}

/* A slice that is not of the port's set, as a crash between two stores leaves it. */
static void test_mended(struct apply **a)
{
	struct xb_slice now;

	set(*a, "default/mag", "tcp4 n=30099 be=ABC maglev");
	look();
	now = services[1].maglev;
	((struct xb_mag *)lines)[now.base].position[0] ^= 1;
	apply_close(*a);
	*a = open_tables();
	set(*a, "default/mag", "tcp4 n=30099 be=ABC maglev");
	look();
	ok(table_is_for(services[1].maglev, "ABC"), "a table of an earlier set is found and replaced");
}

static void test_growth(struct apply *a)
{
	char name[32], spec[128];
	bool whole = true;

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "default/many-%d", i);
		snprintf(spec, sizeof(spec), "tcp4 l=203.0.113.%d:81 be=ABC maglev src=10.%d.0.0/16 src=11.%d.0.0/16 src=12.0.0.0/8", 20 + i, i, i);
		is(set(a, name, spec), 0, name);
	}
	look();
	for (__u32 i = 1; i <= 41; i++) {
		char client[32];

		if (!services[i].source_ranges)
			continue;
		snprintf(client, sizeof(client), "12.0.%u.1", i);
		whole &= allowed(services[i].source_ranges, client) && table_is_for(services[i].maglev, "ABC");
	}
	ok(whole && networks() == 120, "both tables grow and keep what they held");
}

int main(int argc, char **argv)
{
	struct apply *a;

	set_up(argc, argv);
	a = open_tables();
	look();
	test_ranges(a);
	test_whole_lists(a);
	test_maglev(a);
	test_restart(&a);
	test_mended(&a);
	test_growth(a);
	apply_close(a);
	return finish();
}
