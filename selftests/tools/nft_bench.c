/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nft_bench SERVICES BACKENDS: what nftables mode costs, in a network namespace of its own: the first list, adopting it after a
 * restart, and changes of one service among all. Processor time of this thread, which is the kernel's too. Figures, no verdicts.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "../../userspace/proxy/data_plane.h"

#define CHANGES 20

static void _printf_(1, 2) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
	exit(1);
}

struct cost {
	double user, system;    /* ms */
	__u64 bytes, batches;
};

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static struct cost now(const void *tables)
{
	struct apply_stats s = {};
	struct rusage u;

	if (tables)
		data_plane_nftables.stats(tables, &s);
	getrusage(RUSAGE_SELF, &u);
	return (struct cost){ ms(u.ru_utime), ms(u.ru_stime), s.sent, s.publishes };
}

static void report(const char *what, struct cost a, struct cost b, unsigned n)
{
	printf("%-34s user %9.3f ms, kernel %9.3f ms, %9.1f kB in %llu batches\n", what, (b.user - a.user) / n, (b.system - a.system) / n,
	       (double)(b.bytes - a.bytes) / 1e3 / n, (unsigned long long)((b.batches - a.batches) / n));
}

/* Service i: a cluster IP, and every tenth a node port as well. */
static void set(void *tables, unsigned i, unsigned n_backends)
{
	struct xb_plan_frontend fe[2] = { { XB_FRONTEND_CLUSTER_IP, { { 10, 96 + (i >> 16), i >> 8, i } }, 80 },
					  { XB_FRONTEND_NODE_PORT, {}, (__u16)(30000 + i / 10) } };
	struct xb_plan_backend b[256] = {};
	struct xb_plan_set s = { b, n_backends, false };
	struct xb_plan_port p = {
		.family = AF_INET, .proto = XB_PROTO_TCP, .frontends = fe, .n_frontends = i % 10 ? 1 : 2, .set = { s, s, s },
	};
	char name[64];
	char *why = NULL;

	snprintf(name, sizeof(name), "namespace-%u/service-%u:http", i / 20, i);
	p.name = name;
	for (unsigned k = 0; k < n_backends; k++) {
		unsigned pod = i * 4 + k;

		b[k] = (struct xb_plan_backend){ { { 10, 128 + (pod >> 16), pod >> 8, pod } }, 8080, false };
	}
	if (data_plane_nftables.set(tables, &p, &why) < 0)
		die("%s", why ? why : "set");
}

static void commit(void *tables)
{
	char *why = NULL;

	if (data_plane_nftables.commit(tables, &why) < 0)
		die("%s", why ? why : "commit");
}

static void *open_tables(void)
{
	struct apply_config c = {};
	struct xb_plan_node node = {};
	char *why = NULL;
	void *tables;

	if (data_plane_nftables.open(&c, &tables, &why) < 0)
		die("%s", why ? why : "open");
	data_plane_nftables.set_node(tables, &node);
	return tables;
}

int main(int argc, char **argv)
{
	unsigned services = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, backends = argc > 2 ? (unsigned)atoi(argv[2]) : 4;
	struct rusage u;
	struct cost was;
	void *tables;

	if (backends < 2 || backends > 256 || unshare(CLONE_NEWNET) < 0)
		die("nft_bench SERVICES BACKENDS, as root");
	printf("%u services with %u backends\n", services, backends);
	tables = open_tables();
	was = now(tables);
	for (unsigned i = 0; i < services; i++)
		set(tables, i, backends);
	commit(tables);
	report("first list", was, now(tables), 1);
	getrusage(RUSAGE_SELF, &u);
	printf("memory of this process: %ld kB\n", u.ru_maxrss);
	was = now(tables);
	for (unsigned k = 0; k < CHANGES; k++) {
		set(tables, services / 2, backends - 1 + k % 2);
		commit(tables);
	}
	report("one endpoint more or less", was, now(tables), CHANGES);
	was = now(tables);
	for (unsigned k = 0; k < CHANGES; k++) {
		set(tables, services + k, backends);
		commit(tables);
	}
	report("one service more", was, now(tables), CHANGES);
	data_plane_nftables.close(tables);
	was = now(NULL);
	tables = open_tables();
	for (unsigned i = 0; i < services + CHANGES; i++)
		set(tables, i, backends);
	data_plane_nftables.prune(tables);
	commit(tables);
	report("restart that adopts all", was, now(tables), 1);
	data_plane_nftables.close(tables);
	return 0;
}
