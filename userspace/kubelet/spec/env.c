/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A container's environment: envFrom, then env, which goes before it, then what Services add. */
#include "env_set.h"
#include "expand.h"
#include "spec.h"
#include "xb/base64.h"
#include "xb/why.h"

struct env_making {
	const struct spec_input *in;
	char *namespace_;
	struct make m;
	struct env_set own, services;
	char **reterr_why;
};

/* --- ConfigMaps and Secrets --- */
static const struct source {
	enum objects_kind kind;
	const char *from, *key_from, *name, *Name;
} sources[] = {
	{ OBJECTS_CONFIGMAP, "configMapRef", "configMapKeyRef", "configmap", "ConfigMap" },
	{ OBJECTS_SECRET, "secretRef", "secretKeyRef", "secret", "Secret" },
};

/* 1: it is not there, and need not be. */
static int look_up(struct env_making *e, const struct source *s, struct xb_jv ref, struct xb_jv *ret_data)
{
	const char *name = make_text(&e->m, xb_jv_get(ref, "name")), *why = NULL;
	struct xb_jv object = {};
	int r = objects_get(e->in->objects, s->kind, e->namespace_, name, &object, &why);

	if (r == -ENOENT)
		return xb_jv_true(xb_jv_get(ref, "optional")) ? 1 : xb_why(e->reterr_why, r, "%s \"%s\" not found", s->name, name);
	if (r == -EAGAIN)
		return r;
	if (r)
		return xb_why(e->reterr_why, r, "%s", why ?: strerror(-r));
	*ret_data = xb_jv_get(object, "data");
	return 0;
}

/* A Secret's bytes may be anything; a variable is text. */
static int value_of(struct env_making *e, const struct source *s, struct xb_jv ref, struct xb_sv key, struct xb_jv value, char **ret)
{
	_cleanup_buf_ struct xb_buf bytes = {};
	struct xb_sv rest;
	size_t n = 1;
	int r;

	if (s->kind == OBJECTS_SECRET)
		r = xb_base64_decode(xb_jv_text(value), &bytes);
	else
		xb_json_unescape(xb_jv_text(value), &bytes), r = bytes.err;
	for (rest = xb_buf_sv(&bytes); !r && rest.n && n; rest.p += n, rest.n -= n) {
		n = *rest.p ? xb_sv_utf8(rest) : 0;
		r = n ? 0 : -EINVAL;
	}
	if (r == -EINVAL)
		return xb_why(e->reterr_why, r, "key %.*s in %s %s/%s is not text, so it cannot be an environment variable", XB_SV_ARG(key),
			      s->Name, e->namespace_, make_text(&e->m, xb_jv_get(ref, "name")));
	*ret = make_buf(&e->m, &bytes);
	return r;
}

static int put_all(struct env_making *e, const struct source *s, struct xb_jv ref, struct xb_sv prefix)
{
	struct xb_jv data = {};
	int r = look_up(e, s, ref, &data);

	for (struct xb_jit it = xb_jv_iter(data); !r && xb_jit_next(&it);) {
		char *value = NULL;

		r = value_of(e, s, ref, it.key, it.value, &value);
		if (!r)
			env_set_put(&e->own, make_printf(&e->m, "%.*s%.*s", XB_SV_ARG(prefix), XB_SV_ARG(it.key)), value);
	}
	return MIN(r, 0);
}

static int put_from(struct env_making *e)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(e->in->container, "envFrom")); !r && xb_jit_next(&it);) {
		struct xb_sv prefix = xb_jv_text(xb_jv_get(it.value, "prefix"));

		for (size_t i = 0; !r && i < ARRAY_SIZE(sources); i++) {
			struct xb_jv ref = xb_jv_get(it.value, sources[i].from);

			if (xb_jv_type(ref) == XB_JSON_OBJECT)
				r = put_all(e, &sources[i], ref, prefix);
		}
	}
	return r;
}

/* --- one variable --- */
/* 1: it is not there, and need not be. */
static int key_value(struct env_making *e, const struct source *s, struct xb_jv ref, char **ret)
{
	struct xb_sv key = xb_jv_text(xb_jv_get(ref, "key"));
	struct xb_jv data = {}, value;
	int r = look_up(e, s, ref, &data);

	if (r)
		return r;
	value = xb_jv_getsv(data, key);
	if (xb_jv_is(value))
		return value_of(e, s, ref, key, value, ret);
	if (xb_jv_true(xb_jv_get(ref, "optional")))
		return 1;
	return xb_why(e->reterr_why, -ENOENT, "couldn't find key %.*s in %s %s/%s", XB_SV_ARG(key), s->Name, e->namespace_,
		      make_text(&e->m, xb_jv_get(ref, "name")));
}

