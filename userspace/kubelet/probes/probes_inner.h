/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PROBES_INNER_H
#define KUBELET_PROBES_INNER_H
/* What probes.c and hook.c share. */
#include <sys/queue.h>

#include "attempt.h"
#include "probes.h"
#include "xb/map.h"

struct probe {
	struct watched *w;
	struct xb_jv spec;              /* {}: the container has none of this kind */
	enum probe_kind kind;
	enum probe_result result;       /* as it is told */
	enum probe_result last;         /* of the last attempt, and how many in a row were like it */
	unsigned run;
	uint64_t due;                   /* ms of the loop's clock; 0: it does not wait */
	uint64_t begun;
	struct attempt *attempt;        /* under way */
	uint64_t totals[3];             /* of attempts, by enum probe_result */
};

struct watched {                        /* a container */
	struct probes *p;
	struct xb_json *doc;            /* where pod and container are */
	struct xb_jv pod, container;
	char *id, *uid, *name, *pod_ip;
	uint64_t started;               /* ms of the loop's clock; may be before the loop's begin, and wrap */
	bool adopted;
	struct probe probes[3];
};

struct probes {
	struct probes_config c;
	char *user_agent;
	struct attempt_tools tools;
	uv_timer_t timer;
	struct xb_map *by_id;           /* struct watched, under its own id */
	LIST_HEAD(, hook) hooks;
};

#endif
