/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node_selector.h"

void sched_node_selector_done(struct sched_node_selector *s)
{
	xb_vec_done(&s->requirements);
	xb_vec_done(&s->values);
	xb_vec_done(&s->terms);
}

static void clear(struct sched_node_selector *s)
{
	s->requirements.n = s->values.n = s->terms.n = 0;
	s->n_labels = 0;
	s->has_terms = false;
}

/* --- reading --- */
static int add_value(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv value)
{
	return xb_vec_push(&s->values, sched_names_find(names, xb_jv_text(value)));
}

static enum sched_operator read_operator(struct xb_sv text)
{
	static const char *const words[] = { "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt" };
	size_t i = 0;

	while (i < ARRAY_SIZE(words) - 1 && !xb_sv_is(text, words[i]))
		i++;
	return i;
}

static int add_requirement(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv v, bool field)
{
	struct sched_requirement q = {
		.operator= read_operator(xb_jv_text(xb_jv_get(v, "operator"))),
		.name = field,
		.key = sched_names_find(names, xb_jv_text(xb_jv_get(v, "key"))),
		.first = s->values.n,
	};
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(v, "values")); !r && xb_jit_next(&it);)
		r = add_value(s, names, it.value);
	q.n = s->values.n - q.first;
	xb_sv_i64(xb_jv_text(xb_jv_at(xb_jv_get(v, "values"), 0)), &q.bound);
	return r ? r : xb_vec_push(&s->requirements, q);
}

static int add_term(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv v, int64_t weight)
{
	struct sched_node_term t = { .first = s->requirements.n, .weight = weight };
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(v, "matchFields")); !r && xb_jit_next(&it);)
		r = add_requirement(s, names, it.value, true);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(v, "matchExpressions")); !r && xb_jit_next(&it);)
		r = add_requirement(s, names, it.value, false);
	t.n = s->requirements.n - t.first;
	return r ? r : xb_vec_push(&s->terms, t);
}

static int add_terms(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv selector)
{
	int r = 0;

	s->has_terms = xb_jv_is(selector);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(selector, "nodeSelectorTerms")); !r && xb_jit_next(&it);)
		r = add_term(s, names, it.value, 0);
	return r;
}

static int add_label(struct sched_node_selector *s, const struct sched_names *names, struct xb_sv key, struct xb_jv value)
{
	struct sched_requirement q = { .operator= SCHED_IN, .key = sched_names_find(names, key), .first = s->values.n, .n = 1 };
	int r = add_value(s, names, value);

	return r ? r : xb_vec_push(&s->requirements, q);
}

int sched_node_selector_required(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv spec)
{
	struct xb_jv affinity = xb_jv_path(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
	int r = 0;

	clear(s);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "nodeSelector")); !r && xb_jit_next(&it);)
		r = add_label(s, names, it.key, it.value);
	s->n_labels = s->requirements.n;
	return r ? r : add_terms(s, names, affinity);
}

int sched_node_selector_read(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv selector)
{
	clear(s);
	return add_terms(s, names, selector);
}

int sched_node_selector_preferred(struct sched_node_selector *s, const struct sched_names *names, struct xb_jv spec)
{
	struct xb_jv affinity = xb_jv_path(spec, "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution");
	int r = 0;

	clear(s);
	for (struct xb_jit it = xb_jv_iter(affinity); !r && xb_jit_next(&it);) {
		int64_t weight = 0;

		xb_jv_i64(xb_jv_get(it.value, "weight"), &weight);
		r = add_term(s, names, xb_jv_get(it.value, "preference"), weight);
	}
	return r;
}

/* --- matching --- */
static bool is_among(const struct sched_node_selector *s, const struct sched_requirement *q, uint32_t value)
{
	for (uint32_t i = q->first; i < q->first + q->n; i++)
		if (s->values.v[i] == value)
			return value != 0;
	return false;
}

static bool holds(const struct sched_node_selector *s, const struct sched_requirement *q, const struct sched_names *names,
		  const struct sched_node *node)
{
	uint32_t value = q->name ? node->name_id : sched_node_label(node, q->key);
	int64_t number;

	switch (q->operator) {
	case SCHED_IN:
		return is_among(s, q, value);
	case SCHED_NOT_IN:
		return !is_among(s, q, value);
	case SCHED_EXISTS:
		return value != 0;
	case SCHED_DOES_NOT_EXIST:
		return value == 0;
	case SCHED_GT:
	case SCHED_LT:
		if (!value || xb_sv_i64(sched_names_text(names, value), &number))
			return false;
		return q->operator== SCHED_GT ? number > q->bound : number < q->bound;
	}
	return false;
}

static bool term_matches(const struct sched_node_selector *s, const struct sched_node_term *t, const struct sched_node *node)
{
	for (uint32_t i = t->first; i < t->first + t->n; i++)
		if (!holds(s, &s->requirements.v[i], node->names, node))
			return false;
	return t->n > 0;
}

bool sched_node_selector_empty(const struct sched_node_selector *s)
{
	return !s->n_labels && !s->has_terms;
}

bool sched_node_selector_matches(const struct sched_node_selector *s, const struct sched_node *node)
{
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (!holds(s, &s->requirements.v[i], node->names, node))
			return false;
	for (size_t i = 0; i < s->terms.n; i++)
		if (term_matches(s, &s->terms.v[i], node))
			return true;
	return !s->has_terms;
}

int64_t sched_node_selector_weight(const struct sched_node_selector *s, const struct sched_node *node)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->terms.n; i++)
		if (s->terms.v[i].weight && term_matches(s, &s->terms.v[i], node))
			sum += s->terms.v[i].weight;
	return sum;
}

bool sched_node_selector_names_others(const struct sched_node_selector *s, const struct sched_node *node)
{
	for (size_t i = 0; i < s->terms.n; i++) {
		const struct sched_requirement *q = &s->requirements.v[s->terms.v[i].first];

		if (!s->terms.v[i].n || !q->name || q->operator!= SCHED_IN || is_among(s, q, node->name_id))
			return false;
	}
	return s->terms.n > 0;
}
