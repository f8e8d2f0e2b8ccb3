/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "openapi.h"
#include "paths.h"
#include "xb/describe.h"
#include "xb/vec.h"

struct types {
	XB_VEC(const struct xb_type *) list; /* in the order in which they were met */
};

static void types_done(struct types *t)
{
	xb_vec_done(&t->list);
}

static int add_type(struct types *t, const struct xb_type *type)
{
	int r;

	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.v[i] == type)
			return 0;
	r = xb_vec_push(&t->list, type);
	for (unsigned i = 0; !r && i < type->n_fields; i++)
		if (type->fields[i].kind == XB_T_OBJECT)
			r = add_type(t, type->fields[i].type);
	return r;
}

static int add_kind(struct types *t, const struct xb_kind *k)
{
	int r = add_type(t, k->type);

	for (unsigned i = 0; i < k->n_subresources && !r; i++)
		if (k->subresources[i].type)
			r = add_type(t, k->subresources[i].type);
	return r;
}

/* Values that are schemas of their own, though no rows tell of them. */
static const struct named {
	const char *package, *name, *type, *format, *one_of; /* one_of: what version 3 says in place of type */
} names[] = {
	{ "io.k8s.apimachinery.pkg.api.resource", "Quantity", "string", NULL, "[{\"type\":\"string\"},{\"type\":\"number\"}]" },
	{ "io.k8s.apimachinery.pkg.util.intstr", "IntOrString", "string", "int-or-string", "[{\"type\":\"integer\"},{\"type\":\"string\"}]" },
	{ OPENAPI_META, "Time", "string", "date-time", NULL },
	{ OPENAPI_META, "MicroTime", "string", "date-time", NULL },
	{ OPENAPI_META, "FieldsV1", "object", NULL, NULL },
	{ OPENAPI_META, "Patch", "object", NULL, NULL },
	{ "io.k8s.apimachinery.pkg.runtime", "RawExtension", "object", NULL, NULL },
};

static const struct named *named(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i].name, name))
			return &names[i];
	return NULL;
}

static const struct named *named_of(const struct xb_field *f)
{
	switch (f->kind) {
	case XB_T_QUANTITY:
		return named("Quantity");
	case XB_T_INT_OR_STRING:
		return named("IntOrString");
	case XB_T_TIME:
		return named("Time");
	case XB_T_MICRO_TIME:
		return named("MicroTime");
	case XB_T_ANY:
		return named(strcmp(f->name, "fieldsV1") ? "RawExtension" : "FieldsV1");
	default:
		return NULL;
	}
}

void openapi_write_ref(struct openapi *o, const char *package, const char *name)
{
	_cleanup_buf_ struct xb_buf ref = {};

	xb_buf_addf(&ref, "#/%s/%s.%s", openapi_is_v3(o) ? "components/schemas" : "definitions", package, name);
	xb_jw_ksv(&o->w, "$ref", xb_buf_sv(&ref));
}

/* Version 3 takes a reference with neighbours only inside of allOf. */
static void write_lone_ref(struct openapi *o, const char *package, const char *name)
{
	if (!openapi_is_v3(o)) {
		openapi_write_ref(o, package, name);
		return;
	}
	xb_jw_key(&o->w, "allOf");
	xb_jw_array(&o->w);
	xb_jw_object(&o->w);
	openapi_write_ref(o, package, name);
	xb_jw_end(&o->w);
	xb_jw_end(&o->w);
}

static void write_scalar(struct openapi *o, const struct xb_field *f)
{
	static const struct {
		const char *type, *format;
	} scalars[] = {
		[XB_T_STRING] = { "string", NULL }, [XB_T_BOOL] = { "boolean", NULL }, [XB_T_INT32] = { "integer", "int32" },
		[XB_T_INT64] = { "integer", "int64" }, [XB_T_DOUBLE] = { "number", "double" }, [XB_T_BYTES] = { "string", "byte" },
		[XB_T_STRINGS] = { "array", NULL },
	};

	xb_jw_kstr(&o->w, "type", scalars[f->kind].type);
	if (scalars[f->kind].format)
		xb_jw_kstr(&o->w, "format", scalars[f->kind].format);
	if (f->kind == XB_T_STRINGS) {
		xb_jw_key(&o->w, "items");
		xb_jw_raw(&o->w, XB_SV("{\"type\":\"string\"}"));
	}
}

static void write_value(struct openapi *o, const struct xb_field *f)
{
	const struct named *n = named_of(f);

	if (!n && f->kind != XB_T_OBJECT)
		write_scalar(o, f);
	else if (f->shape == XB_ONE)
		write_lone_ref(o, n ? n->package : f->type->package, n ? n->name : f->type->name);
	else
		openapi_write_ref(o, n ? n->package : f->type->package, n ? n->name : f->type->name);
}

