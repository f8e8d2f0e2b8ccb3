/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* LimitRanger: what a namespace's LimitRanges say of the resources of new pods and of claims. */
#include "admission_plugin.h"
#include "registry/edit.h"
#include "registry/pod.h"

/* What breaks a limit, one after the other. */
struct breaches {
	struct xb_buf text;
	unsigned n;
};

static void _printf_(2, 3) add_breach(struct breaches *b, const char *fmt, ...)
{
	va_list ap;

	xb_buf_adds(&b->text, b->n++ ? ", " : "");
	va_start(ap, fmt);
	xb_buf_addv(&b->text, fmt, ap);
	va_end(ap);
}

/* --- defaults of containers */

static void add_note(struct xb_buf *notes, struct xb_sv set, const char *what, struct xb_sv container)
{
	if (set.n)
		xb_buf_addf(notes, "%s%.*s %s for container %.*s", notes->n ? "; " : "", XB_SV_ARG(set), what, XB_SV_ARG(container));
}

static void fill(struct write *w, struct xb_tree *resources, const char *key, struct xb_jv defaults, struct xb_buf *set)
{
	for (struct xb_jit it = xb_jv_iter(defaults); xb_jit_next(&it);) {
		struct xb_tree *list = edit_obtain(w, resources, key);

		if (xb_tree_getsv(list, it.key))
			continue;
		edit_entry(w, list, xb_arena_sv(w->arena, it.key), xb_arena_sv(w->arena, xb_jv_text(it.value)));
		xb_buf_addf(set, "%s%.*s", set->n ? ", " : "", XB_SV_ARG(it.key));
	}
}

static void fill_containers(struct write *w, struct xb_tree *containers, struct xb_jv limit, struct xb_buf *notes)
{
	xb_tree_each(c, containers) {
		struct xb_tree *resources = edit_obtain(w, c, "resources");
		_cleanup_buf_ struct xb_buf requests = {}, limits = {};

		fill(w, resources, "requests", xb_jv_get(limit, "defaultRequest"), &requests);
		fill(w, resources, "limits", xb_jv_get(limit, "default"), &limits);
		add_note(notes, xb_buf_sv(&requests), "request", xb_tree_gettext(c, "name"));
		add_note(notes, xb_buf_sv(&limits), "limit", xb_tree_gettext(c, "name"));
	}
}

static int set_defaults(struct attempt *t, struct xb_jv range)
{
	struct xb_tree *spec = edit_obtain(t->write, t->object, "spec");
	_cleanup_buf_ struct xb_buf notes = {}, text = {};
	struct write *w = t->write;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(range, "spec", "limits")); xb_jit_next(&it);) {
		if (!xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Container")))
			continue;
		fill_containers(w, xb_tree_get(spec, "containers"), it.value, &notes);
		fill_containers(w, xb_tree_get(spec, "initContainers"), it.value, &notes);
	}
	if (!notes.n)
		return notes.err;
	xb_buf_addf(&text, "LimitRanger plugin set: %.*s", XB_SV_ARG(xb_buf_sv(&notes)));
	if (notes.err || text.err)
		return -ENOMEM;
	edit_entry(w, edit_obtain(w, edit_obtain(w, t->object, "metadata"), "annotations"), XB_SV("kubernetes.io/limit-ranger"),
		   xb_arena_sv(w->arena, xb_buf_sv(&text)));
	edit_str(w, edit_obtain(w, t->object, "status"), "qosClass", pod_qos_class(spec)); /* follows the resources */
	return w->no_memory ? -ENOMEM : 0;
}

/* --- constraints */

/* The amount of that name in a list of resources: its text, or false. */
static bool amount(const struct xb_tree *list, struct xb_sv name, struct xb_sv *ret_text, struct xb_quantity *ret)
{
	*ret_text = xb_tree_text(xb_tree_getsv(list, name));
	return ret_text->n && !xb_quantity_parse(*ret_text, ret);
}

