/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "rollout_set.h"
#include "template_hash.h"
#include "xb/owner.h"

#define HISTORY_MAX_LEN 2000

static struct xb_jv annotation(struct xb_jv object, struct xb_sv name)
{
	return xb_jv_getsv(xb_jv_path(object, "metadata", "annotations"), name);
}

/* Those are about the one object. */
static bool is_own(struct xb_sv name)
{
	static const char *const own[] = { "kubectl.kubernetes.io/last-applied-configuration", "deprecated.deployment.rollback.to",
					   ROLLOUT_REVISION, ROLLOUT_HISTORY, ROLLOUT_DESIRED, ROLLOUT_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (xb_sv_is(name, own[i]))
			return true;
	return false;
}

static void write_number(struct xb_jw *w, const char *name, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	xb_jw_kstr(w, name, text);
}

/* The Deployment's that the set has not; set may be {}. True when there are some. w: NULL to look only. */
static bool copy_annotations(const struct rollout *r, struct xb_jv set, struct xb_jw *w)
{
	bool any = false;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(r->deployment, "metadata", "annotations")); xb_jit_next(&it);) {
		if (is_own(it.key) || xb_sv_eq(xb_jv_bytes(annotation(set, it.key)), xb_jv_bytes(it.value)))
			continue;
		any = true;
		if (!w)
			break;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	return any;
}

static void write_scale(const struct rollout *r, struct xb_jw *w)
{
	write_number(w, ROLLOUT_DESIRED, r->replicas);
	write_number(w, ROLLOUT_MAX, r->replicas + r->surge);
}

/* --- a new one --- */
static void write_members_but(struct xb_jw *w, struct xb_jv object, const char *but)
{
	for (struct xb_jit it = xb_jv_iter(object); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, but) || xb_jv_type(it.value) == XB_JSON_NULL)
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
}

static void write_labels(struct xb_jw *w, const char *key, struct xb_jv labels, const char *hash)
{
	xb_jw_key(w, key);
	xb_jw_object(w);
	write_members_but(w, labels, TEMPLATE_HASH_LABEL);
	xb_jw_kstr(w, TEMPLATE_HASH_LABEL, hash);
	xb_jw_end(w);
}

static void write_set_metadata(const struct rollout *r, const struct xb_kind *deployments, struct xb_jv template, const char *hash,
			       struct xb_jw *w)
{
	_cleanup_buf_ struct xb_buf name = {};

	xb_buf_addf(&name, "%.*s-%s", XB_SV_ARG(xb_jv_text(xb_jv_path(r->deployment, "metadata", "name"))), hash);
	if (name.err)
		w->err = name.err;
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "name", xb_buf_sv(&name));
	write_labels(w, "labels", xb_jv_path(template, "metadata", "labels"), hash);
	xb_jw_key(w, "annotations");
	xb_jw_object(w);
	copy_annotations(r, (struct xb_jv){}, w);
	write_number(w, ROLLOUT_REVISION, rollout_next_revision(r));
	write_scale(r, w);
	xb_jw_end(w);
	xb_jw_key(w, "ownerReferences");
	xb_jw_array(w);
	xb_owner_write(w, deployments, r->deployment);
	xb_jw_end(w);
	xb_jw_end(w);
}

static void write_set_spec(const struct rollout *r, struct xb_jv template, const char *hash, struct xb_jw *w)
{
	struct xb_jv spec = xb_jv_get(r->deployment, "spec"), selector = xb_jv_get(spec, "selector");

	xb_jw_key(w, "spec");
	xb_jw_object(w);
	xb_jw_kint(w, "replicas", r->make);
	if (xb_jv_is(xb_jv_get(spec, "minReadySeconds"))) {
		xb_jw_key(w, "minReadySeconds");
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(spec, "minReadySeconds")));
	}
	xb_jw_key(w, "selector");
	xb_jw_object(w);
	write_labels(w, "matchLabels", xb_jv_get(selector, "matchLabels"), hash);
	write_members_but(w, selector, "matchLabels");
	xb_jw_end(w);
	xb_jw_key(w, "template");
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	write_labels(w, "labels", xb_jv_path(template, "metadata", "labels"), hash);
	write_members_but(w, xb_jv_get(template, "metadata"), "labels");
	xb_jw_end(w);
	write_members_but(w, template, "metadata");
	xb_jw_end(w);
	xb_jw_end(w);
}

