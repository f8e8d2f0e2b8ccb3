/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "belongs.h"
#include "xb/owner.h"

/* --- Services: each is kept with the pods that have the first label that it demands --- */
static struct sched_group *group_of(struct sched_cache *c, struct xb_jv service)
{
	struct xb_jit it = xb_jv_iter(xb_jv_path(service, "spec", "selector"));

	xb_jit_next(&it);
	return sched_group_ref(&c->groups, xb_jv_text(xb_jv_path(service, "metadata", "namespace")), it.key, xb_jv_text(it.value));
}

static bool selects_all_or_nothing(struct xb_jv service)
{
	return !xb_jv_count(xb_jv_path(service, "spec", "selector"));
}

static bool is_named(const struct xb_json *service, struct xb_sv name)
{
	return xb_sv_eq(xb_jv_text(xb_jv_path(xb_json_root(service), "metadata", "name")), name);
}

static int take_out(struct sched_cache *c, struct xb_jv service)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(service, "metadata", "name"));
	struct sched_group *o = group_of(c, service);

	if (!o)
		return -ENOMEM;
	for (size_t i = 0; i < o->services.n; i++)
		if (is_named(o->services.v[i], name)) {
			xb_json_unref(o->services.v[i]);
			o->services.v[i] = o->services.v[--o->services.n];
			sched_group_unref(&c->groups, o);
			break;
		}
	sched_group_unref(&c->groups, o);
	return 0;
}

static int put_in(struct sched_cache *c, struct xb_jv service)
{
	struct sched_group *o = group_of(c, service);
	int r = o ? xb_vec_room(&o->services, 1) : -ENOMEM;

	if (!r)
		o->services.v[o->services.n++] = xb_json_ref(service.doc);
	else if (o)
		sched_group_unref(&c->groups, o);
	return r;
}

/* One that selects everything demands nothing, so it adds nothing. */
int sched_belongs_set_service(struct sched_cache *c, struct xb_jv old, struct xb_jv object)
{
	int r = selects_all_or_nothing(old) ? 0 : take_out(c, old);

	return r || selects_all_or_nothing(object) ? r : put_in(c, object);
}

static bool selects(struct xb_jv selector, const struct sched_pod *p)
{
	for (struct xb_jit it = xb_jv_iter(selector); xb_jit_next(&it);) {
		struct xb_jv label = xb_jv_getsv(p->labels, it.key);

		if (!xb_jv_is(label) || !xb_sv_eq(xb_jv_text(label), xb_jv_text(it.value)))
			return false;
	}
	return true;
}

/* --- owners --- */
static int owner_key(struct xb_buf *out, struct xb_sv kind, struct xb_sv namespace_, struct xb_sv name)
{
	xb_buf_addsv(out, kind);
	xb_buf_addc(out, '/');
	xb_buf_addsv(out, namespace_);
	xb_buf_addc(out, '/');
	xb_buf_addsv(out, name);
	return out->err;
}

int sched_belongs_set_owner(struct sched_cache *c, const char *kind, struct xb_sv namespace_, struct xb_sv name, struct xb_jv object)
{
	_cleanup_buf_ struct xb_buf key = {};
	void *old = NULL;
	int r = owner_key(&key, xb_sv(kind), namespace_, name);

	if (!r && !xb_jv_is(object))
		old = xb_map_del(c->owners, xb_buf_sv(&key));
	else if (!r)
		r = xb_map_set(c->owners, xb_buf_sv(&key), xb_json_ref(object.doc), &old);
	if (r && xb_jv_is(object))
		xb_json_unref((struct xb_json *)object.doc);
	xb_json_unref(old);
	return r;
}

/* Its spec.selector, {} when there is none. A kind is one of a group: "v1", "apps/v1". */
static int owner_selector(const struct sched_cache *c, const struct sched_pod *p, struct xb_jv *ret, bool *ret_is_map)
{
	struct xb_jv owner = xb_owner_controller(xb_json_root(p->doc));
	struct xb_sv kind = sched_text(owner, "kind"), version = sched_text(owner, "apiVersion");
	_cleanup_buf_ struct xb_buf key = {};
	const struct xb_json *doc;
	int r;

	*ret = (struct xb_jv){};
	*ret_is_map = xb_sv_is(kind, "ReplicationController");
	if (!xb_jv_is(owner) || !xb_sv_is(version, *ret_is_map ? "v1" : "apps/v1"))
		return 0;
	r = owner_key(&key, kind, p->namespace_, sched_text(owner, "name"));
	doc = r ? NULL : xb_map_get(c->owners, xb_buf_sv(&key));
	if (doc)
		*ret = xb_jv_path(xb_json_root(doc), "spec", "selector");
	return r;
}

