/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCHEDULER_NODE_SELECTOR_H
#define SCHEDULER_NODE_SELECTOR_H
/* Which nodes a pod's spec asks for (nodeSelector, nodeAffinity), made of numbers so that a node costs some compares. */
#include "cache.h"

struct sched_requirement {
	enum sched_operator { SCHED_IN, SCHED_NOT_IN, SCHED_EXISTS, SCHED_DOES_NOT_EXIST, SCHED_GT, SCHED_LT } operator;
	bool name;              /* of the field metadata.name, not of a label */
	uint32_t key;
	uint32_t first, n;      /* values */
	int64_t bound;          /* of GT and LT */
};
struct sched_node_term {
	uint32_t first, n;      /* requirements, all of which must hold; none: nothing matches */
	int32_t weight;
};
struct sched_node_selector {
	XB_VEC(struct sched_requirement) requirements;
	XB_VEC(uint32_t) values;
	XB_VEC(struct sched_node_term) terms;
	uint32_t n_labels;      /* requirements of nodeSelector: the first */
	bool has_terms;         /* one of the terms must match, too */
};
void sched_node_selector_done(struct sched_node_selector *s);
/* The hard part of a pod's spec, in place of what s held. Names that no node has are met by none. 0 or -ENOMEM. */
int sched_node_selector_required(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv spec);
/* Its preferences: terms with weights. */
int sched_node_selector_preferred(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv spec);
/* A NodeSelector; {}: every node is fine. */
int sched_node_selector_read(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv selector);
bool sched_node_selector_empty(const struct sched_node_selector *s);           /* every node is fine */
bool sched_node_selector_matches(const struct sched_node_selector *s, const struct sched_node *node);
int64_t sched_node_selector_weight(const struct sched_node_selector *s, const struct sched_node *node); /* of the terms that match */
/* Every term names nodes (metadata.name), as those of a DaemonSet's pods, and this node is not among them. */
bool sched_node_selector_names_others(const struct sched_node_selector *s, const struct sched_node *node);

#endif
