/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "revisions.h"
#include "stateful_pod.h"
#include "xb/owner.h"

static struct xb_jv label(struct xb_jv pod, const char *name)
{
	return xb_jv_path(pod, "metadata", "labels", name);
}

/* As it was written: "web-01" is not the second pod of "web", and nobody has two names. */
int64_t stateful_ordinal(struct xb_sv set, struct xb_sv pod)
{
	struct xb_sv number;
	int64_t n;

	if (pod.n < set.n + 2 || memcmp(pod.p, set.p, set.n) || pod.p[set.n] != '-')
		return -1;
	number = (struct xb_sv){ pod.p + set.n + 1, pod.n - set.n - 1 };
	if (number.n > 1 && *number.p == '0')
		return -1;
	for (size_t i = 0; i < number.n; i++)
		if (number.p[i] < '0' || number.p[i] > '9')
			return -1;
	return xb_sv_i64(number, &n) || n > INT32_MAX ? -1 : n;
}

struct xb_sv stateful_revision(struct xb_jv pod)
{
	return xb_jv_text(label(pod, REVISIONS_POD_LABEL));
}

bool stateful_identity_matches(struct xb_jv pod)
{
	return xb_jv_streq(label(pod, STATEFUL_POD_NAME), xb_jv_meta(pod, "name"));
}

static bool has_claim(struct xb_jv pod, struct xb_jv volume, const char *claim)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), xb_jv_text(volume)))
			return xb_jv_streq(xb_jv_path(it.value, "persistentVolumeClaim", "claimName"), xb_sv(claim));
	return false;
}

bool stateful_storage_matches(struct xb_jv set, struct xb_jv pod, int64_t ordinal)
{
	_cleanup_buf_ struct xb_buf name = {};

	for (struct xb_jit it = xb_jv_iter(stateful_claim_templates(set)); xb_jit_next(&it);)
		if (stateful_claim_name(it.value, set, ordinal, &name) && !has_claim(pod, xb_jv_path(it.value, "metadata", "name"), name.p))
			return false;
	return true;
}

/* --- bodies --- */
static void copy(struct xb_jw *w, struct xb_jv from, const char *field)
{
	struct xb_jv v = xb_jv_get(from, field);

	if (!xb_jv_is(v))
		return;
	xb_jw_key(w, field);
	xb_jw_raw(w, xb_jv_bytes(v));
}

static void copy_but(struct xb_jw *w, struct xb_jv from, const char *const *but)
{
	for (struct xb_jit it = xb_jv_iter(from); xb_jit_next(&it);) {
		size_t i = 0;

		while (but[i] && !xb_sv_is(it.key, but[i]))
			i++;
		if (but[i])
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
}

static void write_identity(struct xb_jw *w, struct xb_sv name, int64_t ordinal)
{
	char index[24];

	snprintf(index, sizeof(index), "%lld", (long long)ordinal);
	xb_jw_ksv(w, STATEFUL_POD_NAME, name);
	xb_jw_kstr(w, STATEFUL_POD_INDEX, index);
}

static void write_metadata(struct xb_jw *w, struct xb_jv set, const struct xb_kind *set_kind, struct xb_jv revision, struct xb_sv name,
			   int64_t ordinal)
{
	static const char *const own[] = { STATEFUL_POD_NAME, STATEFUL_POD_INDEX, REVISIONS_POD_LABEL, NULL };
	struct xb_jv from = xb_jv_path(revision, "data", "spec", "template", "metadata");

	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "name", name);
	xb_jw_ksv(w, "generateName", (struct xb_sv){ .p = name.p, .n = xb_jv_meta(set, "name").n + 1 });
	xb_jw_key(w, "labels");
	xb_jw_object(w);
	copy_but(w, xb_jv_get(from, "labels"), own);
	xb_jw_ksv(w, REVISIONS_POD_LABEL, xb_jv_meta(revision, "name"));
	write_identity(w, name, ordinal);
	xb_jw_end(w);
	copy(w, from, "annotations");
	copy(w, from, "finalizers");
	xb_jw_key(w, "ownerReferences");
	xb_jw_array(w);
	xb_owner_write(w, set_kind, set);
	xb_jw_end(w);
	xb_jw_end(w);
}