/* --- the selector of all of them together: read only when there is no term of it yet --- */
struct pair {
	struct xb_sv key, value;
};
struct demands {
	XB_VEC(struct pair) pairs;
	struct xb_jv expressions;
};

static bool stands_for(const struct pair *a, const struct pair *b, bool replaces)
{
	return xb_sv_eq(a->key, b->key) && (replaces || xb_sv_eq(a->value, b->value));
}

/* replaces: of two values that a label is to have the later one counts. */
static int add_pairs(struct demands *d, struct xb_jv map, bool replaces)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(map); !r && xb_jit_next(&it);) {
		struct pair pair = { it.key, xb_jv_text(it.value) };
		size_t i = 0;

		while (i < d->pairs.n && !stands_for(&pair, &d->pairs.v[i], replaces))
			i++;
		if (i < d->pairs.n)
			d->pairs.v[i] = pair;
		else
			r = xb_vec_push(&d->pairs, pair);
	}
	return r;
}

static int collect(const struct sched_cache *c, const struct sched_pod *p, struct demands *d)
{
	struct xb_jv selector;
	bool is_map;
	int r = 0;

	for (size_t i = 0; i < p->groups.n; i++)
		for (size_t k = 0; !r && k < p->groups.v[i].group->services.n; k++) {
			selector = xb_jv_path(xb_json_root(p->groups.v[i].group->services.v[k]), "spec", "selector");
			if (selects(selector, p))
				r = add_pairs(d, selector, true);
		}
	if (r || !xb_map_count(c->owners))
		return r;
	r = owner_selector(c, p, &selector, &is_map);
	if (r || is_map)
		return r ? r : add_pairs(d, selector, true);
	d->expressions = xb_jv_get(selector, "matchExpressions");
	return add_pairs(d, xb_jv_get(selector, "matchLabels"), false);
}

static void write_selector(const struct demands *d, struct xb_jw *w)
{
	xb_jw_object(w);
	xb_jw_key(w, "labelSelector");
	xb_jw_object(w);
	xb_jw_key(w, "matchExpressions");
	xb_jw_array(w);
	for (size_t i = 0; i < d->pairs.n; i++) {
		xb_jw_object(w);
		xb_jw_ksv(w, "key", d->pairs.v[i].key);
		xb_jw_kstr(w, "operator", "In");
		xb_jw_key(w, "values");
		xb_jw_array(w);
		xb_jw_sv(w, d->pairs.v[i].value);
		xb_jw_end(w);
		xb_jw_end(w);
	}
	for (struct xb_jit it = xb_jv_iter(d->expressions); xb_jit_next(&it);)
		xb_jw_raw(w, xb_jv_bytes(it.value));
	xb_jw_end(w);
	xb_jw_end(w);
	xb_jw_end(w);
}

static void write_key(const struct demands *d, struct xb_sv namespace_, struct xb_buf *out)
{
	xb_buf_adds(out, "belongs ");
	xb_buf_addsv(out, namespace_);
	for (size_t i = 0; i < d->pairs.n; i++) {
		xb_buf_addc(out, '\n');
		xb_buf_addsv(out, d->pairs.v[i].key);
		xb_buf_addc(out, '=');
		xb_buf_addsv(out, d->pairs.v[i].value);
	}
	if (xb_jv_is(d->expressions))
		xb_buf_addsv(out, xb_jv_bytes(d->expressions));
}

static int make_term(struct sched_cache *c, const struct sched_pod *p, const struct demands *d, struct xb_buf *key, struct sched_term **ret)
{
	_cleanup_(sched_term_freep) struct sched_term *t = sched_term_new(0, true);
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);
	int r;

	write_selector(d, &w);
	r = t ? xb_jw_finish(&w) : -ENOMEM;
	if (!r)
		r = xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL);
	if (!r)
		r = sched_term_add_spread(t, xb_json_root(doc), p->namespace_, p->labels);
	if (!r)
		t->key = xb_buf_steal(key);
	return r ? r : sched_cache_term(c, TAKE_PTR(t), ret);
}

int sched_belongs_term(struct sched_cache *c, const struct sched_pod *p, struct sched_term **ret)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct demands d = {};
	int r = collect(c, p, &d);

	if (!r && (d.pairs.n || xb_jv_count(d.expressions))) {
		write_key(&d, p->namespace_, &key);
		r = key.err;
		if (!r && !sched_cache_find_term(c, xb_buf_sv(&key), ret))
			r = make_term(c, p, &d, &key, ret);
		r = r ? r : 1;
	}
	xb_vec_done(&d.pairs);
	return r;
}
