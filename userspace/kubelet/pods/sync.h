/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_SYNC_H
#define KUBELET_PODS_SYNC_H
/*
 * What is to be done next for a pod that should run: its document against what the runtime has. Pure; the rules are those of
 * upstream's kuberuntime computePodActions. A plan says first steps only: who has done them looks and plans again.
 */
#include "observed.h"
#include "../probes/probes.h"
#include "../spec/spec.h"

struct sync_input {
	struct xb_jv pod, status;       /* status: as it was last told */
	const struct observed *observed;
	int64_t began_ns;               /* wall clock: since when this kubelet sees what is done */
	enum probe_result (*probe)(void *arg, const char *container_id, enum probe_kind kind);
	void *arg;
};
struct sync_start {
	struct xb_jv container;
	enum spec_container_kind kind;
	struct xb_sv name;
	unsigned attempt;
	int64_t not_before_ns;          /* 0: at once; later than now: it waits, CrashLoopBackOff */
	unsigned delay_s;               /* which is that long */
};
enum sync_cause { SYNC_CHANGED, SYNC_LIVENESS, SYNC_STARTUP, SYNC_LOST };
struct sync_kill {
	const struct observed_container *observed;
	struct xb_jv container;
	enum sync_cause cause;
	bool replaced;                  /* another is to take its place: tell observed_container so when it is ended */
	char *message;                  /* of the Event: "Container x failed liveness probe, will be restarted" */
};
/* At most one of: kill_pod, create_sandbox, or kills and starts. Views are of the input's. */
struct sync_plan {
	bool kill_pod;                  /* nothing is to run any more: the pod is over when all of it has ended */
	bool create_sandbox;            /* when all that runs of another one has ended */
	bool sandbox_changed;           /* there was one before */
	unsigned sandbox_attempt;
	struct sync_start *starts;      /* in the order in which they are to start, one after the other */
	struct sync_kill *kills;        /* before any start; at once */
	size_t n_starts, n_kills;
};
int sync_plan(const struct sync_input *in, struct sync_plan *ret); /* 0 or -ENOMEM */
void sync_plan_done(struct sync_plan *p);
#define _cleanup_plan_ _cleanup_(sync_plan_done)

/*
 * How long after its end a container waits to be started again: 0, 10 s, doubled up to 5 min; 0 again when it had run for ten
 * minutes. Read from the runtime's times alone: what the last one had waited is between its making and the end before it. A start that
 * failed before this kubelet began may have been cut off by its predecessor's end, since containerd gives up what nobody waits for: 0.
 */
unsigned sync_delay_s(const struct observed *o, const struct observed_container *last, int64_t began_ns);

/* Upstream's ShouldContainerBeRestarted: it is not there, or has ended and its pod's policy brings it back. */
bool sync_restarts(struct xb_jv pod, enum spec_container_kind kind, const struct observed_container *newest);
/* What a status says of a container of that name, in whichever list; {} for nothing. */
struct xb_jv sync_told(struct xb_jv status, struct xb_sv name);
/* A main container was made in the newest sandbox, so that its init containers have all run. */
bool sync_initialized(struct xb_jv pod, const struct observed *o);

#endif
