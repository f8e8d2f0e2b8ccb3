/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* POST pods/NAME/eviction: a deletion that the pod's disruption budget must allow. */
#include "admission.h"
#include "decode.h"
#include "delete.h"
#include "registry/edit.h"
#include "registry/label_selector.h"
#include "stored.h"
#include "xb/kinds.h"

enum { DISRUPTED_MAX = 2000 }; /* evictions that the budget's controller has not seen yet */

static void answer_evicted(struct request *q, const struct xb_json *doc)
{
	struct xb_status s = { .code = 201 };
	struct xb_buf body = {};

	xb_status_write(&s, &body);
	request_reply_buf(q, 201, "application/json", &body);
}

/* Pods that have ended, have not begun, or are going already disturb nothing. */
static bool ignores_budgets(const struct xb_tree *pod)
{
	const struct xb_tree *phase = xb_tree_path(pod, "status", "phase");

	return xb_tree_is(phase, "Succeeded") || xb_tree_is(phase, "Failed") || xb_tree_is(phase, "Pending") ||
	       xb_tree_path(pod, "metadata", "deletionTimestamp");
}

static bool is_ready(const struct xb_tree *pod)
{
	xb_tree_each(c, xb_tree_path(pod, "status", "conditions"))
		if (xb_tree_is(xb_tree_get(c, "type"), "Ready"))
			return xb_tree_is(xb_tree_get(c, "status"), "True");
	return false;
}

