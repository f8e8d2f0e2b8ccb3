/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_PLUGIN_H
#define SCHEDULER_PLUGIN_H
/*
 * What keeps a pod from nodes, and what makes one node better than another: upstream's plugins, by upstream's names. Before
 * nodes are looked at, a plugin works out what it needs to know of the pod, so that a node costs it a few compares.
 *
 * To add one: <name>.c with its row; the row's declaration at the end, and the row in the table of plugin.c, in upstream's order;
 * its object in ../Kbuild; a table of cases in selftests/unit/control/scheduler/plugins/<name>.c.
 */
#include "../cache.h"

#define SCHED_MAX_SCORE 100

/* UNRESOLVABLE: it would not fit either if pods went from the node. */
enum sched_verdict { SCHED_FITS, SCHED_UNSCHEDULABLE, SCHED_UNRESOLVABLE };

/* Why nodes were refused: texts, and how many nodes each. */
struct sched_reasons {
	struct sched_reason {
		char *text;
		unsigned n;
	} *v;
	size_t n, cap;
	int err;                /* 0 or -ENOMEM */
};
void sched_reasons_add(struct sched_reasons *r, const char *fmt, ...) _printf_(2, 3);
void sched_reasons_done(struct sched_reasons *r);
/* "1 Insufficient cpu, 2 Too many pods": sorted as text. Appended. */
void sched_reasons_write(struct sched_reasons *r, struct xb_buf *out);

/* What has changed in the cluster, for hints. */
struct sched_change {
	unsigned events;        /* of sched_event */
	const struct sched_node *node;      /* that changed, or that has more room now; NULL: none */
	const struct sched_pod *pod;        /* of the pod events: as it counts now, or counted */
	struct xb_jv object;                /* of the storage events: as it is now, or was last */
};

struct sched_plugin {
	const char *name;       /* "NodeResourcesFit" */
	unsigned weight;        /* of its scores, unless the configuration says otherwise */
	unsigned events;        /* which may help a pod that it kept out */
	size_t state_size;      /* of what it knows of the pod: zeroed once, then kept from pod to pod */
	void (*done)(void *state);
	/* Takes arguments of a profile (pluginConfig); {}: there are none. NULL: takes none. -EINVAL with a sentence that names the
	 * field; -ENOMEM. */
	int (*configure)(void *state, struct xb_jv args, char **reterr_why);
	/* Gives a pod that is to be tried what the profile adds to its rules. NULL: nothing. 0 or -ENOMEM. */
	int (*complete)(const void *state, struct sched_cache *c, struct sched_pod *p);
	/* Works out what filter needs. 1; 0: every node passes; -errno. */
	int (*prepare)(void *state, struct sched_cache *c, const struct sched_pod *p);
	bool counts_pods;       /* prepare looks at other pods: it is asked again when they come or go */
	/* Why no node will do, whatever they are, as prepare found; NULL: some may. May be NULL. */
	const char *(*refuses)(const void *state);
	/* why: NULL unless reasons are wanted. */
	enum sched_verdict (*filter)(const void *state, const struct sched_node *node, uint32_t number, struct sched_reasons *why);
	/* Is this node none of those that the pod itself names? Asked before all filters; may be NULL. */
	bool (*excludes)(const void *state, const struct sched_node *node);
	/*
	 * Gives each of n nodes 0 to SCHED_MAX_SCORE. Called after prepare; NULL: has no preference.
	 * 1; 0: all nodes are equal; -errno.
	 */
	int (*score)(void *state, struct sched_cache *c, const struct sched_pod *p, const uint32_t *nodes, size_t n, int64_t *ret_scores);
	/* Could that change help p, which this plugin kept out? NULL: yes. */
	bool (*helps)(struct sched_cache *c, const struct sched_pod *p, const struct sched_change *change);
};

#define SCHED_PLUGINS 13
#define SCHED_VOLUME_BINDING 7  /* its place: pods whose claims it looks at are not bound before those */
extern const struct sched_plugin *const sched_plugins[SCHED_PLUGINS]; /* in upstream's order: what is cheap and refuses much comes first */

/* Scales so that the highest is SCHED_MAX_SCORE; reverse: the lowest. */
void sched_normalize(int64_t *scores, size_t n, bool reverse);

extern const struct sched_plugin sched_node_unschedulable, sched_node_name, sched_taint_toleration, sched_node_affinity, sched_node_ports,
	sched_fit, sched_volume_restrictions, sched_volume_binding, sched_volume_zone, sched_spread, sched_pod_affinity, sched_balanced,
	sched_image_locality;

#endif
