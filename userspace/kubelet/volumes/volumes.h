/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_VOLUMES_H
#define KUBELET_VOLUMES_H
/*
 * Folders, mounts and files of pods below <root_dir>/pods/<uid>: volumes by kind, each container's mounts, its termination
 * message file, the pod's /etc/hosts. Everything is idempotent and found again on disk after a kill. The work itself is on
 * libuv's pool, one job a pod at a time, in the order in which they were asked for; callbacks are on the loop, never from within
 * the call that asked.
 */
#include "../facts.h"
#include "../objects.h"
#include "../spec/spec.h"
#include "xb/rest.h"

struct volumes;
struct volumes_config {
	uv_loop_t *loop;
	struct xb_rest *rest;           /* claims, volumes, token requests; NULL: static pods only */
	const struct facts *facts;
	const struct objects *objects;
	/* The Node object, for nodeAffinity of PersistentVolumes; {} before it is known. May be NULL. */
	struct xb_jv (*node)(void *arg);
	/* What a running pod's volumes show should be brought up to date (a token is old): call volumes_setup again. */
	void (*stale)(void *arg, const char *uid);
	void *arg;
};
/* Makes <root_dir>/pods. reterr_why names it. */
int volumes_new(const struct volumes_config *c, struct volumes **ret, char **reterr_why);
/* Nothing is called back any more. What is on the pool ends; the loop must turn until then. Before its rest and objects. */
struct volumes *volumes_free(struct volumes *v);
XB_DEFINE_CLEANUP(struct volumes *, volumes_free)

/* done: 0; -EAGAIN: something named is not known yet, objects' changed will tell; -ECANCELED: a teardown was asked for meanwhile;
 * other -errno: why in the words of upstream's Event FailedMount ("MountVolume.SetUp failed for volume \"x\" : configmap \"y\" not
 * found"), borrowed; when to try again is the caller's to say. Other volumes of the pod are made nevertheless. */
typedef void volumes_done(void *arg, int error, const char *why);
/* Makes every volume of the pod that a container mounts ready, and brings projected ones up to date (atomically: a new ..data). Cheap
 * when nothing differs: a few system calls a volume. pod_ips: NULL before they are known. 0 or -ENOMEM; then done is not called. */
int volumes_setup(struct volumes *v, struct xb_jv pod, const char *const *pod_ips, volumes_done *done, void *arg);
bool volumes_ready(const struct volumes *v, const char *uid);   /* the first setup of this process has succeeded */

/* A container's mounts, after a setup: volumeMounts with subPath and subPathExpr done safely (openat2, bound below
 * volume-subpaths/), /etc/hosts, the termination message file. Result in the caller's arena, which stays until done, as what in points
 * to does. done's why is for the container's waiting state (CreateContainerConfigError). */
struct volumes_mounts {
	struct xb_arena *arena;
	Runtime__V1__Mount **mounts;
	size_t n;
};
int volumes_prepare(struct volumes *v, const struct spec_input *in, unsigned attempt, Runtime__V1__KeyValue *const *env, size_t n_env,
		    struct volumes_mounts *m, volumes_done *done, void *arg);
/* What a container that is over left for its termination message: at most 4096 bytes of the file, with fallback
 * (FallbackToLogsOnError, and it failed) of its log when the file is empty (the last 80 lines, 2048 bytes). Small files; read at once.
 * Appended. */
void volumes_termination_message(struct volumes *v, const char *host_path, bool fallback, const char *log_path, struct xb_buf *out);

/* The pod is over: unmounts and removes everything of it; what a still busy mount holds is an error and tried again by the caller.
 * Then volumes_forget. */
int volumes_teardown(struct volumes *v, const char *uid, volumes_done *done, void *arg);
/* Folders of pods, known or not: each uid, once at the start, for the caller to tear down those that nobody knows. */
int volumes_each_on_disk(struct volumes *v, void (*each)(void *arg, const char *uid), void *arg);
void volumes_forget(struct volumes *v, const char *uid);        /* what is asked for is not called back any more */
/* Bytes and inodes that a pod's emptyDirs (those on disk) and logs take, for eviction and statistics; on the pool, beside its jobs. */
struct volumes_usage {
	uint64_t empty_dir_bytes, log_bytes, inodes;
	const char *exceeded;           /* an emptyDir takes more than its sizeLimit: that, as the message of upstream's eviction; borrowed.
					 * NULL: none does */
};
int volumes_usage(struct volumes *v, struct xb_jv pod, void (*done)(void *arg, const struct volumes_usage *u), void *arg);

#endif
