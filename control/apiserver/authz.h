/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_AUTHZ_H
#define APISERVER_AUTHZ_H
/*
 * Who may do what: the modes of --authorization-mode in their order; the first that allows or denies decides, and nobody
 * allows what no mode does. Members of system:masters may do everything, in any mode. A decision reads indexes that are
 * kept equal to the store (follow.h) and blocks on nothing.
 */
#include "user.h"
#include "xb/json.h"
#include "xb/status.h"

struct attributes {                     /* upstream's authorizer.Attributes; views are borrowed */
	const struct user *user;
	struct xb_sv verb;              /* "get", "list", "impersonate", ... */
	bool is_resource;
	struct xb_sv group, version, resource, subresource, namespace_, name;
	struct xb_sv field_selector;    /* of a list or watch, as given */
	struct xb_sv path;              /* when it is no resource */
};
enum decision { DECISION_NONE, DECISION_ALLOW, DECISION_DENY };

struct authz;
struct store;
/* A mode's name: "RBAC", "Node", "AlwaysAllow", "AlwaysDeny". */
bool authz_known(const char *mode);
/* modes: NULL-terminated, known, borrowed. -ENOMEM, and the store's errors. Freed before the store is closed. */
int authz_new(char *const *modes, struct store *store, struct authz **ret);
struct authz *authz_free(struct authz *z);
XB_DEFINE_CLEANUP(struct authz *, authz_free)

/* reason: appended to, as a SubjectAccessReview says it; may be NULL. Without memory nobody is allowed anything. */
enum decision authz_decide(struct authz *z, const struct attributes *t, struct xb_buf *reason);
/* 0, or -EACCES with upstream's 403 in reterr. */
int authz_check(struct authz *z, const struct attributes *t, struct xb_status *reterr);

struct rbac;
struct rbac *authz_rbac(struct authz *z);        /* roles and bindings; there in every mode, for reviews and escalation */
/* Does a mode of that name decide? */
bool authz_has_mode(const struct authz *z, const char *mode);

struct request;
/* What a request wants, from its path, method and query, before it is known whether such a thing is served (apiserver
 * pkg/endpoints/request RequestInfo). The path is cut and decoded as route.h does it, so that what is allowed is what is done.
 * 400, 404, -ENOMEM. */
int authz_attributes(struct request *q, struct attributes *ret);
/* A write that turns out to make the object (a PUT or an apply of what is not there) needs leave to create it as well. */
int authz_check_create(struct request *q);

#endif