static void write_map_keys(struct openapi *o, const char *keys)
{
	struct xb_sv rest = xb_sv(keys), key;

	xb_jw_key(&o->w, "x-kubernetes-list-map-keys");
	xb_jw_array(&o->w);
	while (xb_sv_split(&rest, ',', &key))
		xb_jw_sv(&o->w, key);
	xb_jw_end(&o->w);
}

static void write_strategy(struct openapi *o, const struct xb_field *f)
{
	const unsigned flags = f->flags;

	if (f->shape == XB_LIST)
		xb_jw_kstr(&o->w, "x-kubernetes-list-type", flags & XB_F_LIST_MAP ? "map" : flags & XB_F_LIST_SET ? "set" : "atomic");
	if (f->map_keys)
		write_map_keys(o, f->map_keys);
	if (flags & (XB_F_ATOMIC | XB_F_GRANULAR))
		xb_jw_kstr(&o->w, "x-kubernetes-map-type", flags & XB_F_ATOMIC ? "atomic" : "granular");
	if (flags & XB_F_MERGE)
		xb_jw_kstr(&o->w, "x-kubernetes-patch-strategy", flags & XB_F_RETAIN_KEYS ? "merge,retainKeys" : "merge");
	else if (flags & (XB_F_RETAIN_KEYS | XB_F_REPLACE))
		xb_jw_kstr(&o->w, "x-kubernetes-patch-strategy", flags & XB_F_REPLACE ? "replace" : "retainKeys");
	if (f->merge_key)
		xb_jw_kstr(&o->w, "x-kubernetes-patch-merge-key", f->merge_key);
}

static void write_description(struct openapi *o, const char *type, const char *field)
{
	const char *text = xb_describe(type, field);

	if (text)
		xb_jw_kstr(&o->w, "description", text);
}

static void write_property(struct openapi *o, const struct xb_type *t, const struct xb_field *f)
{
	xb_jw_key(&o->w, f->name);
	xb_jw_object(&o->w);
	write_description(o, t->name, f->name);
	if (f->shape == XB_ONE) {
		write_value(o, f);
	} else {
		xb_jw_kstr(&o->w, "type", f->shape == XB_LIST ? "array" : "object");
		xb_jw_key(&o->w, f->shape == XB_LIST ? "items" : "additionalProperties");
		xb_jw_object(&o->w);
		write_value(o, f);
		xb_jw_end(&o->w);
	}
	write_strategy(o, f);
	xb_jw_end(&o->w);
}

void openapi_write_gvk(struct openapi *o, const char *group, const char *version, const char *kind)
{
	xb_jw_object(&o->w);
	xb_jw_kstr(&o->w, "group", group);
	xb_jw_kstr(&o->w, "kind", kind);
	xb_jw_kstr(&o->w, "version", version);
	xb_jw_end(&o->w);
}

static const struct xb_subresource *body_of_subresource(const struct xb_type *t)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		for (unsigned i = 0; i < (*k)->n_subresources; i++)
			if ((*k)->subresources[i].kind && (*k)->subresources[i].type == t)
				return &(*k)->subresources[i];
	return NULL;
}

static bool is_kind(const struct xb_type *t)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if ((*k)->type == t)
			return true;
	return false;
}

/* Of each version that has this type. */
static void write_kinds(struct openapi *o, const struct xb_type *t, bool lists)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if ((*k)->type == t)
			openapi_write_gvk(o, (*k)->group, (*k)->version, lists ? (*k)->list_kind : (*k)->kind);
}

/* The kinds that are written in this type. Delete options go with a deletion in any group. */
static void write_kinds_of(struct openapi *o, const struct xb_type *t)
{
	const bool kind = is_kind(t);
	const struct xb_subresource *sub = body_of_subresource(t);

	if (!kind && !sub && t != &xb_type_status && t != &xb_type_delete_options)
		return;
	xb_jw_key(&o->w, "x-kubernetes-group-version-kind");
	xb_jw_array(&o->w);
	if (kind)
		write_kinds(o, t, false);
	else if (sub)
		openapi_write_gvk(o, sub->group, sub->version, sub->kind);
	else if (t == &xb_type_status)
		openapi_write_gvk(o, "", "v1", t->name);
	else
		for (const struct xb_kind *const *k = xb_kinds; *k; k++)
			if (discovery_first_of(k, true))
				openapi_write_gvk(o, (*k)->group, (*k)->version, t->name);
	xb_jw_end(&o->w);
}

