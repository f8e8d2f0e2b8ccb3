/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_POD_H
#define REGISTRY_POD_H
/* The parts of the Pod strategy, and what replication controllers use of them for their template. */
#include "strategy.h"
#include "xb/quantity.h"

struct xb_map;

/*
 * The binding subresource: the pod goes to the node that binding names. Changes pod, or refuses: 409 when it has a node or
 * is being deleted, 422 when binding is not one. -ESTALE, -EINVAL with reterr; -ENOMEM.
 */
int pod_bind(struct write *w, struct xb_tree *pod, const struct xb_tree *binding, struct xb_status *reterr);

/* What depends on other fields, for a pod's spec and a template's alike. */
void pod_spec_defaults(struct write *w, struct xb_tree *spec);
const char *pod_qos_class(const struct xb_tree *spec);   /* "Guaranteed", "Burstable", "BestEffort" */

/* at: the path of the spec. Runs for a template too. */
void pod_spec_validate(struct write *w, const struct xb_path *at, const struct xb_tree *spec, struct xb_field_errors *e);
void pod_validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
void pod_prepare_status(struct write *w, struct xb_tree *object, const struct xb_tree *old);
void pod_validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
extern const struct strategy_part pod_parts[]; /* ends with {} */
enum { POD_COLUMNS = 9 };
extern const struct column pod_columns[POD_COLUMNS];
void pod_row(struct table_row *r, struct xb_jv object);

/* --- among the files of the strategy. What a container's checks look at: */
struct pod_check {
	struct write *w;
	struct xb_field_errors *e;
	const struct xb_tree *spec;
	struct xb_tree *volumes;           /* members are named after the volumes that are well */
};
void pod_validate_volumes(struct pod_check *c, const struct xb_path *at);     /* fills c->volumes */
void pod_validate_containers(struct pod_check *c, const struct xb_path *at);  /* at: the spec's */
void pod_validate_container(struct pod_check *c, const struct xb_path *at, const struct xb_tree *container); /* what all sorts share */
void pod_validate_ephemeral(struct pod_check *c, const struct xb_path *at);   /* at: the spec's */
/* The elements of a list by their names; a client sent as many as it cared to. NULL without memory: w->no_memory is set. */
struct xb_map *pod_by_name(struct write *w, const struct xb_tree *list);
void pod_validate_field_ref(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ref, const char *const *supported);
void pod_validate_resource_ref(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ref, bool in_volume);
void pod_validate_relative_path(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path);
void pod_validate_seccomp(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *profile);
void pod_validate_id(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *security, const char *key);
/* pod_placement.c: nodeSelector aside, what tells the scheduler where */
void pod_validate_affinity(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *affinity);
void pod_validate_tolerations(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list);
void pod_validate_spread(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *list);

#endif