static int value_from(struct env_making *e, struct xb_jv from, char **ret)
{
	struct xb_jv field = xb_jv_get(from, "fieldRef"), resource = xb_jv_get(from, "resourceFieldRef");
	_cleanup_buf_ struct xb_buf text = {};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct xb_jv ref = xb_jv_get(from, sources[i].key_from);

		if (xb_jv_type(ref) == XB_JSON_OBJECT)
			return key_value(e, &sources[i], ref, ret);
	}
	if (xb_jv_type(field) == XB_JSON_OBJECT)
		r = spec_field(e->in, xb_jv_text(xb_jv_get(field, "fieldPath")), &text, e->reterr_why);
	else if (xb_jv_type(resource) == XB_JSON_OBJECT)
		r = spec_resource(e->in, resource, &text, e->reterr_why);
	if (!r)
		*ret = make_buf(&e->m, &text);
	return r;
}

static const char *find(const void *arg, struct xb_sv name)
{
	const struct env_making *e = arg;

	return env_set_get(&e->own, name) ?: env_set_get(&e->services, name);
}

static int put_own(struct env_making *e)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(e->in->container, "env")); xb_jit_next(&it);) {
		const char *written = make_text(&e->m, xb_jv_get(it.value, "value"));
		_cleanup_buf_ struct xb_buf text = {};
		char *value = NULL;
		int r;

		if (*written) {
			expand(xb_sv(written), find, e, false, &text);
			value = make_buf(&e->m, &text);
		} else {
			r = value_from(e, xb_jv_get(it.value, "valueFrom"), &value);
			if (r < 0)
				return r;
			if (r)
				continue;
		}
		env_set_put(&e->own, make_text(&e->m, xb_jv_get(it.value, "name")), value);
	}
	return 0;
}

/* --- services --- */
/* The pod's own namespace may have a Service "kubernetes" too, which then goes before. */
static void put_service(void *arg, struct xb_jv service)
{
	struct env_making *e = arg;
	struct xb_jv links = xb_jv_path(e->in->pod, "spec", "enableServiceLinks"), meta = xb_jv_get(service, "metadata");
	bool own = xb_jv_streq(xb_jv_get(meta, "namespace"), xb_sv(e->namespace_));

	if (own && (!xb_jv_is(links) || xb_jv_true(links)))
		env_set_put_service(&e->services, service);
	else if (xb_jv_streq(xb_jv_get(meta, "namespace"), XB_SV("default")) && xb_jv_streq(xb_jv_get(meta, "name"), XB_SV("kubernetes")) &&
		 !env_set_get(&e->services, XB_SV("KUBERNETES_SERVICE_HOST")))
		env_set_put_service(&e->services, service);
}

/* Static pods do not wait for an API server that they may be themselves. */
static int put_services(struct env_making *e)
{
	if (!spec_is_static(e->in->pod) && !objects_services_known(e->in->objects))
		return xb_why(e->reterr_why, -EAGAIN, "services have not yet been read at least once, cannot construct envvars");
	objects_each_service(e->in->objects, e->namespace_, put_service, e);
	return 0;
}

static int result(struct env_making *e, Runtime__V1__KeyValue ***ret, size_t *ret_n)
{
	Runtime__V1__KeyValue **vars = make_room(&e->m, (e->own.vars.n + e->services.vars.n) * sizeof(*vars));
	size_t n = e->own.vars.n;

	if (e->m.failed)
		return -ENOMEM;
	if (n)
		memcpy(vars, e->own.vars.v, n * sizeof(*vars));
	for (size_t i = 0; i < e->services.vars.n; i++)
		if (!env_set_get(&e->own, xb_sv(e->services.vars.v[i]->key)))
			vars[n++] = e->services.vars.v[i];
	*ret = vars;
	*ret_n = n;
	return 0;
}

int spec_env(const struct spec_input *in, struct xb_arena *a, Runtime__V1__KeyValue ***ret, size_t *ret_n, char **reterr_why)
{
	struct env_making e = { .in = in, .m = { .a = a }, .reterr_why = reterr_why };
	int r = env_set_init(&e.own, &e.m) ?: env_set_init(&e.services, &e.m);

	e.namespace_ = make_text(&e.m, xb_jv_path(in->pod, "metadata", "namespace"));
	r = r ?: put_services(&e) ?: put_from(&e) ?: put_own(&e) ?: result(&e, ret, ret_n);
	env_set_done(&e.own);
	env_set_done(&e.services);
	return r;
}
