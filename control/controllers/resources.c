/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "resources.h"

static unsigned verbs_of(struct xb_jv names)
{
	unsigned verbs = 0;

	for (struct xb_jit it = xb_jv_iter(names); xb_jit_next(&it);)
		for (unsigned v = 1; v <= XB_VERBS_ALL; v <<= 1)
			if (xb_sv_is(xb_jv_text(it.value), xb_verb_name(v)))
				verbs |= v;
	return verbs;
}

static bool has(const struct resources *r, size_t from, const char *plural)
{
	for (size_t i = from; i < r->n; i++)
		if (!strcmp(r->v[i].kind.plural, plural))
			return true;
	return false;
}

static int push(struct resources *r, const struct resource *row)
{
	struct resource *more;

	if (r->n == r->cap) {
		r->cap = MAX(2 * r->cap, (size_t)64);
		more = xb_arena_alloc(r->arena, r->cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		if (r->n)
			memcpy(more, r->v, r->n * sizeof(*more));
		r->v = more;
	}
	r->v[r->n++] = *row;
	return 0;
}

/* first: of the group's rows */
static int add_resource(struct resources *r, size_t first, const char *group, const char *version, struct xb_jv resource)
{
	struct xb_jv kind = xb_jv_get(resource, "responseKind");
	char *plural = xb_arena_strn(r->arena, xb_jv_text(xb_jv_get(resource, "resource")));
	char *name = xb_arena_strn(r->arena, xb_jv_text(xb_jv_get(kind, "kind")));
	struct resource row = {
		.kind = {
			.group = group, .version = version, .kind = name, .plural = plural,
			.namespaced = xb_jv_streq(xb_jv_get(resource, "scope"), XB_SV("Namespaced")),
			.verbs = verbs_of(xb_jv_get(resource, "verbs")),
		},
	};

	if (!plural || !name)
		return -ENOMEM;
	row.preferred = !has(r, first, plural);
	return push(r, &row);
}

static int add_failure(struct resources *r, const char *of, const char *why)
{
	r->failed = of && why ? xb_arena_printf(r->arena, "%s%s%s: %s", r->failed ? r->failed : "", r->failed ? ", " : "", of, why) : NULL;
	r->n_failed++;
	return r->failed ? 0 : -ENOMEM;
}

static int add_stale(struct resources *r, const char *group, const char *version)
{
	const char *of = *group ? xb_arena_printf(r->arena, "%s/%s", group, version) : version;

	return add_failure(r, of, of ? xb_arena_printf(r->arena, "stale GroupVersion discovery: %s", of) : NULL);
}

static int add_version(struct resources *r, size_t first, const char *group, struct xb_jv v)
{
	char *version = xb_arena_strn(r->arena, xb_jv_text(xb_jv_get(v, "version")));
	int e = version ? 0 : -ENOMEM;

	if (!e && xb_jv_streq(xb_jv_get(v, "freshness"), XB_SV("Stale")))
		e = add_stale(r, group, version);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(v, "resources")); !e && xb_jit_next(&it);)
		e = add_resource(r, first, group, version, it.value);
	return e;
}

int resources_add(struct resources *r, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int e = xb_json_parse(body, NULL, &doc, NULL);

	if (e)
		return e;
	if (!xb_jv_streq(xb_jv_get(xb_json_root(doc), "kind"), XB_SV("APIGroupDiscoveryList")))
		return -EBADMSG;
	for (struct xb_jit g = xb_jv_iter(xb_jv_get(xb_json_root(doc), "items")); !e && xb_jit_next(&g);) {
		char *group = xb_arena_strn(r->arena, xb_jv_text(xb_jv_path(g.value, "metadata", "name")));
		size_t first = r->n;

		e = group ? 0 : -ENOMEM;
		for (struct xb_jit v = xb_jv_iter(xb_jv_get(g.value, "versions")); !e && xb_jit_next(&v);)
			e = add_version(r, first, group, v.value);
	}
	return e;
}

const struct xb_kind *resources_find(const struct resources *r, struct xb_sv api_version, struct xb_sv kind)
{
	struct xb_sv group = api_version, version = api_version;

	if (memchr(api_version.p ? api_version.p : "", '/', api_version.n))
		xb_sv_split(&version, '/', &group);
	else
		group = (struct xb_sv){};
	for (size_t i = 0; i < r->n; i++) {
		const struct xb_kind *k = &r->v[i].kind;

		if (xb_sv_is(kind, k->kind) && xb_sv_is(version, k->version) && xb_sv_is(group, k->group))
			return k;
	}
	return NULL;
}

struct asked {
	struct resources *to;
	const char *path;
};

static int on_answer(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	const struct asked *a = arg;
	int r = xb_calls_error(code, status) ? 0 : resources_add(a->to, body);

	if (r == -EBADMSG)
		return add_failure(a->to, a->path, "the server does not offer aggregated discovery");
	if (xb_calls_error(code, status))
		return add_failure(a->to, a->path, status && status->message ? status->message : "no answer");
	return r;
}

void resources_ask(struct kcm_work *w, struct resources *r)
{
	static const char *const paths[] = { "/api", "/apis" };
	struct asked *asked = xb_arena_alloc(w->arena, ARRAY_SIZE(paths) * sizeof(*asked));

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (asked)
			asked[i] = (struct asked){ r, paths[i] };
		if (!asked || kcm_work_ask(w, &(struct kcm_request){ .method = "GET", .path = paths[i], .accept = RESOURCES_ACCEPT },
					   on_answer, &asked[i]))
			r->n_failed++;
	}
}