static bool is_claim_template(struct xb_jv set, struct xb_jv volume)
{
	for (struct xb_jit it = xb_jv_iter(stateful_claim_templates(set)); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_path(it.value, "metadata", "name"), xb_jv_text(xb_jv_get(volume, "name"))))
			return true;
	return false;
}

/* patch: of a volume that is there, whatever else it was is taken away. */
static void write_claims(struct xb_jw *w, struct xb_jv set, int64_t ordinal, bool patch)
{
	_cleanup_buf_ struct xb_buf name = {};

	for (struct xb_jit it = xb_jv_iter(stateful_claim_templates(set)); xb_jit_next(&it);) {
		if (!stateful_claim_name(it.value, set, ordinal, &name))
			w->err = -ENOMEM;
		xb_jw_object(w);
		xb_jw_ksv(w, "name", xb_jv_meta(it.value, "name"));
		if (patch) {
			xb_jw_key(w, "$retainKeys");
			xb_jw_raw(w, XB_SV("[\"name\",\"persistentVolumeClaim\"]"));
		}
		xb_jw_key(w, "persistentVolumeClaim");
		xb_jw_object(w);
		xb_jw_ksv(w, "claimName", xb_buf_sv(&name));
		xb_jw_end(w);
		xb_jw_end(w);
	}
}

static void write_spec(struct xb_jw *w, struct xb_jv set, struct xb_jv revision, struct xb_sv name, int64_t ordinal)
{
	static const char *const own[] = { "hostname", "subdomain", "volumes", NULL };
	struct xb_jv from = xb_jv_path(revision, "data", "spec", "template", "spec");
	struct xb_sv service = xb_jv_text(xb_jv_path(set, "spec", "serviceName"));

	xb_jw_key(w, "spec");
	xb_jw_object(w);
	copy_but(w, from, own);
	xb_jw_ksv(w, "hostname", name);
	if (service.n)
		xb_jw_ksv(w, "subdomain", service);
	xb_jw_key(w, "volumes");
	xb_jw_array(w);
	write_claims(w, set, ordinal, false);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(from, "volumes")); xb_jit_next(&it);)
		if (!is_claim_template(set, it.value))
			xb_jw_raw(w, xb_jv_bytes(it.value));
	xb_jw_end(w);
	xb_jw_end(w);
}

void stateful_pod_write(struct xb_jv set, const struct xb_kind *set_kind, struct xb_jv revision, int64_t ordinal, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf name = {};
	struct xb_jw w = XB_JW(out);

	xb_buf_addf(&name, "%.*s-%lld", XB_SV_ARG(xb_jv_meta(set, "name")), (long long)ordinal);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Pod");
	xb_jw_kstr(&w, "apiVersion", "v1");
	write_metadata(&w, set, set_kind, revision, xb_buf_sv(&name), ordinal);
	write_spec(&w, set, revision, xb_buf_sv(&name), ordinal);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0 || name.err)
		out->err = -ENOMEM;
}

void stateful_pod_patch(struct xb_jv set, struct xb_jv pod, int64_t ordinal, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", xb_jv_meta(pod, "uid"));
	xb_jw_key(&w, "labels");
	xb_jw_object(&w);
	write_identity(&w, xb_jv_meta(pod, "name"), ordinal);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (!stateful_storage_matches(set, pod, ordinal)) {
		xb_jw_key(&w, "spec");
		xb_jw_object(&w);
		xb_jw_key(&w, "volumes");
		xb_jw_array(&w);
		write_claims(&w, set, ordinal, true);
		xb_jw_end(&w);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
