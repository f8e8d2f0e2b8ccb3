/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "groups.h"
#include "pod.h"

/* --- groups --- */
static struct sched_group *make(struct sched_groups *g, struct xb_buf *key)
{
	struct sched_group *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	LIST_INIT(&o->placed);
	o->key = xb_buf_steal(key);
	if (o->key && !xb_map_set(g->by_key, xb_sv(o->key), o, NULL))
		return o;
	free(o->key);
	free(o);
	return NULL;
}

struct sched_group *sched_group_ref(struct sched_groups *g, struct xb_sv namespace_, struct xb_sv label, struct xb_sv value)
{
	_cleanup_buf_ struct xb_buf key = {};
	struct sched_group *o;

	xb_buf_addsv(&key, namespace_);
	if (label.n) {
		xb_buf_addc(&key, '/');
		xb_buf_addsv(&key, label);
		xb_buf_addc(&key, '=');
		xb_buf_addsv(&key, value);
	}
	o = key.err ? NULL : xb_map_get(g->by_key, xb_buf_sv(&key));
	if (!o && !key.err)
		o = make(g, &key);
	if (o)
		o->refs++;
	return o;
}

static void group_free(struct sched_group *o)
{
	for (size_t i = 0; i < o->services.n; i++)
		xb_json_unref(o->services.v[i]);
	xb_vec_done(&o->terms);
	xb_vec_done(&o->services);
	free(o->key);
	free(o);
}

void sched_group_unref(struct sched_groups *g, struct sched_group *o)
{
	if (--o->refs)
		return;
	xb_map_del(g->by_key, xb_sv(o->key));
	group_free(o);
}

/* --- pods --- */
static int join(struct sched_groups *g, struct sched_pod *p, struct xb_sv label, struct xb_sv value)
{
	struct sched_group *o = sched_group_ref(g, p->namespace_, label, value);

	if (!o)
		return -ENOMEM;
	p->groups.v[p->groups.n++] = (struct sched_member){ .group = o, .pod = p };
	return 0;
}

int sched_groups_join(struct sched_groups *g, struct sched_pod *p)
{
	int r = xb_vec_room(&p->groups, xb_jv_count(p->labels) + 1);

	if (!r)
		r = join(g, p, (struct xb_sv){}, (struct xb_sv){});
	for (struct xb_jit it = xb_jv_iter(p->labels); !r && xb_jit_next(&it);)
		r = join(g, p, it.key, xb_jv_text(it.value));
	return r;
}

void sched_groups_leave(struct sched_groups *g, struct sched_pod *p)
{
	for (size_t i = 0; i < p->groups.n; i++)
		sched_group_unref(g, p->groups.v[i].group);
	xb_vec_done(&p->groups);
}

void sched_groups_place(struct sched_pod *p)
{
	for (size_t i = 0; i < p->groups.n; i++)
		LIST_INSERT_HEAD(&p->groups.v[i].group->placed, &p->groups.v[i], link);
}

void sched_groups_unplace(struct sched_pod *p)
{
	for (size_t i = 0; i < p->groups.n; i++)
		LIST_REMOVE(&p->groups.v[i], link);
}

/* --- terms --- */
/* All matchers must match, so any of them will do to tell where the pods are that the term means: one that names namespaces,
 * and a label if there is such a one. */
static const struct sched_matcher *telling(const struct sched_term *t)
{
	const struct sched_matcher *named = NULL;
	struct xb_sv label, value;

	for (size_t i = 0; i < t->matchers.n; i++) {
		const struct sched_matcher *m = &t->matchers.v[i];

		if (m->all_namespaces || m->has_namespace_selector)
			continue;
		if (xb_selector_pair(m->selector, 0, &label, &value))
			return m;
		named = m;
	}
	return named;
}

/* The label of those demanded that the fewest have, or say something about. */
static struct sched_group *smallest(struct sched_groups *g, struct xb_sv namespace_, const struct sched_matcher *m)
{
	struct xb_sv label = {}, value = {};
	struct sched_group *least = NULL;

	for (size_t i = 0; xb_selector_pair(m->selector, i, &label, &value); i++) {
		struct sched_group *o = sched_group_ref(g, namespace_, label, value), *other = o;

		if (!least || (o && o->refs < least->refs)) {
			other = least;
			least = o;
		}
		if (other)
			sched_group_unref(g, other);
	}
	return least ? least : sched_group_ref(g, namespace_, (struct xb_sv){}, (struct xb_sv){});
}

static int add_to(struct sched_groups *g, struct sched_term *t, struct sched_group *o)
{
	int r = o ? xb_vec_room(&t->groups, 1) : -ENOMEM;

	if (!r)
		r = xb_vec_push(&o->terms, t);
	if (!r)
		t->groups.v[t->groups.n++] = o;
	else if (o)
		sched_group_unref(g, o);
	return r;
}

static bool has(const struct sched_term *t, const struct sched_group *o)
{
	for (size_t i = 0; i < t->groups.n; i++)
		if (t->groups.v[i] == o)
			return true;
	return false;
}

int sched_groups_add_term(struct sched_groups *g, struct sched_term *t)
{
	const struct sched_matcher *m = telling(t);
	int r = 0;

	if (!m)
		return xb_vec_push(&g->wide, t);
	for (size_t i = 0; !r && i < m->namespaces.n; i++) {
		struct sched_group *o = smallest(g, xb_sv(m->namespaces.v[i]), m);

		if (o && has(t, o)) /* a namespace that is named twice */
			sched_group_unref(g, o);
		else
			r = add_to(g, t, o);
	}
	return r;
}

static void remove_from(struct sched_term *t, struct sched_term **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i] == t) {
			v[i] = v[--*n];
			return;
		}
}

void sched_groups_del_term(struct sched_groups *g, struct sched_term *t)
{
	if (!t->groups.n)
		remove_from(t, g->wide.v, &g->wide.n);
	for (size_t i = 0; i < t->groups.n; i++) {
		remove_from(t, t->groups.v[i]->terms.v, &t->groups.v[i]->terms.n);
		sched_group_unref(g, t->groups.v[i]);
	}
	xb_vec_done(&t->groups);
}

struct sched_term *sched_groups_next(const struct sched_groups *g, const struct sched_pod *p, struct sched_terms_it *it)
{
	for (; it->member < p->groups.n; it->member++, it->at = 0)
		if (it->at < p->groups.v[it->member].group->terms.n)
			return p->groups.v[it->member].group->terms.v[it->at++];
	return it->at < g->wide.n ? g->wide.v[it->at++] : NULL;
}

/* --- their life --- */
int sched_groups_init(struct sched_groups *g)
{
	g->by_key = xb_map_new(XB_MAP_BORROW);
	return g->by_key ? 0 : -ENOMEM;
}

void sched_groups_done(struct sched_groups *g)
{
	for (struct xb_map_it it = {}; g->by_key && xb_map_next(g->by_key, &it);)
		group_free(it.value);
	xb_map_free(g->by_key);
	xb_vec_done(&g->wide);
}
