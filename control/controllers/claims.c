/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "claims.h"
#include "pods.h"

#define REMOVE_FINALIZER "$deleteFromPrimitiveList/finalizers"

struct claimed {
	const char *name, *uid;
};
struct claiming {
	struct kcm_work *w;
	struct claims c;
	const char *uid;                        /* the owner's */
	struct claimed *objects;                /* those to adopt come first */
};

static int on_claimed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	/* it is not there any more, or is another one: the copy will show it */
	return code == 404 || code == 409 || code == 422 ? -ESTALE : xb_calls_error(code, status);
}

static void write_reference(struct xb_jw *w, const struct claiming *c, bool adopt)
{
	if (adopt) {
		xb_owner_write(w, c->c.owner_kind, c->c.owner);
		return;
	}
	xb_jw_object(w);
	xb_jw_kstr(w, "$patch", "delete");
	xb_jw_kstr(w, "uid", c->uid);
	xb_jw_end(w);
}

static void write_finalizer(struct xb_jw *w, const char *key, const char *finalizer)
{
	xb_jw_key(w, key);
	xb_jw_array(w);
	xb_jw_str(w, finalizer);
	xb_jw_end(w);
}

void claims_finalizer_patch(struct xb_sv uid, const char *finalizer, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", uid);
	write_finalizer(&w, REMOVE_FINALIZER, finalizer);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

static void claim(const struct claiming *c, size_t i)
{
	_cleanup_buf_ struct xb_buf patch = {};
	struct kcm_request q = { .method = "PATCH", .kind = c->c.kind, .name = c->objects[i].name, .type = KCM_STRATEGIC };
	bool adopt = i < c->c.n_adopt;
	struct xb_jw w = XB_JW(&patch);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "uid", c->objects[i].uid);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	write_reference(&w, c, adopt);
	xb_jw_end(&w);
	if (c->c.finalizer)
		write_finalizer(&w, adopt ? "finalizers" : REMOVE_FINALIZER, c->c.finalizer);
	xb_jw_end(&w);
	xb_jw_end(&w);
	q.body = xb_jw_finish(&w) < 0 ? (struct xb_sv){} : xb_buf_sv(&patch);
	kcm_work_ask(c->w, &q, on_claimed, NULL);
}

static int on_reread(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct claiming *c = arg;
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv fresh;
	int r = code == 404 ? -ESTALE : xb_calls_error(code, status);

	if (!r)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (r)
		return r;
	fresh = xb_json_root(doc);
	if (!xb_sv_is(xb_jv_meta(fresh, "uid"), c->uid) || pods_deleting(fresh))
		return -ESTALE;
	for (size_t i = 0; i < c->c.n_adopt; i++)
		claim(c, i);
	return 0;
}

static int note(struct claiming *c, const struct xb_jv *objects, size_t n, struct claimed *ret)
{
	for (size_t i = 0; i < n; i++) {
		ret[i].name = xb_arena_strn(c->w->arena, xb_jv_meta(objects[i], "name"));
		ret[i].uid = xb_arena_strn(c->w->arena, xb_jv_meta(objects[i], "uid"));
		if (!ret[i].name || !ret[i].uid)
			return -ENOMEM;
	}
	return 0;
}

int claims_begin(struct kcm_work *w, const struct claims *of, void (*then)(struct kcm_work *w, int error))
{
	struct claiming *c = xb_arena_alloc(w->arena, sizeof(*c));
	size_t n = of->n_adopt + of->n_release;
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct claiming){ .w = w, .c = *of, .uid = xb_arena_strn(w->arena, xb_jv_meta(of->owner, "uid")) };
	c->objects = xb_arena_alloc(w->arena, (n + 1) * sizeof(*c->objects));
	r = !c->uid || !c->objects ? -ENOMEM : note(c, of->adopt, of->n_adopt, c->objects);
	if (!r)
		r = note(c, of->release, of->n_release, c->objects + of->n_adopt);
	if (!r)
		r = kcm_work_hold(w, of->owner);
	if (r)
		return r;
	kcm_work_round(w, then);
	for (size_t i = of->n_adopt; i < n; i++)
		claim(c, i);
	if (of->n_adopt)
		kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .kind = of->owner_kind, .name = w->name }, on_reread, c);
	kcm_work_go(w);
	return 0;
}
