/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_WORKLOAD_H
#define REGISTRY_WORKLOAD_H
/* What the kinds share that make pods of a template: Deployments, Jobs and the like. */
#include "strategy.h"

/* Of the pod template that spec has as "template". */
void workload_defaults(struct write *w, struct xb_tree *spec);
/* at: the template's path. Labels, annotations and the pod's spec. */
void workload_validate_template(struct write *w, const struct xb_path *at, const struct xb_tree *template, struct xb_field_errors *e);
/* Such a kind's pods are always restarted and have no deadline. kind: as in "activeDeadlineSeconds in Deployment". */
void workload_validate_restart(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *template, const char *kind);
/* at: spec's. spec.selector must be well-formed, not be empty (detail says so), and select the template's labels; required: and be
 * there. */
void workload_validate_selector(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec, bool required,
				const char *detail);

/* Numbers of object; names end with NULL. */
void workload_validate_counts(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const char *const *names);
void workload_validate_at_most(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *object, const char *const *names,
			       const char *limit, const char *detail);
/* status.collisionCount may only grow. */
void workload_validate_collisions(struct xb_field_errors *e, const struct xb_tree *status, const struct xb_tree *old);
/* A hook: the status of a set of replicas (ReplicaSet, ReplicationController). */
void workload_validate_replicas(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);

/* --- columns and cells */
#define COLUMN_CONTAINERS { "Containers", "string", "", "Names of each container in the template.", 1 }
#define COLUMN_IMAGES { "Images", "string", "", "Images referenced by each container in the template.", 1 }
void cell_containers(struct table_row *r, struct xb_jv template); /* names, and images: two cells */
/* All cells of a set of replicas but the last, its selector. */
void workload_row_of_replicas(struct table_row *r, struct xb_jv object);
void cell_label_selector(struct table_row *r, struct xb_jv selector); /* "a=b,c in (d)" or "<none>" */
void cell_ratio(struct table_row *r, struct xb_jv n, struct xb_jv of); /* "1/3" */

#endif