static bool less(const struct xb_quantity *a, const struct xb_quantity *b)
{
	return xb_quantity_cmp(a, b) < 0;
}

/* request, limit: NULL when they are not said. */
static void check_ratio(struct breaches *b, const char *what, struct xb_sv name, struct xb_sv allowed_text,
			const struct xb_quantity *allowed, const struct xb_quantity *request, const struct xb_quantity *limit)
{
	double ratio;

	if (!request || !request->nano) {
		add_breach(b, "%.*s max limit to request ratio per %s is %.*s, but no request is specified or request is 0", XB_SV_ARG(name), what,
			   XB_SV_ARG(allowed_text));
		return;
	}
	if (!limit || !limit->nano) {
		add_breach(b, "%.*s max limit to request ratio per %s is %.*s, but no limit is specified or limit is 0", XB_SV_ARG(name), what,
			   XB_SV_ARG(allowed_text));
		return;
	}
	ratio = (double)limit->nano / (double)request->nano;
	if (ratio > (double)allowed->nano / 1e9)
		add_breach(b, "%.*s max limit to request ratio per %s is %.*s, but provided ratio is %f", XB_SV_ARG(name), what,
			   XB_SV_ARG(allowed_text), ratio);
}

/* rule: "min", "max" or "maxLimitRequestRatio". limited: a maximum demands a limit; a claim for a volume has requests only. */
static void check(struct breaches *b, struct xb_jv limit, const char *rule, const char *what, const struct xb_tree *requests,
		  const struct xb_tree *limits, bool limited)
{
	bool is_min = !strcmp(rule, "min");
	const char *word = is_min ? "minimum" : "maximum";

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(limit, rule)); xb_jit_next(&it);) {
		struct xb_sv request_text, limit_text, bound_text = xb_jv_text(it.value);
		struct xb_quantity request, most, bound;
		bool asks = amount(requests, it.key, &request_text, &request), bounded = amount(limits, it.key, &limit_text, &most);

		if (xb_quantity_parse(bound_text, &bound))
			continue;
		if (!is_min && strcmp(rule, "max")) {
			check_ratio(b, what, it.key, bound_text, &bound, asks ? &request : NULL, bounded ? &most : NULL);
			continue;
		}
		if (is_min ? !asks : !bounded && limited)
			add_breach(b, "%s %.*s usage per %s is %.*s.  No %s is specified", word, XB_SV_ARG(it.key), what, XB_SV_ARG(bound_text),
				   is_min ? "request" : "limit");
		else if (asks && (is_min ? less(&request, &bound) : less(&bound, &request)) && (is_min || !bounded || !less(&bound, &most)))
			add_breach(b, "%s %.*s usage per %s is %.*s, but request is %.*s", word, XB_SV_ARG(it.key), what, XB_SV_ARG(bound_text),
				   XB_SV_ARG(request_text));
		else if (bounded && (is_min ? less(&most, &bound) : less(&bound, &most)))
			add_breach(b, "%s %.*s usage per %s is %.*s, but limit is %.*s", word, XB_SV_ARG(it.key), what, XB_SV_ARG(bound_text),
				   XB_SV_ARG(limit_text));
	}
}

static const char *const rules[] = { "min", "max", "maxLimitRequestRatio" };

static void check_all(struct breaches *b, struct xb_jv limit, const char *what, const struct xb_tree *resources, bool limited)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		check(b, limit, rules[i], what, xb_tree_get(resources, "requests"), xb_tree_get(resources, "limits"), limited);
}

/* What a pod has of one resource: its containers and sidecars together, or an init container and the sidecars before it that
 * need more. Who does not say it asks for none; false: nobody says it. */
