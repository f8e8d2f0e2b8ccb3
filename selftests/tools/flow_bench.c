/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow_bench: what an operation on the flow table costs, and on an LRU_HASH of as many flows, one beside the other in the same run.
 * Operations are counted inside BPF_PROG_TEST_RUN, without what making keys costs; the least of several rounds, as the
 * machine has other things to do. Figures, no verdicts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include "flow_bench.skel.h"
#include "xb/bpfobj.h"
#include "xb/macro.h"

#define SETS 131072
#define FLOWS (SETS * 4)        /* of seven times as many ways */
#define ROUNDS 7
#define TIMES (1 << 18)

static struct flow_bench *b;

static void die(const char *what)
{
	fprintf(stderr, "flow_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Nanoseconds of each operation; what was done of them goes to *ret_done. */
static double run(const struct bpf_program *prog, __u32 first, __u32 keys, __u32 times, __u64 *ret_done)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .repeat = 1);

	b->bss->first = first;
	b->bss->keys = keys;
	b->bss->times = times;
	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) < 0)
		die("BPF_PROG_TEST_RUN");
	*ret_done = b->bss->done;
	return (double)opts.duration / times;
}

struct figure {
	const char *what;
	struct bpf_program *flows, *lru;
	__u32 first, keys;
	bool insert;                    /* afterwards the same are removed */
};

static void least(double *min, double t)
{
	if (!*min || t < *min)
		*min = t;
}

static void measure(const struct figure *f)
{
	double flows = 0, lru = 0, none = 0;
	__u64 in_flows = 0, in_lru = 0, any;

	for (int i = 0; i < ROUNDS; i++) {
		least(&none, run(b->progs.bench_none, f->first, f->keys, TIMES, &any));
		least(&flows, run(f->flows, f->first, f->keys, TIMES, &in_flows));
		least(&lru, run(f->lru, f->first, f->keys, TIMES, &in_lru));
		if (f->insert) {
			run(b->progs.bench_drop, f->first, f->keys, TIMES, &any);
			run(b->progs.bench_lru_drop, f->first, f->keys, TIMES, &any);
		}
	}
	printf("%-42s %6.1f ns %6.1f ns  (done %.3f, %.3f of each)\n", f->what, flows - none, lru - none, (double)in_flows / TIMES,
	       (double)in_lru / TIMES);
}

int main(void)
{
	__u64 flows, lru;

	b = flow_bench__open();
	if (!b)
		die("open");
	b->rodata->flow4_mask = SETS - 1;
	b->rodata->fe_seed = 12345;
	b->rodata->tick_shift = xb_tick_shift();
	bpf_map__set_max_entries(b->maps.xb_flow4, SETS);
	bpf_map__set_max_entries(b->maps.lru, FLOWS * 2);
	if (flow_bench__load(b) < 0)
		die("load");
	for (__u32 first = 0; first < FLOWS; first += TIMES) {
		run(b->progs.bench_put, first, 0, TIMES, &flows);
		run(b->progs.bench_lru_put, first, 0, TIMES, &lru);
		if (flows != TIMES || lru != TIMES)
			die("not all flows found room");
	}
	printf("%d flows                               the table  LRU_HASH\n", FLOWS);
	measure(&(struct figure){ "a flow, of 64 (hot)", b->progs.bench_get, b->progs.bench_lru_get, 0, 64, false });
	measure(&(struct figure){ "a flow, at random of all (cold)", b->progs.bench_get, b->progs.bench_lru_get, 0, FLOWS, false });
	measure(&(struct figure){ "none, of 64 (hot)", b->progs.bench_get, b->progs.bench_lru_get, FLOWS * 2, 64, false });
	measure(&(struct figure){ "none, at random (cold)", b->progs.bench_get, b->progs.bench_lru_get, FLOWS * 2, FLOWS, false });
	measure(&(struct figure){ "a new flow", b->progs.bench_put, b->progs.bench_lru_put, FLOWS * 2, 0, true });
	if (xb_bpf_memory(bpf_map__fd(b->maps.xb_flow4), &flows) == 0 && xb_bpf_memory(bpf_map__fd(b->maps.lru), &lru) == 0)
		printf("memory: %llu kB for %d ways, %llu kB for %d entries\n", (unsigned long long)flows / 1024, SETS * 7,
		       (unsigned long long)lru / 1024, FLOWS * 2);
	flow_bench__destroy(b);
	return 0;
}
