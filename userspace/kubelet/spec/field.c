/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The downward API: fields of a pod and resources of its containers, as text. */
#include "spec.h"
#include "xb/quantity.h"
#include "xb/vec.h"
#include "xb/validate.h"
#include "xb/why.h"

static void add_text(struct xb_buf *out, struct xb_jv v)
{
	xb_json_unescape(xb_jv_text(v), out);
}

static void add_list(struct xb_buf *out, const char *const *list, bool all)
{
	for (size_t i = 0; list && list[i] && (all || !i); i++)
		xb_buf_addf(out, "%s%s", i ? "," : "", list[i]);
}

/* --- labels and annotations --- */
struct pair {
	struct xb_sv key;
	struct xb_jv value;
};

static int pair_cmp(const void *a, const void *b)
{
	return xb_sv_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* All of them, a line each, sorted: key="value". */
static int add_map(struct xb_buf *out, struct xb_jv map)
{
	XB_VEC(struct pair) pairs = {};
	int r = xb_vec_room(&pairs, xb_jv_count(map));

	for (struct xb_jit it = xb_jv_iter(map); !r && xb_jit_next(&it);)
		r = xb_vec_push(&pairs, (struct pair){ it.key, it.value });
	if (!r && pairs.n)
		qsort(pairs.v, pairs.n, sizeof(*pairs.v), pair_cmp);
	for (size_t i = 0; !r && i < pairs.n; i++) {
		_cleanup_buf_ struct xb_buf value = {};

		xb_json_unescape(xb_jv_text(pairs.v[i].value), &value);
		xb_buf_addf(out, "%s%.*s=", i ? "\n" : "", XB_SV_ARG(pairs.v[i].key));
		xb_buf_addq(out, xb_buf_sv(&value));
		r = value.err;
	}
	xb_vec_done(&pairs);
	return r ?: out->err;
}

/* "metadata.labels['x']": what is within the brackets. False: it has none. */
static bool subscript(struct xb_sv *path, struct xb_sv *ret_key)
{
	const char *open = path->n ? memchr(path->p, '[', path->n) : NULL;
	size_t inner;

	if (!open || !xb_sv_ends(*path, "']") || path->p + path->n - open < 4 || open[1] != '\'')
		return false;
	inner = path->p + path->n - open - 4;
	*ret_key = (struct xb_sv){ open + 2, inner };
	path->n = open - path->p;
	return true;
}

static int add_entry(struct xb_jv pod, struct xb_sv path, struct xb_sv key, struct xb_buf *out, char **reterr_why)
{
	const char *faults[XB_CHECK_MAX];
	const char *map = xb_sv_is(path, "metadata.labels") ? "labels" : xb_sv_is(path, "metadata.annotations") ? "annotations" : NULL;

	if (!map)
		return xb_why(reterr_why, -EINVAL, "fieldPath \"%.*s\" does not support subscript", XB_SV_ARG(path));
	if (xb_check_qualified_name(key, faults))
		return xb_why(reterr_why, -EINVAL, "invalid key subscript in %.*s: %s", XB_SV_ARG(path), faults[0]);
	add_text(out, xb_jv_getsv(xb_jv_path(pod, "metadata", map), key));
	return out->err;
}

/* --- fields --- */
int spec_field(const struct spec_input *in, struct xb_sv path, struct xb_buf *out, char **reterr_why)
{
	static const struct {
		const char *path, *object, *member;
	} plain[] = {
		{ "metadata.name", "metadata", "name" },
		{ "metadata.namespace", "metadata", "namespace" },
		{ "metadata.uid", "metadata", "uid" },
		{ "spec.serviceAccountName", "spec", "serviceAccountName" },
		{ "spec.nodeName", "spec", "nodeName" },
	};
	struct xb_sv key;

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (xb_sv_is(path, plain[i].path)) {
			add_text(out, xb_jv_path(in->pod, plain[i].object, plain[i].member));
			return out->err;
		}
	if (xb_sv_is(path, "metadata.labels"))
		return add_map(out, xb_jv_path(in->pod, "metadata", "labels"));
	if (xb_sv_is(path, "metadata.annotations"))
		return add_map(out, xb_jv_path(in->pod, "metadata", "annotations"));
	if (xb_sv_is(path, "status.podIP") || xb_sv_is(path, "status.podIPs"))
		add_list(out, in->pod_ips, xb_sv_is(path, "status.podIPs"));
	else if (xb_sv_is(path, "status.hostIP") || xb_sv_is(path, "status.hostIPs"))
		add_list(out, (const char *const[]){ in->facts->ips[0], in->facts->ips[1], NULL }, xb_sv_is(path, "status.hostIPs"));
	else if (subscript(&path, &key))
		return add_entry(in->pod, path, key, out, reterr_why);
	else
		return xb_why(reterr_why, -EINVAL, "unsupported fieldPath: %.*s", XB_SV_ARG(path));
	return out->err;
}

/* --- resources --- */
/* A container that has no limit has the node's allocatable as its limit. */
static int64_t amount_of(const struct facts *f, struct xb_jv container, const char *list, struct xb_sv name)
{
	bool limit = !strcmp(list, "limits"), milli = xb_sv_is(name, "cpu");
	struct xb_quantity q;

	if (!xb_quantity_parse(xb_jv_text(xb_jv_getsv(xb_jv_path(container, "resources", list), name)), &q) && (!limit || q.nano))
		return milli ? xb_quantity_milli(&q) : xb_quantity_value(&q);
	if (!limit)
		return 0;
	if (milli)
		return (int64_t)f->allocatable_cpu_milli;
	return xb_sv_is(name, "memory") ? (int64_t)f->allocatable_memory_bytes :
	       xb_sv_is(name, "ephemeral-storage") ? (int64_t)f->allocatable_ephemeral_bytes : 0;
}

static bool is_resource(struct xb_sv name)
{
	return xb_sv_is(name, "cpu") || xb_sv_is(name, "memory") || xb_sv_is(name, "ephemeral-storage") ||
	       xb_sv_starts(name, "hugepages-");
}

int spec_resource(const struct spec_input *in, struct xb_jv resource_field_ref, struct xb_buf *out, char **reterr_why)
{
	struct xb_sv whole = xb_jv_text(xb_jv_get(resource_field_ref, "resource")), name = whole, list = {};
	struct xb_sv of = xb_jv_text(xb_jv_get(resource_field_ref, "containerName"));
	struct xb_jv container = of.n ? spec_find(in->pod, of, NULL) : in->container;
	struct xb_quantity divisor = {};
	bool limits;
	int64_t amount, unit;

	if (!xb_jv_is(container))
		return xb_why(reterr_why, -EINVAL, "container %.*s not found", XB_SV_ARG(of));
	xb_sv_split(&name, '.', &list);
	limits = xb_sv_is(list, "limits");
	if (!(limits || xb_sv_is(list, "requests")) || !is_resource(name))
		return xb_why(reterr_why, -EINVAL, "unsupported container resource : %.*s", XB_SV_ARG(whole));
	if (xb_quantity_parse(xb_jv_text(xb_jv_get(resource_field_ref, "divisor")), &divisor) || divisor.nano <= 0)
		xb_quantity_parse(XB_SV("1"), &divisor);
	amount = amount_of(in->facts, container, limits ? "limits" : "requests", name);
	unit = xb_sv_is(name, "cpu") ? xb_quantity_milli(&divisor) : xb_quantity_value(&divisor);
	xb_buf_addf(out, "%lld", (long long)(amount / unit + (amount % unit > 0)));
	return out->err;
}
