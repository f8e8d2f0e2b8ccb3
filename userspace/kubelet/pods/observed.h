/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_OBSERVED_H
#define KUBELET_PODS_OBSERVED_H
/*
 * What the runtime has of one pod: its sandboxes and containers, the newest first. Plain data, which sync.c and status.c are pure
 * functions of. Times are the runtime's: nanoseconds of wall clock, 0 for not yet.
 */
#include <stdbool.h>
#include <stdint.h>
#include "xb/str.h"

enum observed_state { OBSERVED_CREATED, OBSERVED_RUNNING, OBSERVED_EXITED, OBSERVED_UNKNOWN };

struct observed_container {
	char *id, *sandbox_id, *name;
	char *image, *image_ref;        /* as it was named; the image's ID */
	char *reason, *message;         /* of its end; message: with what it left as its last words */
	char *log_path;                 /* whole */
	char *message_path;             /* the host's file of its termination message; NULL: none */
	char *grace;                    /* the pod's grace when it was made, seconds as text; NULL: not noted */
	bool message_of_log;            /* FallbackToLogsOnError */
	bool whole;                     /* more than a list says is known of this state */
	bool told;                      /* that it is being ended, and its preStop hook had its time */
	bool replaced;                  /* was ended so that another takes its place, whatever the pod's policy */
	enum observed_state state;
	unsigned attempt;               /* is its restartCount */
	uint64_t hash;                  /* spec_hash() of what it was made of */
	int32_t exit_code;
	int64_t created_ns, started_ns, finished_ns;
};
struct observed_sandbox {
	char *id;
	char *ips[2];                   /* NULL-ended unless full; the first is the primary one */
	unsigned attempt;
	bool ready, host_network;
	bool whole;                     /* as above */
	bool stopping, stopped;         /* by us: its network is taken down, which one that died still has */
	int64_t created_ns;
};
struct observed {
	struct observed_sandbox *sandboxes;
	struct observed_container *containers;
	size_t n_sandboxes, n_containers;
};
void observed_done(struct observed *o);
void observed_container_done(struct observed_container *c);
void observed_sandbox_done(struct observed_sandbox *s);

/* All NULL for none; borrowed until o changes. */
const struct observed_container *observed_newest(const struct observed *o, struct xb_sv name);
const struct observed_container *observed_before(const struct observed *o, const struct observed_container *c); /* the one it followed */
const struct observed_container *observed_by_id(const struct observed *o, const char *id);
const struct observed_sandbox *observed_ready_sandbox(const struct observed *o); /* the newest, when it is ready */
bool observed_runs(const struct observed *o);           /* any container may be running */

#endif
