/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_KCM_H
#define CONTROLLERS_KCM_H
/*
 * What the loops of kube-controller-manager share. A loop brings the objects of a kind to what they ask for, one key at a
 * time (work.h); what it knows of the cluster are the shared copies of the cache, as bytes, and their indexes.
 *
 * To add a loop:
 *   1. <loop>.c in its family's folder: a start, which asks for what the loop reads (xb_cache_of, kcm_index), follows changes
 *      (xb_cache_follow), and makes its queue (kcm_queue_new); a sync, which works on one key; a stop;
 *   2. its start and stop in loops.h, its row in the table of kcm.c, with its service account, its object in Kbuild;
 *   3. its flags in options.c, by upstream's names;
 *   4. its pure parts in selftests/unit/control/controllers/<family>/<loop>.c, the rest in selftests/live/controllers_<loop>.t;
 *   5. its line in README.md.
 * workloads/replicas.c is the pattern.
 */
#include "options.h"
#include "xb/cache.h"
#include "xb/owner.h"
#include "xb/recorder.h"
#include "xb/vec.h"

struct kcm_process;

/* What a loop is given: its own. That of kcm_new is the process's. */
struct kcm {
	uv_loop_t *loop;
	struct xb_rest *rest;           /* sends in the loop's name; not before the queues begin */
	struct xb_rest *watch_rest;     /* the process's, for what is read from the start: copies, watches */
	struct xb_cache *cache;         /* all loops' */
	struct xb_recorder *recorder;
	const struct kcm_options *options;
	const char *root_ca;            /* PEM of the CA that the API server's certificate is from; "" when it has none */
	struct kcm_process *process;
};

struct kcm_loop {
	const char *name;               /* upstream's, for --controllers: "replicaset-controller" */
	/* The service account in kube-system whose token its requests carry with --use-service-account-credentials, upstream's:
	 * "replicaset-controller". NULL: it uses the process's own. */
	const char *account;
	/* Called in one turn of the loop for all; nothing is known yet and nothing may be written. 0 or -errno. */
	int (*start)(struct kcm *k, void **ret);
	/* Every copy is whole; queues begin to hand out right after. NULL: nothing more to do. */
	void (*run)(void *loop);
	void (*stop)(void *loop);       /* cancels what is under way, frees */
};

struct kcm_config {
	struct xb_rest *rest;
	struct xb_recorder *recorder;
	const struct kcm_options *options;
	const char *root_ca;
};
/* Starts the loops that --controllers names. Borrows what c points to. Logs which one cannot start, and why. */
int kcm_new(const struct kcm_config *c, struct kcm **ret);
struct kcm *kcm_free(struct kcm *k);                    /* before its rest and recorder */
XB_DEFINE_CLEANUP(struct kcm *, kcm_free)
void kcm_write_metrics(const struct kcm *k, struct xb_buf *out); /* of all queues; k may be NULL */

const struct xb_kind *kcm_kind(const char *group, const char *version, const char *plural); /* of a kind that is served */
/* The index of a copy by keys, made once however many loops ask for it. NULL without memory. */
struct xb_index *kcm_index(struct kcm *k, const struct xb_kind *kind, xb_index_keys *keys);
xb_index_keys kcm_by_controller;        /* the controller's uid; of an orphan "<namespace>/" */
xb_index_keys kcm_by_namespace;
xb_index_keys kcm_by_node;              /* of pods: spec.nodeName, when they have one */
/* The object that controls another one of its namespace, from the copy of its kind; {} when it is of another kind, or gone. */
struct xb_jv kcm_owner(const struct xb_informer *copy, const struct xb_kind *kind, struct xb_jv object);

#endif
