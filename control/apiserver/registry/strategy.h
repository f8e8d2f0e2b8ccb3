/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_STRATEGY_H
#define REGISTRY_STRATEGY_H
/*
 * What a kind's table row cannot say: defaults that depend on other fields, validation, what a writer may not touch, what
 * is allocated beside the object, how it is deleted, and its columns. One file a kind; the verbs (control/apiserver/
 * create.c, update.c, ...) call these in a fixed order and know no kind by name.
 *
 * Order of a write:  decode and table defaults (xb_schema_decode) -> defaults -> metadata and prepare_* (at an update
 * the other way round) -> admission (verbs) -> begin -> validate* -> store -> end. Any hook may be NULL. Nothing here blocks.
 */
#include "xb/kinds.h"
#include "xb/validate.h"

struct user;                /* who writes; user.h */
struct quota_claim;         /* what is counted before it is committed; quota.h */
struct registry;            /* state beside the objects: address and port allocators; registry.h */

struct write {
	struct xb_arena *arena;
	struct registry *registry;
	const struct user *user;           /* NULL: the server itself */
	const struct xb_kind *kind;
	const struct xb_subresource *sub;  /* NULL: the object itself */
	struct xb_sv namespace_, name;     /* as in the URL; name is {} at create */
	const char *now;                   /* RFC 3339, the time of the write */
	bool dry_run;
	bool no_memory;                    /* a hook could not allocate: the write fails with -ENOMEM */
	bool begun;                        /* the verbs': begin was called and end is still owed */
	void *allocated;                   /* begin's own, for end */
	struct quota_claim *claim;         /* the verbs': owed to the quotas until the write ends */
};

struct column {             /* a column of kubectl's table (metav1.TableColumnDefinition) */
	const char *name, *type, *format, *description;
	int priority;       /* 0: always; 1: -o wide */
};
struct table_row {          /* cells are written in the order of the columns, one JSON value each */
	struct xb_jw *w;
	int64_t now;        /* seconds since 1970, for ages */
};

struct delete_request {
	int64_t grace_seconds;             /* as asked for; -1: not said */
	const char *propagation;           /* "Background", "Foreground", "Orphan"; NULL: not said */
};
enum deletion {
	DELETE_NOW,         /* remove it, unless finalizers hold it */
	DELETE_LATER,       /* object was changed (deletionTimestamp, grace period, phase): store that and keep it */
};

/* A subresource through which a part of the object is written; all else stays as it is. */
struct strategy_part {
	const char *sub;
	void (*merge)(struct write *w, struct xb_tree *object, const struct xb_tree *sent); /* object is a copy of what is there */
	/* In place of validate_update. */
	void (*validate)(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
};

struct strategy {
	const char *group, *kind;
	xb_check_fn *name;                 /* metadata.name's rule: the verbs check metadata, the hooks below the rest */
	void (*defaults)(struct write *w, struct xb_tree *object);
	void (*prepare_create)(struct write *w, struct xb_tree *object);
	void (*prepare_update)(struct write *w, struct xb_tree *object, const struct xb_tree *old);
	/* A write to status, or to a part of it (write_is_status): all but status and metadata is old's already. */
	void (*prepare_status)(struct write *w, struct xb_tree *object, const struct xb_tree *old);
	/* Takes what lives outside the object (cluster IPs, node ports); old is NULL at create, object is NULL at deletion.
	 * With dry_run it takes nothing but fills in what it would take. A fault is the client's: into e, and ends the write
	 * (end is still called, with false). Returns 0, or -errno (-ENOSPC: a range is used up) with nothing for end to do. */
	int (*begin)(struct write *w, struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
	void (*end)(struct write *w, bool committed); /* after begin, once: keep or give back */
	void (*validate)(struct write *w, const struct xb_tree *object, struct xb_field_errors *e);
	void (*validate_update)(struct write *w, const struct xb_tree *object, const struct xb_tree *old,
				struct xb_field_errors *e); /* runs besides validate */
	/* For the same writes as prepare_status. */
	void (*validate_status)(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e);
	enum deletion (*delete_)(struct write *w, struct xb_tree *object, const struct delete_request *q,
				 struct xb_status *reterr); /* NULL: DELETE_NOW; reterr->code set: refused */
	/* An object being deleted, without metadata.finalizers and grace: does its kind still hold it? NULL: no. */
	bool (*held)(const struct xb_tree *object);
	const struct strategy_part *parts; /* ends with {}; NULL: none */
	/* A time in spec, always of one length, that writers renew: no rule, no hook and no plugin asks for it, nor changes what has it. */
	const char *renewed;
	bool has_generation;               /* metadata.generation: 1, then one more whenever anything but metadata and status changes */
	bool unconditional_update;         /* a PUT may come without resourceVersion */
	bool create_on_update;             /* a PUT of a missing name creates it */
	bool expires;                      /* goes --event-ttl after its last write */
	bool patient;                      /* its writes may wait a moment for others to share a commit (store_value.patient) */
	/* Does a write to status say no more than that its object is well, so that it is patient, too? NULL: no. */
	bool (*is_heartbeat)(struct xb_jv old, const struct xb_tree *object);
	bool relaxed;                      /* its writes do not wait for the disk: a power failure may take the newest */
	bool returns_deleted;              /* DELETE answers with the object that went (pods, service accounts), not with a Status */
	const char *default_propagation;   /* "Orphan" for replication controllers (core v1), else NULL: Background */
	const struct column *columns;
	unsigned n_columns;
	void (*row)(struct table_row *r, struct xb_jv object);
};
/* each in its kind's file */
extern const struct strategy config_map_strategy, endpoints_strategy, event_strategy, namespace_strategy, node_strategy,
	pod_strategy, replication_controller_strategy, secret_strategy, service_account_strategy, service_strategy,
	lease_strategy, endpoint_slice_strategy,
	ingress_strategy, ingress_class_strategy, network_policy_strategy, ip_address_strategy, service_cidr_strategy,
	storage_class_strategy, csi_driver_strategy, csi_node_strategy, csi_storage_capacity_strategy, volume_attachment_strategy,
	priority_class_strategy, runtime_class_strategy, certificate_signing_request_strategy,
	component_status_strategy, limit_range_strategy, persistent_volume_claim_strategy, persistent_volume_strategy,
	pod_template_strategy, resource_quota_strategy,
	controller_revision_strategy, daemon_set_strategy, deployment_strategy, replica_set_strategy, stateful_set_strategy,
	horizontal_pod_autoscaler_strategy, cron_job_strategy, job_strategy, pod_disruption_budget_strategy;
extern const struct strategy *const strategies[];          /* NULL-terminated */
const struct strategy *strategy_of(const struct xb_kind *k); /* never NULL for a served kind */
const struct strategy_part *strategy_part_of(const struct write *w); /* NULL: the write is not to a part */

#endif
