/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_PODS_H
#define KUBELET_PODS_H
/*
 * The pods of this node, from the first sight of one to its last trace: sources (API server, static files with mirror pods), one
 * worker each, status, end. One loop, one thread.
 */
#include "cgroups/cgroups.h"
#include "facts.h"
#include "images/images.h"
#include "objects.h"
#include "probes/probes.h"
#include "runtime/runtime.h"
#include "volumes/volumes.h"
#include "xb/recorder.h"
#include "xb/rest.h"

struct pods;
struct pod;
/* configuration and pods_new: see the part itself */

struct pod *pods_find(const struct pods *p, const char *namespace_, const char *name);
struct pod *pods_find_uid(const struct pods *p, const char *uid);
void pods_each(const struct pods *p, void (*each)(void *arg, struct pod *pod), void *arg);
struct xb_jv pod_document(const struct pod *pod);       /* as wanted */
struct xb_jv pod_status(const struct pod *pod);         /* as it was last made here; {} before */

/* A container as the runtime has it. Strings are borrowed until the loop turns. */
struct pod_container {
	const char *id, *name, *log_path;
	unsigned attempt;
	bool running;
	int32_t exit_code;
	int64_t started_ns, finished_ns;
};
/* The newest of that name, or with previous the newest that is over and not it. -ENOENT. */
int pod_container(const struct pod *pod, const char *name, bool previous, struct pod_container *ret);
const char *pod_sandbox_id(const struct pod *pod);      /* of the running one; NULL */

/* Ends it: phase Failed with reason ("Evicted") and message; grace in seconds. */
int pods_evict(struct pods *p, struct pod *pod, const char *reason, const char *message, uint64_t grace_s);

#endif
