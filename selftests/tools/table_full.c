/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table_full BPFFS CGROUP: each table at its largest size: what is refused, in which words, and that the rest stays. TAP. */
#include "sock.h"

#define MANY 2000                   /* of one port; a block takes the next power of two */

static struct xb_plan_backend backends[MANY];
static struct xb_plan_frontend frontends[MANY];

static void set_one(struct apply *a, struct xb_plan_port *p, int number, int *ret, char **reterr_why)
{
	char name[32];

	snprintf(name, sizeof(name), "default/fill-%d", number);
	p->name = name;
	p->family = AF_INET;
	p->proto = XB_PROTO_TCP;
	*ret = apply_set(a, p, reterr_why);
}

static struct xb_plan_port nothing(int number)
{
	return (struct xb_plan_port){};
}

static struct xb_plan_port some_backends(int number)
{
	for (int i = 0; i < MANY; i++)
		backends[i] = (struct xb_plan_backend){ .addr.b = { 10, (__u8)(100 + number), (__u8)(i >> 8), (__u8)i }, .port = 1 };
	return (struct xb_plan_port){ .set = { { .backends = backends, .n = MANY } } };
}

static struct xb_plan_port some_frontends(int number)
{
	for (int i = 0; i < 100; i++)
		frontends[i] = (struct xb_plan_frontend){ XB_FRONTEND_EXTERNAL_IP, { { 203, 0, (__u8)number, (__u8)i } }, 80 };
	return (struct xb_plan_port){ .frontends = frontends, .n_frontends = 100 };
}

static struct xb_plan_port some_ranges(int number)
{
	static struct xb_plan_net ranges[10];

	for (int i = 0; i < 10; i++)
		ranges[i] = (struct xb_plan_net){ .addr.b = { 11, (__u8)number, (__u8)i }, .bits = 24 };
	return (struct xb_plan_port){ .source_ranges_set = true, .source_ranges = ranges, .n_source_ranges = 10 };
}

static struct xb_plan_port a_maglev(int number)
{
	struct xb_plan_port p = some_backends(number);

	p.set[XB_SCOPE_OUTSIDE] = (struct xb_plan_set){ .backends = backends, .n = 10 };
	p.set[XB_SCOPE_INTERNAL].n = 0;
	p.maglev = true;
	return p;
}

static void test_full(const char *table, __u32 most, struct xb_plan_port (*make)(int number))
{
	_cleanup_free_ char *why = NULL;
	struct apply_stats before, after;
	struct xb_plan_port p;
	struct apply *a;
	int r = 0, n = 0;

	table_size_most = most;
	a = open_tables();
	set(a, "default/web", "tcp4 c=10.96.0.10:80 be=A");
	for (; n < 1000 && r == 0; n++) {
		apply_stats(a, &before);
		p = make(n);
		set_one(a, &p, n, &r, &why);
	}
	is(r, -ENOSPC, table);
	has_text(why, table, "the sentence names it");
	has_text(why, "is full and cannot grow", "and says what is the matter");
	apply_stats(a, &after);
	ok(after.ports == before.ports && after.frontends == before.frontends && after.backends == before.backends, "nothing was changed");
	is(ask(SOCK_STREAM, "10.96.0.10:80").letter, 'A', "what is there serves on");
	apply_remove(a, "default/fill-0", AF_INET, XB_PROTO_TCP);
	p = make(n - 1);
	set_one(a, &p, n - 1, &r, NULL);
	is(r, 0, "when another goes, there is room");
	apply_close(a);
	apply_cleanup(bpffs, NULL);
}

/* A port that has backends, and does not get more. */
static void test_keeps_what_it_had(void)
{
	struct xb_plan_port p = some_backends(1);
	_cleanup_free_ char *why = NULL;
	struct apply *a;
	int r;

	table_size_most = 16384;
	a = open_tables();
	for (int i = 0; i < 8; i++) {
		p = some_backends(i);
		set_one(a, &p, i, &r, NULL);
		if (i == 6)
			is(set(a, "default/web", "tcp4 c=10.96.0.10:80 be=A"), 0, "a service beside large ones");
	}
	p = some_backends(9);
	p.name = (char *)"default/web";
	p.family = AF_INET;
	p.proto = XB_PROTO_TCP;
	is(apply_set(a, &p, &why), -ENOSPC, "has no room for as many backends");
	is(ask(SOCK_STREAM, "10.96.0.10:80").letter, 'A', "and keeps those that it had");
	apply_close(a);
	apply_cleanup(bpffs, NULL);
}

int main(int argc, char **argv)
{
	set_up(argc, argv);
	test_full("xb_svc", 512, nothing);
	test_full("xb_be4", 16384, some_backends);
	test_full("xb_fe4", 256, some_frontends);
	test_full("xb_src", 64, some_ranges);
	test_full("xb_mag", 128, a_maglev);
	test_keeps_what_it_had();
	return finish();
}
