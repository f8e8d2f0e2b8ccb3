/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_VOLUME_PLAN_H
#define KUBELET_VOLUME_PLAN_H
/*
 * One volume of a pod, in two steps: planned on the loop from what is known there, then made on the pool from the plan alone.
 * Faults are upstream's words for what stands behind `MountVolume.SetUp failed for volume "x" : `, new, the caller's to free.
 */
#include <sys/types.h>
#include "../facts.h"
#include "../objects.h"
#include "atomic.h"
#include "claim.h"
#include "token.h"
#include "xb/json.h"

struct volume_plan {
	char *name;                     /* in the pod's spec */
	char *shown;                    /* in Events, when another: the PersistentVolume's */
	const char *step;               /* what failed, when another than upstream's "MountVolume.SetUp" */
	const char *folder;             /* of its kind, below the pod's volumes/; NULL: not there */
	char *path, *type;              /* hostPath and local: where it is, and what it must be */
	bool in_memory;
	uint64_t size;                  /* of a tmpfs; 0: no limit */
	bool has_group, on_root_mismatch;
	gid_t group;                    /* fsGroup */
	struct volume_files files;      /* of projected ones */
	/* On the pool. pod: its folder. */
	int (*make)(int pod, const struct volume_plan *p, char **reterr_why);
};
void volume_plan_done(struct volume_plan *p);

struct plan_input {
	const struct facts *facts;
	const struct objects *objects;
	struct tokens *tokens;          /* NULL: without an API server; likewise claims */
	struct claims *claims;
	struct xb_jv pod;
	const char *uid, *namespace_;
	const char *const *pod_ips;
	bool fresh;                     /* what failed before is asked anew */
};
/* Does a container of the pod mount the volume? One that none mounts is left alone. */
bool volume_is_used(struct xb_jv pod, struct xb_jv volume);
/* Fills *p, which the caller empties also after a fault. -EINPROGRESS: asked for, tokens' or claims' arrived will be called; -EAGAIN:
 * objects' changed will; others: reterr_why, of which *ret_whole says that nothing belongs before it. */
int volume_plan(const struct plan_input *in, struct xb_jv volume, struct volume_plan *p, bool *ret_whole, char **reterr_why);
/* Where containers get the volume from; appended. -ENOENT: not known (a claim's, before it was planned). */
int volume_path(const char *pod_folder, const struct claims *claims, const char *uid, struct xb_jv volume, struct xb_buf *out,
		bool *ret_read_only);

/* --- the kinds; source is the member of the volume that says which it is --- */

#define VOLUME_EMPTY_DIR "kubernetes.io~empty-dir"
int emptydir_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
int emptydir_make(int pod, const struct volume_plan *p, char **reterr_why);
int hostpath_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
int hostpath_make(int pod, const struct volume_plan *p, char **reterr_why);
int local_make(int pod, const struct volume_plan *p, char **reterr_why);
int config_map_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
int secret_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
int downward_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
int projected_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
/* Opens, making what is missing, <pod>/volumes/<folder>/ for the plan's kind. */
int volume_folder(int pod, const struct volume_plan *p);
/* What a tmpfs of the pod may take: the node's memory, its own limit, and what else is said; 0: no limit. */
uint64_t volume_memory(const struct facts *f, struct xb_jv pod, struct xb_jv size_limit);

#endif
