/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon_status.h"

void daemon_count(const struct daemon_facts *f, struct daemon_status *ret)
{
	*ret = (struct daemon_status){ .desired = f->desired };
	for (size_t i = 0; i < f->nodes.n; i++) {
		const struct daemon_node *node = &f->nodes.v[i];
		const struct daemon_pod *pod = &f->pods.v[node->first];

		if (node->n && !node->run)
			ret->misscheduled++;
		if (!node->n || !node->run)
			continue;
		ret->scheduled++;
		ret->ready += pod->ready;
		ret->available += pod->available;
		ret->updated += pod->current;
	}
}

struct field {
	const char *name;
	int64_t n;
};

static bool says(struct xb_jv status, const struct field *f)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_get(status, f->name), &n);
	return n == f->n;
}

static bool is_among(const struct field *f, size_t n, struct xb_sv name)
{
	for (size_t i = 0; i < n; i++)
		if (xb_sv_is(name, f[i].name))
			return true;
	return false;
}

void daemon_status_write(struct xb_jv set, const struct daemon_status *s, struct xb_buf *out)
{
	struct xb_jv status = xb_jv_get(set, "status");
	int64_t generation = 0;
	bool same = true;
	struct field fields[] = {
		{ "currentNumberScheduled", s->scheduled }, { "numberMisscheduled", s->misscheduled },
		{ "desiredNumberScheduled", s->desired }, { "numberReady", s->ready }, { "updatedNumberScheduled", s->updated },
		{ "numberAvailable", s->available }, { "numberUnavailable", s->desired - s->available }, { "observedGeneration", 0 },
	};
	struct xb_jw w = XB_JW(out);

	xb_jv_i64(xb_jv_path(set, "metadata", "generation"), &generation);
	fields[ARRAY_SIZE(fields) - 1].n = generation;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && same; i++)
		same = says(status, &fields[i]);
	if (same)
		return;
	xb_jw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		xb_jw_kint(&w, fields[i].name, fields[i].n);
	for (struct xb_jit it = xb_jv_iter(status); xb_jit_next(&it);) {
		if (is_among(fields, ARRAY_SIZE(fields), it.key))
			continue;
		xb_jw_keysv(&w, it.key);
		xb_jw_raw(&w, xb_jv_bytes(it.value));
	}
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
