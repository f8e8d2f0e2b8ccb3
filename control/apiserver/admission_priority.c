/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Priority: a pod's class gives its priority; one class at most is for pods that name none (KEP-268). */
#include "admission_plugin.h"
#include "registry/edit.h"

#define GROUP "scheduling.k8s.io"

/* The class for pods that name none: of several, which only a race can make, the lowest. *ret is NULL when there is none. */
static int find_default(struct attempt *t, struct xb_json **ret)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *found = NULL;
	int64_t lowest = INT64_MAX, value;
	struct store_object *o;
	int r;

	r = admission_walk(t, GROUP, "priorityclasses", (struct xb_sv){}, &walk);
	if (r)
		return r;
	while ((o = store_walk_next(walk))) {
		struct xb_jv class = xb_json_root(o->doc);

		if (!xb_jv_true(xb_jv_get(class, "globalDefault")) || xb_jv_i64(xb_jv_get(class, "value"), &value) || value >= lowest)
			continue;
		lowest = value;
		xb_json_unref(found);
		found = xb_json_ref(o->doc);
	}
	r = store_walk_error(walk);
	if (!r)
		*ret = TAKE_PTR(found);
	return r;
}

static int find_class(struct attempt *t, struct xb_sv name, struct xb_json **ret)
{
	const struct write *w = t->write;
	int r = admission_find(t, GROUP, "priorityclasses", (struct xb_sv){}, name, ret);

	if (r || *ret)
		return r;
	return xb_status_forbidden(&t->request->fault, w->kind->group, w->kind->plural, w->name, "no PriorityClass with name %.*s was found",
				   XB_SV_ARG(name));
}

static int apply_class(struct attempt *t, struct xb_tree *spec, struct xb_jv class)
{
	struct xb_status *fault = &t->request->fault;
	struct write *w = t->write;
	struct xb_sv policy = xb_jv_text(xb_jv_get(class, "preemptionPolicy")), said_policy = xb_tree_gettext(spec, "preemptionPolicy");
	int64_t value = 0, said;

	(void)xb_jv_i64(xb_jv_get(class, "value"), &value);
	if (!policy.n)
		policy = XB_SV("PreemptLowerPriority");
	said = xb_tree_geti64(spec, "priority", value);
	if (said != value)
		return xb_status_forbidden(fault, w->kind->group, w->kind->plural, w->name,
			"the integer value of priority (%lld) must not be provided in pod spec; priority admission controller computed %lld from the given PriorityClass name",
			(long long)said, (long long)value);
	if (said_policy.n && !xb_sv_eq(said_policy, policy))
		return xb_status_forbidden(fault, w->kind->group, w->kind->plural, w->name,
			"the string value of PreemptionPolicy (%.*s) must not be provided in pod spec; priority admission controller computed %.*s from the given PriorityClass name",
			XB_SV_ARG(said_policy), XB_SV_ARG(policy));
	edit_int(w, spec, "priority", value);
	edit_sv(w, spec, "preemptionPolicy", xb_arena_sv(w->arena, policy));
	return w->no_memory ? -ENOMEM : 0;
}

static int admit_pod(struct attempt *t)
{
	_cleanup_(xb_json_unrefp) struct xb_json *class = NULL;
	struct write *w = t->write;
	struct xb_tree *spec = edit_obtain(w, t->object, "spec");
	struct xb_sv name = xb_tree_gettext(spec, "priorityClassName");
	struct xb_jv found = {};
	int r;

	r = name.n ? find_class(t, name, &class) : find_default(t, &class);
	if (r)
		return r;
	if (class)
		found = xb_json_root(class);
	if (class && !name.n)
		edit_sv(w, spec, "priorityClassName", xb_arena_sv(w->arena, xb_jv_text(xb_jv_path(found, "metadata", "name"))));
	return apply_class(t, spec, found);
}

static int admit_class(struct attempt *t)
{
	_cleanup_(xb_json_unrefp) struct xb_json *class = NULL;
	const struct write *w = t->write;
	struct xb_sv name;
	int r;

	if (!xb_tree_true(xb_tree_get(t->object, "globalDefault")))
		return 0;
	r = find_default(t, &class);
	if (r || !class)
		return r;
	name = xb_jv_text(xb_jv_path(xb_json_root(class), "metadata", "name"));
	if (xb_sv_eq(name, w->name))
		return 0;
	return xb_status_forbidden(&t->request->fault, w->kind->group, w->kind->plural, w->name,
		"PriorityClass %.*s is already marked as default. Only one default can exist", XB_SV_ARG(name));
}

int admission_priority(struct attempt *t)
{
	if (admission_is(t, "", "pods") && admission_creates(t))
		return admit_pod(t);
	if (admission_is(t, GROUP, "priorityclasses"))
		return admit_class(t);
	return 0;
}
