/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "scale.h"

struct asked {
	struct kcm_work *w;
	struct scale *s;
};

static struct asked *asked_new(struct kcm_work *w, struct scale *s)
{
	struct asked *a = xb_arena_alloc(w->arena, sizeof(*a));

	if (a)
		*a = (struct asked){ w, s };
	return a;
}

int scale_of(struct kcm_work *w, struct xb_sv api_version, struct xb_sv kind, struct xb_sv name, struct scale *ret)
{
	struct xb_sv version = api_version, group = {};
	const struct xb_kind *known;
	struct scale s = { .name = xb_arena_strn(w->arena, name) };

	if (memchr(api_version.p ? api_version.p : "", '/', api_version.n))
		xb_sv_split(&version, '/', &group);
	if (!version.n || memchr(version.p, '/', version.n))
		return -EINVAL;
	known = xb_kind_by_name(group, version, kind);
	if (known)
		s.kind = *known;
	else
		s.kind = (struct xb_kind){ .group = xb_arena_strn(w->arena, group), .version = xb_arena_strn(w->arena, version),
					   .kind = xb_arena_strn(w->arena, kind), .namespaced = true };
	if (!s.name || !s.kind.group || !s.kind.version || !s.kind.kind)
		return -ENOMEM;
	*ret = s;
	return 0;
}

static int refused(struct asked *a, int code, const struct xb_status *status)
{
	struct scale *s = a->s;

	s->code = code;
	/* the server tells the name of an object that it looked for */
	s->absent = code == 404 && status && status->name;
	if (code == 404 && !s->absent)
		s->why = xb_arena_printf(a->w->arena, "%s%s%s does not implement the scale subresource", s->kind.plural,
					 *s->kind.group ? "." : "", s->kind.group);
	else
		s->why = xb_arena_strn(a->w->arena, xb_sv(status && status->message ? status->message : "no answer"));
	return s->why ? 0 : -ENOMEM;
}

static int read_scale(struct asked *a, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_arena *arena = a->w->arena;
	struct scale *s = a->s;
	struct xb_jv meta, spec;
	int r = xb_json_parse(body, NULL, &doc, NULL);

	if (r)
		return r;
	meta = xb_jv_get(xb_json_root(doc), "metadata");
	spec = xb_jv_get(xb_json_root(doc), "spec");
	s->uid = xb_arena_strn(arena, xb_jv_text(xb_jv_get(meta, "uid")));
	s->version = xb_arena_strn(arena, xb_jv_text(xb_jv_get(meta, "resourceVersion")));
	s->selector = xb_arena_strn(arena, xb_jv_text(xb_jv_path(xb_json_root(doc), "status", "selector")));
	s->replicas = s->current = 0;
	xb_jv_i64(xb_jv_get(spec, "replicas"), &s->replicas);
	xb_jv_i64(xb_jv_path(xb_json_root(doc), "status", "replicas"), &s->current);
	return s->uid && s->version && s->selector ? 0 : -ENOMEM;
}

static int on_scale(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct asked *a = arg;

	if (xb_calls_error(code, status))
		return refused(a, code, status);
	a->s->code = code;
	a->s->why = NULL;
	return read_scale(a, body);
}

static int ask(struct asked *a)
{
	struct kcm_request q = { .method = "GET", .kind = &a->s->kind, .name = a->s->name, .sub = "scale" };

	return kcm_work_ask(a->w, &q, on_scale, a);
}

/* --- kinds that only the server knows --- */
static int find_kind(struct asked *a, struct xb_jv list)
{
	struct xb_kind *k = &a->s->kind;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(list, "resources")); xb_jit_next(&it);) {
		struct xb_sv plural = xb_jv_text(xb_jv_get(it.value, "name"));

		if (!plural.n || memchr(plural.p, '/', plural.n) || !xb_jv_streq(xb_jv_get(it.value, "kind"), xb_sv(k->kind)))
			continue;
		k->namespaced = xb_jv_true(xb_jv_get(it.value, "namespaced"));
		k->plural = xb_arena_strn(a->w->arena, plural);
		return k->plural ? 0 : -ENOMEM;
	}
	return 0;
}

static int on_resources(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct asked *a = arg;
	struct scale *s = a->s;
	int r = 0;

	if (code != 404 && xb_calls_error(code, status))
		return refused(a, code, status);
	if (code != 404)
		r = xb_json_parse(body, NULL, &doc, NULL);
	if (doc)
		r = find_kind(a, xb_json_root(doc));
	if (r || s->kind.plural)
		return r ? r : ask(a);
	s->why = xb_arena_printf(a->w->arena, "no matches for kind \"%s\" in version \"%s%s%s\"", s->kind.kind, s->kind.group,
				 *s->kind.group ? "/" : "", s->kind.version);
	return s->why ? 0 : -ENOMEM;
}

int scale_ask(struct kcm_work *w, struct scale *s)
{
	struct asked *a = asked_new(w, s);
	struct kcm_request q = { .method = "GET" };

	if (!a)
		return -ENOMEM;
	if (s->kind.plural)
		return ask(a);
	q.path = xb_arena_printf(w->arena, "/%s%s%s/%s", *s->kind.group ? "apis" : "api", *s->kind.group ? "/" : "", s->kind.group,
				 s->kind.version);
	return q.path ? kcm_work_ask(w, &q, on_resources, a) : -ENOMEM;
}

int scale_set(struct kcm_work *w, struct scale *s, int64_t replicas)
{
	struct kcm_request q = { .method = "PUT", .kind = &s->kind, .name = s->name, .sub = "scale", .type = KCM_JSON };
	_cleanup_buf_ struct xb_buf body = {};
	struct asked *a = asked_new(w, s);

	xb_buf_addf(&body, "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"Scale\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\","
		    "\"uid\":\"%s\",\"resourceVersion\":\"%s\"},\"spec\":{\"replicas\":%lld}}",
		    s->name, w->namespace_, s->uid, s->version, (long long)replicas);
	q.body = xb_buf_sv(&body);
	return a && !body.err ? kcm_work_ask(w, &q, on_scale, a) : -ENOMEM;
}
