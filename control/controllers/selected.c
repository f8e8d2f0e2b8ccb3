/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "selected.h"

void selected_key(struct xb_sv namespace_, struct xb_sv key, struct xb_sv value, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "%.*s/%.*s=%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(key), XB_SV_ARG(value));
}

void selected_by_label(struct xb_jv pod, struct xb_index_entry *e)
{
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(pod, "metadata", "namespace"));
	_cleanup_buf_ struct xb_buf key = {};

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "metadata", "labels")); xb_jit_next(&it);) {
		selected_key(namespace_, it.key, xb_jv_text(it.value), &key);
		xb_index_add(e, xb_buf_sv(&key));
	}
}

int selected_init(struct selected *s, struct kcm *k)
{
	const struct xb_kind *pods = kcm_kind("", "v1", "pods");

	s->by_label = kcm_index(k, pods, selected_by_label);
	s->by_namespace = kcm_index(k, pods, kcm_by_namespace);
	return s->by_label && s->by_namespace ? 0 : -ENOMEM;
}

static void begin(const struct selected *s, struct xb_sv namespace_, const struct xb_selector *selector, struct selected_it *it)
{
	_cleanup_buf_ struct xb_buf key = {};
	size_t fewest = SIZE_MAX, n;
	struct xb_sv name, value;

	it->in = s->by_namespace;
	xb_buf_addsv(&it->key, namespace_);
	for (size_t i = 0; xb_selector_pair(selector, i, &name, &value); i++) {
		selected_key(namespace_, name, value, &key);
		n = xb_index_count(s->by_label, xb_buf_sv(&key));
		if (n >= fewest)
			continue;
		fewest = n;
		it->in = s->by_label;
		xb_buf_clear(&it->key);
		xb_buf_addsv(&it->key, xb_buf_sv(&key));
	}
}

bool selected_next(const struct selected *s, struct xb_sv namespace_, const struct xb_selector *selector, struct selected_it *it)
{
	if (!it->in)
		begin(s, namespace_, selector, it);
	while (xb_index_next(it->in, xb_buf_sv(&it->key), &it->at)) {
		it->pod = it->at.object;
		if (xb_selector_matches(selector, xb_jv_path(it->pod, "metadata", "labels")))
			return true;
	}
	xb_buf_done(&it->key);
	return false;
}
