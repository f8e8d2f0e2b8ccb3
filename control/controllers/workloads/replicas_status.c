/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../pods.h"
#include "replicas_status.h"
#include "xb/selector.h"
#include "xb/time.h"

#define FAILURE "ReplicaFailure"

static int64_t number(struct xb_jv object, const char *group, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(object, group, field), &n);
	return n;
}

void replicas_count(struct xb_jv set, const struct xb_jv *pods, size_t n, int64_t now, struct replicas_status *ret)
{
	_cleanup_(xb_selector_freep) struct xb_selector *labels = NULL;
	int64_t min_ready = number(set, "spec", "minReadySeconds"), since;

	xb_selector_from_map(xb_jv_path(set, "spec", "template", "metadata", "labels"), &labels);
	*ret = (struct replicas_status){ .replicas = (int64_t)n };
	for (size_t i = 0; i < n; i++) {
		ret->fully_labeled += xb_selector_matches(labels, xb_jv_path(pods[i], "metadata", "labels"));
		if (!pods_ready(pods[i], &since))
			continue;
		ret->ready++;
		if (pods_available(pods[i], min_ready, now))
			ret->available++;
		else if (since && (!ret->next_available_us || since + min_ready * 1000000 < ret->next_available_us))
			ret->next_available_us = since + min_ready * 1000000;
	}
}

static bool is_failure(struct xb_jv condition)
{
	return xb_jv_streq(xb_jv_get(condition, "type"), XB_SV(FAILURE));
}

static bool says_failure(struct xb_jv set)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(set, "status", "conditions")); xb_jit_next(&it);)
		if (is_failure(it.value))
			return true;
	return false;
}

static bool says(struct xb_jv set, const struct replicas_status *s)
{
	return number(set, "status", "replicas") == s->replicas && number(set, "status", "fullyLabeledReplicas") == s->fully_labeled &&
	       number(set, "status", "readyReplicas") == s->ready && number(set, "status", "availableReplicas") == s->available &&
	       number(set, "status", "observedGeneration") == number(set, "metadata", "generation");
}

static void write_failure(struct xb_jw *w, const char *reason, const char *why, int64_t now)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "type", FAILURE);
	xb_jw_kstr(w, "status", "True");
	xb_jw_kstr(w, "lastTransitionTime", xb_time_format(now).s);
	xb_jw_kstr(w, "reason", reason);
	xb_jw_kstr(w, "message", why);
	xb_jw_end(w);
}

/* A failure that is told already stays as it was told first. */
static void write_conditions(struct xb_jw *w, struct xb_jv set, const char *reason, const char *why, int64_t now)
{
	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(set, "status", "conditions")); xb_jit_next(&it);)
		if (reason || !is_failure(it.value))
			xb_jw_raw(w, xb_jv_bytes(it.value));
	if (reason && !says_failure(set))
		write_failure(w, reason, why, now);
	xb_jw_end(w);
}

void replicas_status_patch(struct xb_jv set, const struct replicas_status *s, const char *reason, const char *why, int64_t now,
			   struct xb_buf *out)
{
	bool failure_changes = says_failure(set) != (reason != NULL);
	struct xb_jw w = XB_JW(out);

	if (says(set, s) && !failure_changes)
		return;
	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "uid", xb_jv_text(xb_jv_path(set, "metadata", "uid")));
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_kint(&w, "replicas", s->replicas);
	xb_jw_kint(&w, "fullyLabeledReplicas", s->fully_labeled);
	xb_jw_kint(&w, "readyReplicas", s->ready);
	xb_jw_kint(&w, "availableReplicas", s->available);
	xb_jw_kint(&w, "observedGeneration", number(set, "metadata", "generation"));
	if (failure_changes)
		write_conditions(&w, set, reason, why, now);
	xb_jw_end(&w);
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
