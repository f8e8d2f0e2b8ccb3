/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job_pods.h"
#include "../pods.h"
#include "xb/tree.h"

#define ENV_INDEX     "JOB_COMPLETION_INDEX"
#define NAME_MAX_MADE 58                /* what the server leaves of a generateName: 63 without five characters of its own */

static bool has_env(const struct xb_tree *container)
{
	xb_tree_each(env, xb_tree_get(container, "env"))
		if (xb_tree_is(xb_tree_get(env, "name"), ENV_INDEX))
			return true;
	return false;
}

static int add_env(struct xb_arena *a, struct xb_tree *containers)
{
	xb_tree_each(c, containers) {
		struct xb_tree *env;

		if (has_env(c))
			continue;
		env = xb_tree_get(c, "env");
		if (!env) {
			env = xb_tree_array(a);
			if (!env)
				return -ENOMEM;
			xb_tree_setc(c, "env", env);
		}
		xb_tree_append(env, xb_tree_parse(a, "{\"name\":\"" ENV_INDEX "\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":"
						     "\"metadata.labels['" JOB_INDEX "']\"}}}"));
	}
	return 0;
}

static int add_finalizer(struct xb_arena *a, struct xb_tree *meta)
{
	struct xb_tree *finalizers = xb_tree_get(meta, "finalizers");

	xb_tree_each(f, finalizers)
		if (xb_tree_is(f, JOB_TRACKING))
			return 0;
	if (!finalizers) {
		finalizers = xb_tree_array(a);
		if (!finalizers)
			return -ENOMEM;
		xb_tree_setc(meta, "finalizers", finalizers);
	}
	xb_tree_append(finalizers, xb_tree_str(a, XB_SV(JOB_TRACKING)));
	return 0;
}

int job_template_new(struct xb_arena *a, const struct xb_kind *kind, struct xb_jv job, const struct job_spec *spec,
		     struct job_template *ret)
{
	_cleanup_buf_ struct xb_buf base = {};
	struct xb_tree *pod;
	int r;

	pod_template_write(xb_jv_path(job, "spec", "template"), kind, job, &base);
	r = base.err ? base.err : xb_tree_read(a, xb_buf_sv(&base), NULL, &pod);
	if (!r)
		r = add_finalizer(a, xb_tree_get(pod, "metadata"));
	if (!r && spec->indexed)
		r = add_env(a, xb_tree_path(pod, "spec", "initContainers"));
	if (!r && spec->indexed)
		r = add_env(a, xb_tree_path(pod, "spec", "containers"));
	if (r)
		return r;
	*ret = (struct job_template){ .arena = a, .spec = spec, .name = xb_jv_text(xb_jv_path(job, "metadata", "name")), .pod = pod };
	return 0;
}

static int set_text(struct job_template *t, struct xb_tree *object, const char *key, const char *value)
{
	struct xb_tree *text = value ? xb_tree_str(t->arena, xb_sv(value)) : NULL;

	if (!object || !text)
		return -ENOMEM;
	xb_tree_set(object, xb_sv(key), text);
	return 0;
}

static int set_number(struct job_template *t, struct xb_tree *object, const char *key, int64_t n)
{
	return set_text(t, object, key, xb_arena_printf(t->arena, "%lld", (long long)n));
}

/* A failure that the policy ignores does not count against the index, but delays it as any other. */
static int count_on(struct job_template *t, struct xb_tree *annotations, const struct job_pod *before)
{
	bool ignored = before && job_failure_action(t->spec, before->pod, NULL) == JOB_IGNORE;
	int64_t n_ignored = before ? before->ignored + ignored : 0;
	int r = set_number(t, annotations, JOB_INDEX_FAILURES, before ? before->failures + !ignored : 0);

	xb_tree_del(annotations, JOB_INDEX_IGNORED);
	if (!r && n_ignored)
		r = set_number(t, annotations, JOB_INDEX_IGNORED, n_ignored);
	return r;
}

static const char *generate_name(struct job_template *t, int64_t index)
{
	const char *end = xb_arena_printf(t->arena, "-%lld-", (long long)index);
	size_t room = end ? NAME_MAX_MADE - strlen(end) : 0;

	return end ? xb_arena_printf(t->arena, "%.*s%s", (int)MIN(t->name.n, room), t->name.p, end) : NULL;
}

int job_template_body(struct job_template *t, int64_t index, const struct job_pod *before, struct xb_buf *out)
{
	struct xb_tree *meta = xb_tree_get(t->pod, "metadata");
	struct xb_tree *annotations;
	int r = 0;

	xb_buf_clear(out);
	if (index >= 0) {
		annotations = xb_tree_obtain(t->arena, meta, "annotations");
		r = set_number(t, annotations, JOB_INDEX, index);
		if (!r)
			r = set_number(t, xb_tree_obtain(t->arena, meta, "labels"), JOB_INDEX, index);
		if (!r)
			r = set_text(t, meta, "generateName", generate_name(t, index));
		if (!r)
			r = set_text(t, xb_tree_get(t->pod, "spec"), "hostname",
				     xb_arena_printf(t->arena, "%.*s-%lld", XB_SV_ARG(t->name), (long long)index));
		if (!r && t->spec->backoff_limit_per_index >= 0)
			r = count_on(t, annotations, before);
	}
	xb_tree_write(t->pod, out);
	return r ? r : out->err;
}
