/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "recount.h"
#include "pods.h"
#include "xb/map.h"
#include "xb/reflector.h"

struct counting {
	struct kcm_work *w;
	const struct xb_informer *pods;
	struct xb_expectations *expectations;
	const char *uid;                        /* the owner's */
};

static const struct xb_json_limits limits = { .max_bytes = 1 << 28 };

static bool shows(const struct counting *c, struct xb_jv pod)
{
	_cleanup_free_ char *name = xb_sv_dup(xb_jv_meta(pod, "name"));

	return name && xb_sv_eq(xb_jv_meta(xb_informer_get(c->pods, c->w->namespace_, name), "uid"), xb_jv_meta(pod, "uid"));
}

static bool is_there(void *arg, struct xb_sv uid)
{
	return xb_map_get(arg, uid);
}

/* A pod that a newer copy does not show was made and has gone since. */
static int compare(const struct counting *c, struct xb_jv list, struct xb_map *there)
{
	unsigned lacking = 0;
	uint64_t version = 0;
	int r = 0;

	xb_sv_u64(xb_jv_meta(list, "resourceVersion"), &version);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(list, "items")); !r && xb_jit_next(&it);) {
		if (!xb_sv_is(xb_owner_uid(it.value), c->uid))
			continue;
		lacking += version > xb_informer_version(c->pods) && !shows(c, it.value);
		if (!pods_deleting(it.value))
			r = xb_map_set(there, xb_jv_meta(it.value, "uid"), there, NULL);
	}
	if (!r)
		xb_expectations_resolve(c->expectations, c->w->key, lacking, is_there, there);
	return r;
}

static int on_listed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_map_freep) struct xb_map *there = xb_map_new(XB_MAP_COPY);
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = there ? xb_calls_error(code, status) : -ENOMEM;

	if (!r)
		r = xb_json_parse(body, &limits, &doc, NULL);
	return r ? r : compare(arg, xb_json_root(doc), there);
}

int recount_begin(struct kcm_work *w, const struct recount *r, void (*then)(struct kcm_work *w, int error))
{
	struct counting *c = xb_arena_alloc(w->arena, sizeof(*c));
	_cleanup_buf_ struct xb_buf selector = {}, path = {};
	struct kcm_request q = { .method = "GET", .accept = XB_ACCEPT_METADATA };

	if (!c)
		return -ENOMEM;
	*c = (struct counting){ w, r->pods, r->expectations, xb_arena_strn(w->arena, xb_jv_meta(r->owner, "uid")) };
	xb_selector_write(r->selector, &selector);
	xb_kind_path(r->pod_kind, xb_sv(w->namespace_), (struct xb_sv){}, NULL, &path);
	xb_rest_add_query(&path, "labelSelector", xb_buf_sv(&selector));
	if (!c->uid || selector.err || path.err)
		return -ENOMEM;
	q.path = path.p;
	kcm_work_round(w, then);
	kcm_work_ask(w, &q, on_listed, c);
	kcm_work_go(w);
	return 0;
}
