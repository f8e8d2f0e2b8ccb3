/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stateful_claims.h"
#include "xb/owner.h"

enum owner { NOBODY, SET, POD };

static struct xb_jv references(struct xb_jv claim)
{
	return xb_jv_path(claim, "metadata", "ownerReferences");
}

const char *stateful_claim_name(struct xb_jv template, struct xb_jv set, int64_t ordinal, struct xb_buf *out)
{
	xb_buf_clear(out);
	xb_buf_addf(out, "%.*s-%.*s-%lld", XB_SV_ARG(xb_jv_meta(template, "name")), XB_SV_ARG(xb_jv_meta(set, "name")), (long long)ordinal);
	return out->err ? NULL : out->p;
}

/* --- whose it should be --- */
static bool deletes(const struct stateful_owners *o, const char *when)
{
	return xb_jv_streq(xb_jv_path(o->set, "spec", "persistentVolumeClaimRetentionPolicy", when), XB_SV("Delete"));
}

static enum owner wanted(const struct stateful_owners *o)
{
	if (o->scaled_down && deletes(o, "whenScaled"))
		return POD;
	return deletes(o, "whenDeleted") ? SET : NOBODY;
}

/* --- whose it is --- */
static bool names(struct xb_jv reference, const struct xb_kind *kind, struct xb_sv name)
{
	_cleanup_buf_ struct xb_buf version = {};

	xb_kind_api_version(kind, &version);
	return xb_jv_streq(xb_jv_get(reference, "apiVersion"), xb_buf_sv(&version)) &&
	       xb_jv_streq(xb_jv_get(reference, "kind"), xb_sv(kind->kind)) && xb_jv_streq(xb_jv_get(reference, "name"), name);
}

static enum owner named(const struct stateful_owners *o, struct xb_jv reference)
{
	if (names(reference, o->set_kind, xb_jv_meta(o->set, "name")))
		return SET;
	return names(reference, o->pod_kind, o->pod_name) ? POD : NOBODY;
}

static bool is_uid(struct xb_jv reference, struct xb_jv owner)
{
	return xb_jv_is(owner) && xb_jv_streq(xb_jv_get(reference, "uid"), xb_jv_meta(owner, "uid"));
}

static bool has(struct xb_jv claim, struct xb_jv owner)
{
	for (struct xb_jit it = xb_jv_iter(references(claim)); xb_jit_next(&it);)
		if (is_uid(it.value, owner))
			return true;
	return false;
}

/* A namesake of the set or the pod has it, which is gone: so will the claim be. */
static bool has_stale(const struct stateful_owners *o, struct xb_jv claim, enum owner which)
{
	for (struct xb_jit it = xb_jv_iter(references(claim)); xb_jit_next(&it);)
		if (named(o, it.value) == which)
			return !is_uid(it.value, which == SET ? o->set : o->pod);
	return false;
}

static bool has_other_controller(const struct stateful_owners *o, struct xb_jv claim)
{
	if (!deletes(o, "whenScaled") && !deletes(o, "whenDeleted"))
		return false;
	for (struct xb_jit it = xb_jv_iter(references(claim)); xb_jit_next(&it);)
		if (xb_jv_true(xb_jv_get(it.value, "controller")) && named(o, it.value) == NOBODY)
			return true;
	return false;
}

/* By an older rule, owners were not controllers. */
static bool is_uncontrolled(const struct stateful_owners *o, struct xb_jv claim)
{
	for (struct xb_jit it = xb_jv_iter(references(claim)); xb_jit_next(&it);)
		if ((is_uid(it.value, o->set) || is_uid(it.value, o->pod)) && !xb_jv_true(xb_jv_get(it.value, "controller")))
			return true;
	return false;
}

bool stateful_claim_settled(const struct stateful_owners *o, struct xb_jv claim)
{
	bool set = has(claim, o->set), pod = has(claim, o->pod);
	enum owner want = wanted(o);

	if (has_stale(o, claim, SET) || has_stale(o, claim, POD))
		return true;
	if (has_other_controller(o, claim))
		return !set && !pod;
	return !is_uncontrolled(o, claim) && set == (want == SET) && pod == (want == POD);
}

bool stateful_claim_stale(const struct stateful_owners *o, struct xb_jv claim)
{
	return deletes(o, "whenScaled") && has_stale(o, claim, POD);
}

/* --- bodies --- */
static void write_owner(struct xb_jw *w, const struct stateful_owners *o, enum owner which)
{
	if (which == SET)
		xb_owner_write(w, o->set_kind, o->set);
	if (which == POD)
		xb_owner_write(w, o->pod_kind, o->pod);
}

static void write_members(struct xb_jw *w, struct xb_jv object, struct xb_jv above)
{
	for (struct xb_jit it = xb_jv_iter(object); xb_jit_next(&it);) {
		if (xb_jv_is(xb_jv_getsv(above, it.key)))
			continue;
		xb_jw_keysv(w, it.key);
		xb_jw_raw(w, xb_jv_bytes(it.value));
	}
}

static void write_map(struct xb_jw *w, const char *key, struct xb_jv map, struct xb_jv above)
{
	xb_jw_key(w, key);
	xb_jw_object(w);
	write_members(w, map, above);
	write_members(w, above, (struct xb_jv){});
	xb_jw_end(w);
}

static void finish(struct xb_jw *w)
{
	if (xb_jw_finish(w) < 0)
		w->out->err = -ENOMEM;
}

void stateful_claim_write(const struct stateful_owners *o, struct xb_jv template, const char *name, struct xb_buf *out)
{
	struct xb_jv from = xb_jv_get(template, "metadata"), none = {};
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "PersistentVolumeClaim");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", name);
	write_map(&w, "labels", xb_jv_get(from, "labels"), xb_jv_path(o->set, "spec", "selector", "matchLabels"));
	write_map(&w, "annotations", xb_jv_get(from, "annotations"), none);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	write_owner(&w, o, wanted(o));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(template, "spec")));
	xb_jw_end(&w);
	finish(&w);
}

void stateful_claim_settle(const struct stateful_owners *o, struct xb_jv claim, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_key(&w, "ownerReferences");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(references(claim)); xb_jit_next(&it);)
		if (named(o, it.value) == NOBODY)
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	if (!has_other_controller(o, claim))
		write_owner(&w, o, wanted(o));
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	finish(&w);
}