void rollout_set_write(const struct rollout *r, const struct xb_kind *deployments, const char *hash, struct xb_buf *out)
{
	struct xb_jv template = xb_jv_path(r->deployment, "spec", "template");
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "ReplicaSet");
	xb_jw_kstr(&w, "apiVersion", "apps/v1");
	write_set_metadata(r, deployments, template, hash, &w);
	write_set_spec(r, template, hash, &w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}

/* --- one that is there --- */

/* The revisions under which a set was current before, the oldest left out when that grows too long. */
static void write_history(struct xb_jv set, struct xb_jw *w)
{
	struct xb_sv history = xb_jv_text(annotation(set, XB_SV(ROLLOUT_HISTORY))), first;
	struct xb_sv was = xb_jv_text(annotation(set, XB_SV(ROLLOUT_REVISION)));
	_cleanup_buf_ struct xb_buf all = {};

	while (history.n && history.n + was.n + 1 > HISTORY_MAX_LEN)
		xb_sv_split(&history, ',', &first);
	xb_buf_addf(&all, "%.*s%s%.*s", XB_SV_ARG(history), history.n ? "," : "", XB_SV_ARG(was));
	if (all.err)
		w->err = all.err;
	xb_jw_ksv(w, ROLLOUT_HISTORY, xb_buf_sv(&all));
}

static int64_t min_ready(struct xb_jv object)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(object, "spec", "minReadySeconds"), &n);
	return n;
}

static bool rescales(const struct rollout *r, const struct rollout_set *s)
{
	return s->size != s->replicas || (s->annotate && (s->desired != r->replicas || s->max != r->replicas + r->surge));
}

/* A revision that no number can be made of is the user's, and stays. */
static bool newer(const struct rollout *r, const struct rollout_set *s)
{
	struct xb_jv was = annotation(s->object, XB_SV(ROLLOUT_REVISION));

	return s == r->current && (s->revision || !xb_jv_is(was)) && s->revision < rollout_next_revision(r);
}

static void write_set_annotations(const struct rollout *r, const struct rollout_set *s, struct xb_jw *w)
{
	xb_jw_key(w, "annotations");
	xb_jw_object(w);
	if (s == r->current)
		copy_annotations(r, s->object, w);
	if (newer(r, s)) {
		if (s->revision)
			write_history(s->object, w);
		write_number(w, ROLLOUT_REVISION, rollout_next_revision(r));
	}
	if (rescales(r, s))
		write_scale(r, w);
	xb_jw_end(w);
}

void rollout_set_patch(const struct rollout *r, const struct rollout_set *s, struct xb_buf *out)
{
	bool follows = s == r->current && min_ready(s->object) != min_ready(r->deployment);
	bool annotates = newer(r, s) || rescales(r, s) || (s == r->current && copy_annotations(r, s->object, NULL));
	struct xb_jw w = XB_JW(out);

	if (!follows && !annotates)
		return;
	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", xb_jv_text(xb_jv_path(s->object, "metadata", "uid")));
	xb_jw_ksv(&w, "resourceVersion", xb_jv_text(xb_jv_path(s->object, "metadata", "resourceVersion")));
	if (annotates)
		write_set_annotations(r, s, &w);
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	if (s->size != s->replicas)
		xb_jw_kint(&w, "replicas", s->size);
	if (follows)
		xb_jw_kint(&w, "minReadySeconds", min_ready(r->deployment));
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
