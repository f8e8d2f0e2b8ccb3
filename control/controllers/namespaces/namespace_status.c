/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "namespace_status.h"
#include "xb/time.h"

static const struct condition {
	const char *type, *ok_reason, *ok_message, *reason;
} conditions[] = {
	{ "NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered", "DiscoveryFailed" },
	{ "NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed",
	  "GroupVersionParsingFailed" },
	{ "NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
	  "ContentDeletionFailed" },
	{ "NamespaceContentRemaining", "ContentRemoved", "All content successfully removed", "SomeResourcesRemain" },
	{ "NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished", "SomeFinalizersRemain" },
};
enum { DISCOVERY, PARSING, CONTENT, REMAINING, FINALIZERS };

int namespace_texts_add(struct namespace_texts *t, struct xb_arena *a, const char *text)
{
	if (!text)
		return -ENOMEM;
	if (t->n == t->cap) {
		size_t cap = MAX(2 * t->cap, (size_t)8);
		const char **v = xb_arena_alloc(a, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (t->n)
			memcpy(v, t->v, t->n * sizeof(*v));
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = text;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_sorted(struct namespace_texts *t, struct xb_buf *out)
{
	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_bytes);
	for (size_t i = 0; i < t->n; i++)
		xb_buf_addf(out, "%s%s", i ? ", " : "", t->v[i]);
}

/* Nothing: the condition is as it should be. */
static void write_message(struct namespace_findings *f, size_t i, struct xb_buf *out)
{
	if (i == DISCOVERY && f->undiscovered) {
		xb_buf_addf(out, "Discovery failed for some groups, %u failing: unable to retrieve the complete list of server APIs: %s",
			    f->n_undiscovered, f->undiscovered);
	} else if (i == PARSING && f->unparsed) {
		xb_buf_adds(out, f->unparsed);
	} else if (i == CONTENT && f->failures.n) {
		xb_buf_addf(out, "Failed to delete all resource types, %zu remaining: ", f->failures.n);
		add_sorted(&f->failures, out);
	} else if (i == REMAINING && f->remaining.n) {
		xb_buf_adds(out, "Some resources are remaining: ");
		add_sorted(&f->remaining, out);
	} else if (i == FINALIZERS && f->finalizers.n) {
		xb_buf_adds(out, "Some content in the namespace has finalizers remaining: ");
		add_sorted(&f->finalizers, out);
	}
}

static struct xb_jv find(struct xb_jv list, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return it.value;
	return (struct xb_jv){};
}

/* Whether that differs from the old one. */
static bool write_condition(struct xb_jw *w, struct namespace_findings *f, size_t i, struct xb_jv old, int64_t now)
{
	const struct condition *c = &conditions[i];
	_cleanup_buf_ struct xb_buf message = {};
	const char *status, *reason;
	bool same_status, same;

	write_message(f, i, &message);
	status = message.n ? "True" : "False";
	reason = message.n ? c->reason : c->ok_reason;
	if (!message.n)
		xb_buf_adds(&message, c->ok_message);
	same_status = xb_jv_streq(xb_jv_get(old, "status"), xb_sv(status));
	same = same_status && xb_jv_streq(xb_jv_get(old, "reason"), xb_sv(reason)) &&
	       xb_jv_streq(xb_jv_get(old, "message"), xb_buf_sv(&message));
	if (same) {
		xb_jw_raw(w, xb_jv_bytes(old));
		return false;
	}
	xb_jw_object(w);
	xb_jw_kstr(w, "type", c->type);
	xb_jw_kstr(w, "status", status);
	xb_jw_key(w, "lastTransitionTime");
	if (same_status && xb_jv_is(xb_jv_get(old, "lastTransitionTime")))
		xb_jw_raw(w, xb_jv_bytes(xb_jv_get(old, "lastTransitionTime")));
	else
		xb_jw_str(w, xb_time_format(now).s);
	xb_jw_kstr(w, "reason", reason);
	xb_jw_ksv(w, "message", xb_buf_sv(&message));
	xb_jw_end(w);
	return true;
}

static bool is_ours(struct xb_jv condition)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (xb_jv_streq(xb_jv_get(condition, "type"), xb_sv(conditions[i].type)))
			return true;
	return false;
}

void namespace_status_patch(struct xb_jv namespace_, struct namespace_findings *f, int64_t now, struct xb_buf *out)
{
	struct xb_jv old = xb_jv_path(namespace_, "status", "conditions");
	bool changed = !xb_jv_streq(xb_jv_path(namespace_, "status", "phase"), XB_SV("Terminating"));
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "resourceVersion", xb_jv_text(xb_jv_path(namespace_, "metadata", "resourceVersion")));
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "phase", "Terminating");
	xb_jw_key(&w, "conditions");
	xb_jw_array(&w);
	for (struct xb_jit it = xb_jv_iter(old); xb_jit_next(&it);)
		if (!is_ours(it.value))
			xb_jw_raw(&w, xb_jv_bytes(it.value));
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		changed |= write_condition(&w, f, i, find(old, conditions[i].type), now);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (!xb_jw_finish(&w) && !changed)
		xb_buf_clear(out);
}
