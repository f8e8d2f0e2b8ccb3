/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "term.h"

void sched_counts_done(struct sched_counts *c)
{
	for (size_t i = 0; i < c->pages.n; i++)
		free(c->pages.v[i]);
	xb_vec_done(&c->pages);
	c->total = 0;
}

int sched_counts_add(struct sched_counts *c, uint32_t node, int32_t n)
{
	uint32_t page = node / SCHED_PAGE;

	while (c->pages.n <= page)
		if (xb_vec_push(&c->pages, NULL))
			return -ENOMEM;
	if (!c->pages.v[page])
		c->pages.v[page] = calloc(SCHED_PAGE, sizeof(**c->pages.v));
	if (!c->pages.v[page])
		return -ENOMEM;
	c->pages.v[page][node % SCHED_PAGE] += n;
	c->total += n;
	return 0;
}

struct sched_term *sched_term_new(uint32_t topology_key, bool live)
{
	struct sched_term *t = calloc(1, sizeof(*t));

	if (t)
		*t = (struct sched_term){ .topology_key = topology_key, .live = live };
	return t;
}

static void matcher_done(struct sched_matcher *m)
{
	for (size_t i = 0; i < m->namespaces.n; i++)
		free(m->namespaces.v[i]);
	xb_vec_done(&m->namespaces);
	xb_selector_free(m->namespace_selector);
	xb_selector_free(m->selector);
}

struct sched_term *sched_term_free(struct sched_term *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->matchers.n; i++)
		matcher_done(&t->matchers.v[i]);
	xb_vec_done(&t->matchers);
	sched_counts_done(&t->matching);
	sched_counts_done(&t->against);
	sched_counts_done(&t->score);
	free(t->key);
	free(t);
	return NULL;
}

/* --- reading --- */
static int add_namespace(struct sched_matcher *m, struct xb_sv name)
{
	char *copy = xb_sv_dup(name);

	if (copy && !xb_vec_push(&m->namespaces, copy))
		return 0;
	free(copy);
	return -ENOMEM;
}

static int read_selector(struct xb_jv v, bool *ret_nothing, struct xb_selector **ret)
{
	*ret_nothing = !xb_jv_is(v);
	return xb_jv_is(v) ? xb_selector_from_label_selector(v, ret, NULL) : 0;
}

static struct sched_matcher *add_matcher(struct sched_term *t)
{
	return xb_vec_push(&t->matchers, (struct sched_matcher){}) ? NULL : &t->matchers.v[t->matchers.n - 1];
}

int sched_term_add_affinity(struct sched_term *t, struct xb_jv term, struct xb_sv namespace_)
{
	struct xb_jv named = xb_jv_get(term, "namespaces"), by_label = xb_jv_get(term, "namespaceSelector");
	struct sched_matcher *m = add_matcher(t);
	int r = m ? 0 : -ENOMEM;

	for (struct xb_jit it = xb_jv_iter(named); !r && xb_jit_next(&it);)
		r = add_namespace(m, xb_jv_text(it.value));
	if (!r && !xb_jv_count(named) && !xb_jv_is(by_label))
		r = add_namespace(m, namespace_);
	if (r)
		return r;
	if (xb_jv_is(by_label)) {
		m->has_namespace_selector = true;
		r = xb_selector_from_label_selector(by_label, &m->namespace_selector, NULL);
		m->all_namespaces = !r && !m->namespace_selector;
	}
	return r ? r : read_selector(xb_jv_get(term, "labelSelector"), &m->nothing, &m->selector);
}

/* The selector with "key in (the pod's value)" for each of matchLabelKeys that the pod has. */
static int narrowed(struct xb_jv constraint, struct xb_jv labels, struct xb_buf *out)
{
	struct xb_jv selector = xb_jv_get(constraint, "labelSelector");
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	if (xb_jv_is(xb_jv_get(selector, "matchLabels"))) {
		xb_jw_key(&w, "matchLabels");
		xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(selector, "matchLabels")));
	}
	xb_jw_key(&w, "matchExpressions");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "matchExpressions")); xb_jit_next(&it);)
		xb_jw_raw(&w, xb_jv_bytes(it.value));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(constraint, "matchLabelKeys")); xb_jit_next(&it);) {
		struct xb_jv value = xb_jv_getsv(labels, xb_jv_text(it.value));

		if (!xb_jv_is(value))
			continue;
		xb_jw_object(&w);
		xb_jw_ksv(&w, "key", xb_jv_text(it.value));
		xb_jw_kstr(&w, "operator", "In");
		xb_jw_key(&w, "values");
		xb_jw_array(&w);
		xb_jw_raw(&w, xb_jv_bytes(value));
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}

int sched_term_add_spread(struct sched_term *t, struct xb_jv constraint, struct xb_sv namespace_, struct xb_jv labels)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	struct sched_matcher *m = add_matcher(t);
	int r = m ? add_namespace(m, namespace_) : -ENOMEM;

	if (r || !xb_jv_count(xb_jv_get(constraint, "matchLabelKeys")) || !xb_jv_is(xb_jv_get(constraint, "labelSelector")))
		return r ? r : read_selector(xb_jv_get(constraint, "labelSelector"), &m->nothing, &m->selector);
	r = narrowed(constraint, labels, &text);
	if (!r)
		r = xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL);
	return r ? r : xb_selector_from_label_selector(xb_json_root(doc), &m->selector, NULL);
}

int sched_term_seal(struct sched_term *t)
{
	_cleanup_buf_ struct xb_buf key = {};

	xb_buf_addf(&key, "%u%c", t->topology_key, t->live ? 'l' : 'a');
	for (size_t i = 0; i < t->matchers.n; i++) {
		const struct sched_matcher *m = &t->matchers.v[i];

		xb_buf_addf(&key, "\n%d%d%d", m->all_namespaces, m->has_namespace_selector, m->nothing);
		for (size_t k = 0; k < m->namespaces.n; k++)
			xb_buf_addf(&key, " %s", m->namespaces.v[k]);
		xb_buf_addc(&key, '|');
		if (m->namespace_selector)
			xb_selector_write(m->namespace_selector, &key);
		xb_buf_addc(&key, '|');
		if (m->selector)
			xb_selector_write(m->selector, &key);
	}
	t->key = xb_buf_steal(&key);
	return t->key ? 0 : -ENOMEM;
}

/* --- matching --- */
static bool means_namespace(const struct sched_matcher *m, struct xb_sv name, const struct xb_map *namespaces)
{
	const struct xb_json *doc;

	if (m->all_namespaces)
		return true;
	for (size_t i = 0; i < m->namespaces.n; i++)
		if (xb_sv_is(name, m->namespaces.v[i]))
			return true;
	doc = m->has_namespace_selector ? xb_map_get(namespaces, name) : NULL;
	return doc && xb_selector_matches(m->namespace_selector, xb_jv_path(xb_json_root(doc), "metadata", "labels"));
}

bool sched_term_matches(const struct sched_term *t, struct xb_sv namespace_, struct xb_jv labels, const struct xb_map *namespaces)
{
	for (size_t i = 0; i < t->matchers.n; i++) {
		const struct sched_matcher *m = &t->matchers.v[i];

		if (m->nothing || !means_namespace(m, namespace_, namespaces) || !xb_selector_matches(m->selector, labels))
			return false;
	}
	return true;
}

bool sched_term_asks_namespaces(const struct sched_term *t)
{
	for (size_t i = 0; i < t->matchers.n; i++)
		if (t->matchers.v[i].has_namespace_selector && !t->matchers.v[i].all_namespaces)
			return true;
	return false;
}
