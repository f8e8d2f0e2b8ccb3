/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "template_hash.h"
#include "xb/vec.h"

#define LETTERS "bcdfghjklmnpqrstvwxz2456789" /* apimachinery rand.SafeEncodeString */

struct member {
	struct xb_sv key;
	struct xb_jv value;
};

static int by_key(const void *a, const void *b)
{
	return xb_sv_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_value(struct xb_jv v, struct xb_buf *out);

/* Members in order of their names: the order in which they were written says nothing. null is as good as missing. */
static void write_object(struct xb_jv v, const char *but, struct xb_buf *out)
{
	XB_VEC(struct member) members = {};
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(v); !r && xb_jit_next(&it);)
		if (xb_jv_type(it.value) != XB_JSON_NULL && !(but && xb_sv_is(it.key, but)))
			r = xb_vec_push(&members, (struct member){ it.key, it.value });
	if (r)
		out->err = r;
	if (members.n)
		qsort(members.v, members.n, sizeof(*members.v), by_key);
	xb_buf_addc(out, '{');
	for (size_t i = 0; i < members.n; i++) {
		xb_buf_addf(out, "%s\"%.*s\":", i ? "," : "", XB_SV_ARG(members.v[i].key));
		write_value(members.v[i].value, out);
	}
	xb_buf_addc(out, '}');
	xb_vec_done(&members);
}

static void write_value(struct xb_jv v, struct xb_buf *out)
{
	bool first = true;

	switch (xb_jv_type(v)) {
	case XB_JSON_OBJECT:
		write_object(v, NULL, out);
		break;
	case XB_JSON_ARRAY:
		xb_buf_addc(out, '[');
		for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it); first = false) {
			xb_buf_adds(out, first ? "" : ",");
			write_value(it.value, out);
		}
		xb_buf_addc(out, ']');
		break;
	default:
		xb_buf_addsv(out, xb_jv_bytes(v));
	}
}

void template_canonical(struct xb_jv template, struct xb_buf *out)
{
	struct xb_jv meta = xb_jv_get(template, "metadata");

	write_object(xb_jv_get(meta, "labels"), TEMPLATE_HASH_LABEL, out);
	write_object(meta, "labels", out);
	write_object(xb_jv_get(template, "spec"), NULL, out);
}

static uint32_t fnv1a(uint32_t hash, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n--)
		hash = (hash ^ *b++) * 16777619u;
	return hash;
}

struct template_hash template_hash(struct xb_sv canonical, int64_t collisions)
{
	uint32_t hash = fnv1a(2166136261u, canonical.p, canonical.n);
	struct template_hash ret;

	if (collisions >= 0)
		for (int i = 0; i < 8; i++)
			hash = fnv1a(hash, &(unsigned char){ (uint64_t)collisions >> 8 * i }, 1);
	snprintf(ret.s, sizeof(ret.s), "%u", hash);
	for (char *c = ret.s; *c; c++)
		*c = LETTERS[(unsigned char)*c % (sizeof(LETTERS) - 1)];
	return ret;
}