static int too_many(struct request *q, int retry_after, const char *cause)
{
	if (!cause)
		return -ENOMEM;
	xb_status_set(&q->fault, 429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.");
	xb_status_cause(&q->fault, "DisruptionBudget", xb_sv(cause), (struct xb_sv){});
	q->fault.retry_after = retry_after;
	return -EBUSY;
}

/* Does the budget let one more pod go? */
static int check_budget(struct request *q, const struct xb_tree *budget, struct xb_sv name)
{
	const struct xb_tree *status = xb_tree_get(budget, "status"), *disrupted = xb_tree_get(status, "disruptedPods");
	int64_t allowed = xb_tree_geti64(status, "disruptionsAllowed", 0);

	if (xb_tree_geti64(status, "observedGeneration", 0) < xb_tree_geti64(xb_tree_get(budget, "metadata"), "generation", 0))
		return too_many(q, 10, xb_arena_printf(q->arena, "The disruption budget %.*s is still being processed by the server.",
							     XB_SV_ARG(name)));
	if (allowed < 0)
		return xb_status_forbidden(&q->fault, "policy", "poddisruptionbudget", name, "pdb disruptions allowed is negative");
	if (disrupted && disrupted->count > DISRUPTED_MAX)
		return xb_status_forbidden(&q->fault, "policy", "poddisruptionbudget", name,
			"DisruptedPods map too big - too many evictions not confirmed by PDB controller");
	if (!allowed)
		return too_many(q, 0, xb_arena_printf(q->arena,
			"The disruption budget %.*s needs %lld healthy pods and has %lld currently", XB_SV_ARG(name),
			(long long)xb_tree_geti64(status, "desiredHealthy", 0), (long long)xb_tree_geti64(status, "currentHealthy", 0)));
	return 0;
}

/* The deletion, queued behind it, is what the client waits for. */
static void queued(void *arg, int error, struct store_object *o)
{
}

/* Tells the budget's controller that the pod goes, so that it does not count it as available meanwhile. */
static int charge_budget(struct request *q, struct write *w, const char *key, uint64_t expect, struct xb_tree *budget)
{
	struct xb_tree *status = xb_tree_get(budget, "status");
	_cleanup_buf_ struct xb_buf bytes = {};
	struct store_value value;
	int r;

	edit_int(w, status, "disruptionsAllowed", xb_tree_geti64(status, "disruptionsAllowed", 0) - 1);
	edit_entry(w, edit_obtain(w, status, "disruptedPods"), q->write.name, xb_sv(w->now));
	r = w->no_memory ? -ENOMEM : stored_value(w->arena, budget, &bytes, &value);
	return r ? r : store_put(q->server->store, key, expect, &value, queued, NULL);
}

/* A pod that is not ready is no loss, when enough others are healthy or the budget says so. */
static bool is_no_loss(const struct xb_tree *budget, const struct xb_tree *pod)
{
	const struct xb_tree *status = xb_tree_get(budget, "status");
	int64_t desired = xb_tree_geti64(status, "desiredHealthy", 0);

	if (is_ready(pod))
		return false;
	return xb_tree_is(xb_tree_path(budget, "spec", "unhealthyPodEvictionPolicy"), "AlwaysAllow") ||
	       (desired > 0 && xb_tree_geti64(status, "currentHealthy", 0) >= desired);
}

/* The name of the one budget that selects the pod, {} for none; in the arena. */
static int find_budget(struct request *q, const struct xb_kind *k, const struct xb_tree *pod, struct xb_sv *ret)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	const char *prefix = route_key(q->arena, k, q->write.namespace_, (struct xb_sv){});
	struct xb_sv found = {};
	struct store_object *o;
	int r;

	r = prefix ? store_walk_new(q->server->store, prefix, NULL, 0, &walk) : -ENOMEM;
	if (r)
		return r;
	while ((o = store_walk_next(walk))) {
		struct xb_tree *tree = xb_tree_from(q->arena, xb_json_root(o->doc), NULL, NULL);
		const struct xb_tree *selector = xb_tree_path(tree, "spec", "selector");

		if (!tree)
			return -ENOMEM;
		if (!selector || !label_selector_matches(selector, xb_tree_path(pod, "metadata", "labels")))
			continue;
		if (found.p)
			return xb_status_set(&q->fault, 500, NULL,
				"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
		found = xb_arena_sv(q->arena, xb_tree_text(xb_tree_path(tree, "metadata", "name")));
		if (!found.p)
			return -ENOMEM;
	}
	*ret = found;
	return store_walk_error(walk);
}

static int ask_budget(struct request *q, const struct xb_tree *pod)
{
	const struct xb_kind *k = xb_kind_by_resource(XB_SV("policy"), XB_SV("v1"), XB_SV("poddisruptionbudgets"));
	struct write w = q->write;
	struct store_object *head;
	struct xb_tree *budget;
	const char *key;
	int r;

	w.kind = k;
	w.sub = NULL;
	r = find_budget(q, k, pod, &w.name);
	if (r || !w.name.p)
		return r;
	key = route_key(q->arena, k, w.namespace_, w.name);
	head = key ? store_head(q->server->store, key) : NULL;
	if (!head)
		return key ? 0 : -ENOMEM; /* it went since the last commit */
	r = request_keep(q, xb_json_ref(head->doc));
	if (r)
		return r;
	budget = stored_tree(q->arena, head->doc);
	if (!budget)
		return -ENOMEM;
	if (is_no_loss(budget, pod))
		return 0;
	r = check_budget(q, budget, w.name);
	return r || q->query.n_dry_run ? r : charge_budget(q, &w, key, head->revision, budget);
}

/* So that whoever made it knows why it went; should it stay after all, the disruption controller takes that back. */
static int tell_pod(struct request *q, struct store_object *head, struct xb_tree *pod)
{
	struct write *w = &q->write;
	struct xb_tree *status = edit_obtain(w, pod, "status");
	const char *key = write_key(q, w);
	_cleanup_buf_ struct xb_buf bytes = {};
	struct store_value value;
	int r;

	edit_condition(w, status, "DisruptionTarget", "True");
	xb_tree_each(c, xb_tree_get(status, "conditions"))
		if (xb_tree_is(xb_tree_get(c, "type"), "DisruptionTarget")) {
			edit_str(w, c, "reason", "EvictionByEvictionAPI");
			edit_str(w, c, "message", "Eviction API: evicting");
		}
	r = w->no_memory || !key ? -ENOMEM : stored_value(w->arena, pod, &bytes, &value);
	return r ? r : store_put(q->server->store, key, head->revision, &value, queued, NULL);
}

int eviction_handler(struct request *q)
{
	struct delete_options options;
	struct xb_tree *eviction, *pod;
	struct store_object *head;
	int r;

	r = query_check_write(q->arena, &q->query, "CreateOptions", &q->fault);
	if (!r)
		r = write_init(q);
	if (!r)
		r = decode_body(q, &eviction);
	if (!r && !xb_sv_eq(xb_tree_text(xb_tree_path(eviction, "metadata", "name")), q->write.name))
		r = xb_status_bad_request(&q->fault, "name in URL does not match name in Eviction object");
	if (!r)
		r = delete_options_from(q, xb_tree_get(eviction, "deleteOptions"), &options);
	q->write.sub = NULL;
	if (!r)
		r = write_read(q, &head, &pod);
	/* what forbids the deletion does so before the budget is charged for it */
	if (!r)
		r = admission_run(q, &q->write, NULL, pod);
	if (!r && !ignores_budgets(pod))
		r = ask_budget(q, pod);
	if (!r && !q->query.n_dry_run)
		r = tell_pod(q, head, pod);
	if (r)
		return r;
	q->answer = answer_evicted;
	return delete_object(q, &options, answer_evicted);
}
