/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_CACHE_H
#define SCHEDULER_CACHE_H
/*
 * The cluster as decisions see it: nodes by number, what they have and what is taken of it, and every pod that takes something.
 * A pod that was bound by us counts at once (it is assumed) and is confirmed by the watch. Changes are applied in place;
 * one thread, so a decision sees one state. A node's number stays while it is there; the numbers of nodes that went are used
 * again once no pod counts there.
 */
#include "groups.h"
#include "pod.h"
#include "storage.h"
#include "xb/map.h"

struct sched_label {
	uint32_t key, value;
};
enum sched_effect { SCHED_NO_SCHEDULE, SCHED_PREFER_NO_SCHEDULE, SCHED_NO_EXECUTE };
struct sched_taint {
	uint32_t key, value;
	enum sched_effect effect;
};
struct sched_image {
	uint32_t name;
	int64_t bytes;
};
struct sched_node {
	/* what almost every decision reads stands first */
	struct sched_resources allocatable, used;
	int64_t nonzero[2];     /* used, counted as sched_resources_nonzero */
	XB_VEC(struct sched_taint) taints;
	bool there;             /* false: a number without a node, or pods of a node that is not there */
	bool unschedulable;     /* spec.unschedulable */
	uint32_t name_id, zone; /* zone: a name of region and zone together; 0: none */
	XB_VEC(struct sched_label) labels;
	XB_VEC(struct sched_port) ports;
	XB_VEC(struct sched_pod *) pods;
	XB_VEC(struct sched_image) images;
	const struct sched_names *names;
	char *name;             /* NULL: the number is free */
	struct xb_json *doc;
};
static inline uint32_t sched_node_label(const struct sched_node *n, uint32_t key)
{
	for (size_t i = 0; i < n->labels.n; i++)
		if (n->labels.v[i].key == key)
			return n->labels.v[i].value;
	return 0;
}

/* What a label of nodes says of each, its values numbered from 1; 0: it has none. */
struct sched_column {
	uint32_t key;
	bool stale;
	XB_VEC(uint32_t) domain; /* by node */
	uint32_t n_domains;
	bool everywhere;        /* every node has it */
};

struct sched_cache {
	struct sched_names *names;
	XB_VEC(struct sched_node) nodes;
	XB_VEC(uint32_t) order; /* those that are there, zones in turn: in which order they are tried */
	bool order_stale;
	struct xb_map *node_by_name; /* number + 1 */
	struct xb_map *pods;    /* every pod that is known, by key; placed or waiting */
	struct xb_map *terms, *namespaces;
	struct sched_groups groups;
	struct xb_map *owners;  /* belongs.c: ReplicaSets and the like, "<kind>/<namespace>/<name>" */
	XB_VEC(struct sched_column *) columns;
	XB_VEC(uint32_t) image_nodes; /* nodes that have an image, by its name */
	XB_VEC(struct sched_pod *) nominated;
	struct sched_storage *storage;
	unsigned n_tainted, n_unschedulable; /* nodes */
	uint64_t n_placed;
};

struct sched_cache *sched_cache_new(void);              /* NULL without memory */
struct sched_cache *sched_cache_free(struct sched_cache *c); /* with its pods */
XB_DEFINE_CLEANUP(struct sched_cache *, sched_cache_free)

/* What a change of a node may do for pods that wait. */
enum sched_event {
	SCHED_NODE_ADDED = 1 << 0,
	SCHED_NODE_ALLOCATABLE = 1 << 1,
	SCHED_NODE_LABELS = 1 << 2,
	SCHED_NODE_TAINTS = 1 << 3,
	SCHED_POD_DELETED = 1 << 4,     /* one that counted on a node */
	SCHED_POD_ADDED = 1 << 5,
	SCHED_POD_LABELS = 1 << 6,
	SCHED_POD_ITSELF = 1 << 7,      /* the waiting pod was changed */
	SCHED_NAMESPACE = 1 << 8,
	SCHED_CLAIM = 1 << 9,           /* made or changed, as the next two */
	SCHED_VOLUME = 1 << 10,
	SCHED_STORAGE_CLASS = 1 << 11,
	SCHED_ANY = ~0,
};
/* A Node as it is now. *ret_events: what changed, of sched_event; *ret_node: its number. 0 or -ENOMEM. */
int sched_cache_set_node(struct sched_cache *c, struct xb_jv object, unsigned *ret_events, uint32_t *ret_node);
void sched_cache_del_node(struct sched_cache *c, struct xb_sv name);
void sched_cache_forget_node(struct sched_cache *c, uint32_t node);     /* its number is free when it is gone and nothing counts there */
/* The number of a node by name, made for one that is not there (pods may be seen before their node). 0 or -ENOMEM. */
int sched_cache_node(struct sched_cache *c, struct xb_sv name, uint32_t *ret);
/* Nodes that are there, in the order in which they are to be tried. NULL without memory, or when there are none. */
const uint32_t *sched_cache_order(struct sched_cache *c, size_t *ret_n);
/* Up to date until a node changes. NULL without memory. */
const struct sched_column *sched_cache_column(struct sched_cache *c, uint32_t key);

struct sched_pod *sched_cache_pod(const struct sched_cache *c, struct xb_sv key);
int sched_cache_add_pod(struct sched_cache *c, struct sched_pod *p);    /* becomes known; takes p. 0 or -ENOMEM */
void sched_cache_del_pod(struct sched_cache *c, struct sched_pod *p);   /* is known no more, counts nowhere; frees it */
/* Lets a pod count on a node, and no more. 0 or -ENOMEM; without memory it does not count. */
int sched_cache_place(struct sched_cache *c, struct sched_pod *p, uint32_t node);
void sched_cache_unplace(struct sched_cache *c, struct sched_pod *p);
/* Room is being made for p on a node; SCHED_NO_NODE: no more. 0 or -ENOMEM. */
int sched_cache_nominate(struct sched_cache *c, struct sched_pod *p, uint32_t node);

/* Takes t, seals it unless it has a key, and gives the one that says the same, counted and referenced. 0 or -ENOMEM. */
int sched_cache_term(struct sched_cache *c, struct sched_term *t, struct sched_term **ret);
bool sched_cache_find_term(struct sched_cache *c, struct xb_sv key, struct sched_term **ret); /* by its key: referenced */
void sched_cache_term_unref(struct sched_cache *c, struct sched_term *t);
bool sched_cache_term_means(struct sched_cache *c, const struct sched_term *t, struct xb_sv namespace_, struct xb_jv labels);
/* A Namespace, {} when it is gone: terms that select namespaces are counted anew. 0 or -ENOMEM. */
int sched_cache_set_namespace(struct sched_cache *c, struct xb_sv name, struct xb_jv object);

#endif
