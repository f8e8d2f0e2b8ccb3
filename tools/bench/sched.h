/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_SCHED_H
#define BENCH_SCHED_H
/*
 * xebec-bench sched: makes pods and watches until a scheduler, any one, has bound them. The pods are those of upstream's
 * scheduler_perf (test/integration/scheduler_perf). One thread.
 */
#include "names.h"
#include "writer.h"

struct sched_options {
	const char *kubeconfig, *context, *namespace_, *prefix, *scheduler, *output;
	char **kinds, **server_pid, **scheduler_pid;
	int pods, first, clients, seconds;
	bool help;
};

/* --- sched_pod.c --- */
struct sched_kind {
	const char *name, *cpu, *memory;
	const char *spec;       /* further members of a pod's spec; NULL for none */
	bool high_priority;     /* of the class SCHED_CLASS */
};
#define SCHED_CLASS "xebec-bench-high"
const struct sched_kind *sched_kind(struct xb_sv name);                         /* NULL: there is none */
void sched_kinds(struct xb_buf *out);                                           /* their names: "basic, spread" */
struct sched_pod {
	const struct sched_kind *kind;
	struct names names;
	unsigned index;
	const char *scheduler;
};
void sched_write_pod(const struct sched_pod *p, struct xb_buf *out);            /* appends one JSON document */
void sched_write_class(struct xb_buf *out);                                     /* of high priority */

/* --- sched_run.c --- */
struct sched_result {
	unsigned bound, failed;
	uint64_t first_sent, last_bound;                /* ns */
	struct latency since_send, since_answer;        /* of its creation, to the sight of its binding */
	struct usage server_before, server_after, scheduler_before, scheduler_after;
	uint64_t server_most, scheduler_most;           /* resident bytes */
	char *first_error;                              /* the caller's to free; NULL for none */
};
/* 0, also when pods failed or were not bound in time; -errno. */
int sched_run(const struct sched_options *o, const struct xb_kubeconfig *k, const struct target *t, struct sched_result *ret,
	      char **reterr_why);

#endif
