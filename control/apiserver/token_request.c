/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admission.h"
#include "decode.h"
#include "metadata.h"
#include "registry/edit.h"
#include "review.h"
#include "sa_token.h"
#include "write.h"
#include "xb/time.h"

#define SECONDS_MIN 600
#define SECONDS_MAX (INT64_C(1) << 32)

static int check_spec(struct request *q, const struct xb_tree *spec)
{
	const struct xb_tree *seconds = xb_tree_get(spec, "expirationSeconds");
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "spec"), "expirationSeconds");
	struct xb_field_errors e = { .arena = q->arena };
	int64_t n = xb_tree_geti64(spec, "expirationSeconds", SECONDS_MIN);

	if (n < SECONDS_MIN)
		xb_err_invalid(&e, at, seconds, "may not specify a duration less than 10 minutes");
	if (n > SECONDS_MAX)
		xb_err_invalid(&e, at, seconds, "may not specify a duration larger than 2^32 seconds");
	return xb_field_errors_status(&e, "authentication.k8s.io", "TokenRequest", q->write.name, &q->fault);
}

/* A committed object; 404 when it is not there. */
static int find(struct request *q, const char *plural, struct xb_sv namespace_, struct xb_sv name, struct xb_jv *ret)
{
	const struct xb_kind *kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), xb_sv(plural));
	const char *key = route_key(q->arena, kind, namespace_, name);
	struct store_object *o = key && name.n ? store_get(q->server->store, key) : NULL;
	int r;

	if (!key)
		return -ENOMEM;
	if (!o)
		return xb_status_not_found(&q->fault, "", plural, name);
	r = request_keep(q, xb_json_ref(o->doc));
	if (!r)
		*ret = xb_json_root(o->doc);
	return r;
}

static struct sa_bound bound(struct xb_jv object)
{
	return (struct sa_bound){ xb_jv_text(xb_jv_path(object, "metadata", "name")), xb_jv_text(xb_jv_path(object, "metadata", "uid")) };
}

/* The token of a pod tells its node as well. */
static int bind_pod(struct request *q, struct sa_claims *c, struct xb_jv pod)
{
	struct xb_sv node = xb_jv_text(xb_jv_path(pod, "spec", "nodeName")), name = c->account.name;
	struct xb_jv object;
	int r;

	if (!xb_jv_streq(xb_jv_path(pod, "spec", "serviceAccountName"), name))
		return xb_status_bad_request(&q->fault,
			"cannot bind token for serviceaccount \"%.*s\" to pod running with different serviceaccount name.", XB_SV_ARG(name));
	c->pod = bound(pod);
	if (!node.n)
		return 0;
	r = find(q, "nodes", (struct xb_sv){}, node, &object);
	if (r == -ENOENT) {
		xb_status_done(&q->fault);
		c->node = (struct sa_bound){ node, {} };
		return 0;
	}
	if (!r)
		c->node = bound(object);
	return r;
}

static int bind_object(struct request *q, struct sa_claims *c, const struct xb_tree *ref)
{
	static const char *const plurals[][2] = { { "Pod", "pods" }, { "Secret", "secrets" }, { "Node", "nodes" } };
	struct xb_sv kind = xb_tree_gettext(ref, "kind"), uid = xb_tree_gettext(ref, "uid"), name = xb_tree_gettext(ref, "name");
	const char *plural = NULL;
	struct xb_jv object;
	struct sa_bound b;
	int r;

	for (unsigned i = 0; i < ARRAY_SIZE(plurals); i++)
		if (xb_sv_is(kind, plurals[i][0]) && xb_sv_is(xb_tree_gettext(ref, "apiVersion"), "v1"))
			plural = plurals[i][1];
	if (!plural)
		return xb_status_bad_request(&q->fault, "cannot bind token to object of type %.*s", XB_SV_ARG(kind));
	r = find(q, plural, *plural == 'n' ? (struct xb_sv){} : c->namespace_, name, &object);
	if (r)
		return r;
	b = bound(object);
	if (uid.n && !xb_sv_eq(uid, b.uid))
		return xb_status_conflict(&q->fault, "", plural, name,
			"the UID in the bound object reference (%.*s) does not match the UID in record. The object might have been deleted and then recreated",
			XB_SV_ARG(uid));
	if (*plural == 'p')
		return bind_pod(q, c, object);
	*(*plural == 's' ? &c->secret : &c->node) = b;
	return 0;
}

static int default_audiences(struct request *q, struct xb_tree *spec, const struct xb_tree **ret)
{
	struct xb_tree *list = edit_obtain_array(&q->write, spec, "audiences");
	bool empty = edit_is_empty(list);

	for (char *const *a = sa_tokens_audiences(q->server->tokens); list && empty && *a; a++)
		edit_append(&q->write, list, xb_tree_str(q->arena, xb_sv(*a)));
	*ret = list;
	return list && !q->write.no_memory ? 0 : -ENOMEM;
}

static int answer_token(struct request *q, struct xb_tree *review, const struct sa_claims *c)
{
	struct xb_tree *status = xb_tree_object(q->arena), *meta = metadata_of(&q->write, review);
	_cleanup_buf_ struct xb_buf token = {};
	struct write *w = &q->write;
	const char *expires = xb_arena_strn(q->arena, xb_sv(xb_time_format(c->expires * 1000000).s));
	int r = sa_token_issue(q->server->tokens, c, &token);

	if (r)
		return r;
	edit_sv(w, meta, "name", w->name);
	edit_sv(w, meta, "namespace", w->namespace_);
	edit_str(w, meta, "creationTimestamp", w->now);
	edit_str(w, status, "expirationTimestamp", expires);
	edit_sv(w, status, "token", xb_arena_sv(q->arena, xb_buf_sv(&token)));
	return review_answer(q, review, status);
}

int token_request_handler(struct request *q)
{
	struct sa_claims c = { .now = xb_time_now() / 1000000 };
	struct xb_tree *review, *spec;
	struct xb_jv account;
	int r;

	r = review_read(q, &review);
	if (r)
		return r;
	spec = xb_tree_get(review, "spec");
	c.namespace_ = q->write.namespace_;
	r = check_spec(q, spec);
	if (!r)
		r = find(q, "serviceaccounts", c.namespace_, q->write.name, &account);
	if (!r)
		r = admission_run(q, &q->write, review, NULL);
	if (r)
		return r;
	c.account = bound(account);
	c.expires = c.now + xb_tree_geti64(spec, "expirationSeconds", 3600);
	r = default_audiences(q, spec, &c.audiences);
	if (!r && xb_tree_get(spec, "boundObjectRef"))
		r = bind_object(q, &c, xb_tree_get(spec, "boundObjectRef"));
	return r ? r : answer_token(q, review, &c);
}
