/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_ADMISSION_PLUGIN_H
#define APISERVER_ADMISSION_PLUGIN_H
/* What the chain's functions get, and those of them that have a file of their own. */
#include "write.h"

struct attempt {
	struct request *request;
	struct write *write;
	struct xb_tree *object;            /* NULL at a deletion */
	const struct xb_tree *old;         /* NULL at a creation */
};
/* 0, or -errno with request->fault: the write ends. */
typedef int admission_plugin(struct attempt *t);

static inline bool admission_is(const struct attempt *t, const char *group, const char *plural)
{
	return !t->write->sub && !strcmp(t->write->kind->plural, plural) && !strcmp(t->write->kind->group, group);
}
static inline bool admission_creates(const struct attempt *t)
{
	return t->object && !t->old;
}
/* The committed objects of a kind, in one namespace ({}: all, or a kind without). */
int admission_walk(struct attempt *t, const char *group, const char *plural, struct xb_sv namespace_, struct store_walk **ret);

/* An object as the head has it: a new reference; NULL when it is not there. 0 or -ENOMEM. */
int admission_find(struct attempt *t, const char *group, const char *plural, struct xb_sv namespace_, struct xb_sv name,
		   struct xb_json **ret);

admission_plugin admission_node_restriction, admission_service_account, admission_token_secret, rbac_escalation;
admission_plugin admission_certificate_approval, admission_certificate_signing, admission_certificate_subject_restriction;
admission_plugin admission_limit_ranger, admission_priority, admission_runtime_class;
admission_plugin admission_default_storage_class, admission_default_ingress_class, admission_storage_protection, admission_claim_resize;

#endif
