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

/* As Go's encoding/json writes it: however it was written, the same text has the same bytes. */
static void write_string(struct xb_jv v, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf text = {}, quoted = {};

	xb_json_unescape(xb_jv_text(v), &text);
	xb_json_quote(xb_buf_sv(&text), &quoted);
	if (text.err || quoted.err)
		out->err = -ENOMEM;
	for (size_t i = 0; i < quoted.n; i++) {
		if (strchr("<>&", quoted.p[i]))
			xb_buf_addf(out, "\\u%04x", quoted.p[i]);
		else
			xb_buf_addc(out, quoted.p[i]);
	}
}

/* Members in order of their names: the order in which they were written says nothing. null is as good as missing; null is the name
 * of a member that is written as such. */
static void write_object(struct xb_jv v, const char *but, const char *null, struct xb_buf *out)
{
	XB_VEC(struct member) members = {};
	int r = null ? xb_vec_push(&members, (struct member){ xb_sv(null), {} }) : 0;

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
	case XB_JSON_NONE:
		xb_buf_adds(out, "null");
		break;
	case XB_JSON_STRING:
		write_string(v, out);
		break;
	case XB_JSON_OBJECT:
		write_object(v, NULL, NULL, out);
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

	write_object(xb_jv_get(meta, "labels"), TEMPLATE_HASH_LABEL, NULL, out);
	write_object(meta, "labels", NULL, out);
	write_object(xb_jv_get(template, "spec"), NULL, NULL, out);
}

void template_patch(struct xb_jv template, struct xb_buf *out)
{
	xb_buf_adds(out, "{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":");
	write_object(xb_jv_get(template, "metadata"), NULL, "creationTimestamp", out);
	xb_buf_adds(out, ",\"spec\":");
	write_object(xb_jv_get(template, "spec"), NULL, NULL, out);
	xb_buf_adds(out, "}}}");
}

static uint32_t fnv1a(uint32_t hash, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n--)
		hash = (hash ^ *b++) * 16777619u;
	return hash;
}

static struct template_hash letters(uint32_t hash)
{
	struct template_hash ret;

	snprintf(ret.s, sizeof(ret.s), "%u", hash);
	for (char *c = ret.s; *c; c++)
		*c = LETTERS[(unsigned char)*c % (sizeof(LETTERS) - 1)];
	return ret;
}

struct template_hash template_hash(struct xb_sv canonical, int64_t collisions)
{
	uint32_t hash = fnv1a(2166136261u, canonical.p, canonical.n);

	if (collisions >= 0)
		for (int i = 0; i < 8; i++)
			hash = fnv1a(hash, &(unsigned char){ (uint64_t)collisions >> 8 * i }, 1);
	return letters(hash);
}

struct template_hash template_patch_hash(struct xb_sv patch, int64_t collisions)
{
	uint32_t hash = 2166136261u;
	char count[24];
	int n = snprintf(count, sizeof(count), "%lld", (long long)collisions);

	for (size_t i = 0; i < patch.n; i++)
		hash = hash * 16777619u ^ (unsigned char)patch.p[i];
	for (int i = 0; i < n; i++)
		hash = hash * 16777619u ^ (unsigned char)count[i];
	return letters(hash);
}