static void begin_schema(struct openapi *o, const char *package, const char *name)
{
	_cleanup_buf_ struct xb_buf full = {};

	xb_buf_addf(&full, "%s.%s", package, name);
	xb_jw_keysv(&o->w, xb_buf_sv(&full));
	xb_jw_object(&o->w);
}

static void write_required(struct openapi *o, const struct xb_type *t)
{
	bool any = false;

	for (unsigned i = 0; i < t->n_fields; i++) {
		if (!(t->fields[i].flags & XB_F_REQUIRED))
			continue;
		if (!any) {
			xb_jw_key(&o->w, "required");
			xb_jw_array(&o->w);
			any = true;
		}
		xb_jw_str(&o->w, t->fields[i].name);
	}
	if (any)
		xb_jw_end(&o->w);
}

static void write_schema(struct openapi *o, const struct xb_type *t)
{
	begin_schema(o, t->package, t->name);
	write_description(o, t->name, "");
	xb_jw_kstr(&o->w, "type", "object");
	write_required(o, t);
	xb_jw_key(&o->w, "properties");
	xb_jw_object(&o->w);
	for (unsigned i = 0; i < t->n_fields; i++)
		write_property(o, t, &t->fields[i]);
	xb_jw_end(&o->w);
	if (t->atomic)
		xb_jw_kstr(&o->w, "x-kubernetes-map-type", "atomic");
	write_kinds_of(o, t);
	xb_jw_end(&o->w);
}

/* Has a version before it the same type, and so the same list? */
static bool is_written(const struct openapi *o, const struct xb_kind *k)
{
	for (const struct xb_kind *const *e = xb_kinds; *e != k; e++)
		if ((*e)->type == k->type && openapi_has(o, *e))
			return true;
	return false;
}

/* Lists have no rows: they are all alike, and their own members are those of a Status. */
static void write_list(struct openapi *o, const struct xb_kind *k)
{
	const struct xb_type *like = &xb_type_status;
	_cleanup_buf_ struct xb_buf text = {};

	begin_schema(o, k->type->package, k->list_kind);
	xb_buf_addf(&text, "A list of %s.", k->plural);
	xb_jw_ksv(&o->w, "description", xb_buf_sv(&text));
	xb_jw_kstr(&o->w, "type", "object");
	xb_jw_key(&o->w, "required");
	xb_jw_raw(&o->w, XB_SV("[\"items\"]"));
	xb_jw_key(&o->w, "properties");
	xb_jw_object(&o->w);
	write_property(o, like, xb_type_field(like, XB_SV("apiVersion")));
	xb_jw_key(&o->w, "items");
	xb_jw_object(&o->w);
	xb_jw_kstr(&o->w, "type", "array");
	xb_jw_key(&o->w, "items");
	xb_jw_object(&o->w);
	openapi_write_ref(o, k->type->package, k->type->name);
	xb_jw_end(&o->w);
	xb_jw_end(&o->w);
	write_property(o, like, xb_type_field(like, XB_SV("kind")));
	write_property(o, like, xb_type_field(like, XB_SV("metadata")));
	xb_jw_end(&o->w);
	xb_jw_key(&o->w, "x-kubernetes-group-version-kind");
	xb_jw_array(&o->w);
	write_kinds(o, k->type, true);
	xb_jw_end(&o->w);
	xb_jw_end(&o->w);
}

static void write_named(struct openapi *o, const struct named *n)
{
	begin_schema(o, n->package, n->name);
	write_description(o, n->name, "");
	if (openapi_is_v3(o) && n->one_of) {
		xb_jw_key(&o->w, "oneOf");
		xb_jw_raw(&o->w, xb_sv(n->one_of));
	} else {
		xb_jw_kstr(&o->w, "type", n->type);
	}
	if (n->format)
		xb_jw_kstr(&o->w, "format", n->format);
	xb_jw_end(&o->w);
}

int openapi_write_schemas(struct openapi *o)
{
	_cleanup_(types_done) struct types types = {};
	int r;

	r = add_type(&types, &xb_type_delete_options);
	if (!r)
		r = add_type(&types, &xb_type_status);
	for (const struct xb_kind *const *k = xb_kinds; *k && !r; k++)
		if (openapi_has(o, *k))
			r = add_kind(&types, *k);
	if (r)
		return r;
	for (size_t i = 0; i < types.list.n; i++)
		write_schema(o, types.list.v[i]);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (openapi_has(o, *k) && (*k)->list_kind && !is_written(o, *k))
			write_list(o, *k);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		write_named(o, &names[i]);
	return 0;
}