static bool pod_amount(const struct xb_tree *spec, const char *key, struct xb_sv name, struct xb_quantity *ret)
{
	struct xb_quantity total = {}, sidecars = {}, most = {}, one = { .nano = -1 };
	struct xb_sv said;

	xb_tree_each(c, xb_tree_get(spec, "containers"))
		if (amount(xb_tree_path(c, "resources", key), name, &said, &one))
			total = (struct xb_quantity){ total.nano + one.nano, one.form };
	xb_tree_each(c, xb_tree_get(spec, "initContainers")) {
		if (!amount(xb_tree_path(c, "resources", key), name, &said, &one))
			continue;
		one.nano += sidecars.nano;
		if (xb_tree_is(xb_tree_get(c, "restartPolicy"), "Always"))
			sidecars = one;
		if (less(&most, &one))
			most = one;
	}
	total = (struct xb_quantity){ total.nano + sidecars.nano, total.nano ? total.form : most.form };
	*ret = less(&total, &most) ? most : total;
	return one.nano >= 0;
}

/* Of the resources that a rule is about. */
static void add_sums(struct write *w, struct xb_tree *sum, const char *key, const struct xb_tree *spec, struct xb_jv rule)
{
	for (struct xb_jit it = xb_jv_iter(rule); xb_jit_next(&it);) {
		_cleanup_buf_ struct xb_buf text = {};
		struct xb_quantity total;

		if (!pod_amount(spec, key, it.key, &total))
			continue;
		xb_quantity_write(&total, &text);
		edit_entry(w, edit_obtain(w, sum, key), it.key, text.err ? (struct xb_sv){} : xb_arena_sv(w->arena, xb_buf_sv(&text)));
	}
}

static void check_pod(struct attempt *t, struct xb_jv limit, struct breaches *b)
{
	static const char *const keys[] = { "requests", "limits" };
	struct xb_tree *spec = xb_tree_get(t->object, "spec"), *sum = xb_tree_object(t->write->arena);

	if (xb_jv_streq(xb_jv_get(limit, "type"), XB_SV("Container")))
		xb_tree_each(c, xb_tree_get(spec, "containers"))
			check_all(b, limit, "Container", xb_tree_get(c, "resources"), true);
	if (!xb_jv_streq(xb_jv_get(limit, "type"), XB_SV("Pod")))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(rules); j++)
			add_sums(t->write, sum, keys[i], spec, xb_jv_get(limit, rules[j]));
	check_all(b, limit, "Pod", sum, true);
}

static int check_range(struct attempt *t, struct xb_jv range, bool pod, struct breaches *b)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(range, "spec", "limits")); xb_jit_next(&it);)
		if (pod)
			check_pod(t, it.value, b);
		else if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("PersistentVolumeClaim")))
			check_all(b, it.value, "PersistentVolumeClaim", xb_tree_path(t->object, "spec", "resources"), false);
	return t->write->no_memory || b->text.err ? -ENOMEM : 0;
}

static int refuse(struct attempt *t, const struct breaches *b)
{
	const struct write *w = t->write;

	return xb_status_forbidden(&t->request->fault, w->kind->group, w->kind->plural, w->name, "%s%s%s", b->n > 1 ? "[" : "", b->text.p,
				   b->n > 1 ? "]" : "");
}

static int run(struct attempt *t, bool pod, struct breaches *b)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	struct store_object *o;
	int r;

	r = admission_walk(t, "", "limitranges", t->write->namespace_, &walk);
	while (!r && (o = store_walk_next(walk))) {
		struct xb_jv range = xb_json_root(o->doc);

		r = pod && !t->old ? set_defaults(t, range) : 0;
		if (!r)
			r = check_range(t, range, pod, b);
		if (!r && b->n)
			return refuse(t, b);
	}
	return r ? r : store_walk_error(walk);
}

int admission_limit_ranger(struct attempt *t)
{
	const struct write *w = t->write;
	bool resize = t->old && w->sub && !strcmp(w->sub->name, "resize"), pod = resize || (admission_is(t, "", "pods") && admission_creates(t));
	struct breaches b = {};
	int r;

	if (!pod && !admission_is(t, "", "persistentvolumeclaims"))
		return 0;
	r = run(t, pod, &b);
	xb_buf_done(&b.text);
	return r;
}
