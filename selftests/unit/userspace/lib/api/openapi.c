/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every table against Kubernetes' own OpenAPI document: XB_K8S_DATA/openapi-v2.json, else ../shared/k8s/openapi-v2.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "xb/file.h"
#include "xb/kinds.h"
#include "xb/vec.h"

static struct xb_json *document;
static XB_VEC(const struct xb_type *) types;
static unsigned faults, fields;

static void __attribute__((format(printf, 3, 4))) fault(const struct xb_type *t, const char *field, const char *fmt, ...)
{
	va_list ap;

	faults++;
	fprintf(stderr, "%s.%s: ", t->name, field);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void collect(const struct xb_type *t)
{
	/* the recorded server had none of these: they are another's */
	if (xb_sv_starts(xb_sv(t->package), "io.k8s.metrics."))
		return;
	for (size_t i = 0; i < types.n; i++)
		if (types.v[i] == t)
			return;
	assert_int_equal(xb_vec_push(&types, t), 0);
	for (unsigned i = 0; i < t->n_fields; i++)
		if (t->fields[i].type)
			collect(t->fields[i].type);
}

static void collect_all(void)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		collect((*k)->type);
		for (unsigned i = 0; i < (*k)->n_subresources; i++)
			if ((*k)->subresources[i].type)
				collect((*k)->subresources[i].type);
	}
	collect(&xb_type_object_meta);
	collect(&xb_type_delete_options);
	collect(&xb_type_status);
}

/* The row's kind and type, as OpenAPI says them. */
static void compare_value(const struct xb_type *t, const struct xb_field *f, struct xb_jv v)
{
	static const struct {
		const char *type, *format, *ref;
	} said[] = {
		[XB_T_STRING] = { .type = "string" }, [XB_T_BOOL] = { .type = "boolean" }, [XB_T_INT32] = { .type = "integer", .format = "int32" },
		[XB_T_INT64] = { .type = "integer", .format = "int64" }, [XB_T_DOUBLE] = { .type = "number", .format = "double" },
		[XB_T_BYTES] = { .type = "string", .format = "byte" },
		[XB_T_TIME] = { .ref = "io.k8s.apimachinery.pkg.apis.meta.v1.Time" },
		[XB_T_MICRO_TIME] = { .ref = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" },
		[XB_T_QUANTITY] = { .ref = "io.k8s.apimachinery.pkg.api.resource.Quantity" },
		[XB_T_INT_OR_STRING] = { .ref = "io.k8s.apimachinery.pkg.util.intstr.IntOrString" },
		[XB_T_STRINGS] = { .type = "array" },
		[XB_T_ANY] = { .ref = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1" },
	};
	char ref[160] = "";

	/* any JSON as well, and in protobuf the same message */
	if (f->kind == XB_T_ANY && xb_jv_streq(xb_jv_get(v, "$ref"), XB_SV("#/definitions/io.k8s.apimachinery.pkg.runtime.RawExtension")))
		return;
	if (f->kind == XB_T_OBJECT)
		snprintf(ref, sizeof(ref), "#/definitions/%s.%s", f->type->package, f->type->name);
	else if (said[f->kind].ref)
		snprintf(ref, sizeof(ref), "#/definitions/%s", said[f->kind].ref);
	if (ref[0] ? !xb_jv_streq(xb_jv_get(v, "$ref"), xb_sv(ref))
		   : !xb_jv_streq(xb_jv_get(v, "type"), xb_sv(said[f->kind].type)) ||
		     (said[f->kind].format ? !xb_jv_streq(xb_jv_get(v, "format"), xb_sv(said[f->kind].format)) : xb_jv_is(xb_jv_get(v, "format"))))
		fault(t, f->name, "its type is %.*s", XB_SV_ARG(xb_jv_bytes(v)));
}

static void compare_flag(const struct xb_type *t, const struct xb_field *f, enum xb_field_flags flag, bool wanted, const char *what)
{
	if (((f->flags & flag) != 0) != wanted)
		fault(t, f->name, "%s %s", wanted ? "is not" : "should not be", what);
}

static bool has_strategy(struct xb_jv property, const char *strategy)
{
	struct xb_sv all = xb_jv_text(xb_jv_get(property, "x-kubernetes-patch-strategy")), one;

	while (xb_sv_split(&all, ',', &one))
		if (xb_sv_is(one, strategy))
			return true;
	return false;
}

static void compare_list(const struct xb_type *t, const struct xb_field *f, struct xb_jv property)
{
	const struct xb_jv list_type = xb_jv_get(property, "x-kubernetes-list-type");
	_cleanup_buf_ struct xb_buf keys = {};

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(property, "x-kubernetes-list-map-keys")); xb_jit_next(&it);)
		xb_buf_addf(&keys, "%s%.*s", keys.n ? "," : "", XB_SV_ARG(xb_jv_text(it.value)));
	compare_flag(t, f, XB_F_LIST_SET, xb_jv_streq(list_type, XB_SV("set")), "a set");
	compare_flag(t, f, XB_F_LIST_MAP, xb_jv_streq(list_type, XB_SV("map")), "a map list");
	if (!xb_sv_eq(xb_sv(f->map_keys), xb_buf_sv(&keys)))
		fault(t, f->name, "its map keys are \"%s\"", keys.p ? keys.p : "");
	if (!xb_sv_eq(xb_sv(f->merge_key), xb_jv_text(xb_jv_get(property, "x-kubernetes-patch-merge-key"))))
		fault(t, f->name, "its merge key differs");
	compare_value(t, f, xb_jv_get(property, "items"));
}

static void compare_field(const struct xb_type *t, const struct xb_field *f, struct xb_jv property, bool required)
{
	compare_flag(t, f, XB_F_REQUIRED, required, "required");
	compare_flag(t, f, XB_F_MERGE, has_strategy(property, "merge"), "merged");
	compare_flag(t, f, XB_F_RETAIN_KEYS, has_strategy(property, "retainKeys"), "retainKeys");
	compare_flag(t, f, XB_F_REPLACE, has_strategy(property, "replace"), "replaced");
	compare_flag(t, f, XB_F_ATOMIC, xb_jv_streq(xb_jv_get(property, "x-kubernetes-map-type"), XB_SV("atomic")), "atomic");
	compare_flag(t, f, XB_F_GRANULAR, xb_jv_streq(xb_jv_get(property, "x-kubernetes-map-type"), XB_SV("granular")), "granular");
	if (xb_jv_streq(xb_jv_get(property, "type"), XB_SV("array")) != (f->shape == XB_LIST))
		fault(t, f->name, "list or not");
	else if (f->shape == XB_LIST)
		compare_list(t, f, property);
	else if (xb_jv_is(xb_jv_get(property, "additionalProperties")) != (f->shape == XB_MAP))
		fault(t, f->name, "map or not");
	else
		compare_value(t, f, f->shape == XB_MAP ? xb_jv_get(property, "additionalProperties") : property);
	fields++;
}

static void compare_type(const struct xb_type *t)
{
	char name[160];
	snprintf(name, sizeof(name), "%s.%s", t->package, t->name);
	const struct xb_jv definition = xb_jv_path(xb_json_root(document), "definitions", name);
	const struct xb_jv properties = xb_jv_get(definition, "properties"), required = xb_jv_get(definition, "required");

	if (!xb_jv_is(definition))
		fault(t, "", "no such type");
	if (xb_jv_streq(xb_jv_get(definition, "x-kubernetes-map-type"), XB_SV("atomic")) != t->atomic)
		fault(t, "", "atomic or not");
	for (struct xb_jit it = xb_jv_iter(properties); xb_jit_next(&it);)
		if (!xb_type_field(t, it.key))
			fault(t, "", "has no field %.*s", XB_SV_ARG(it.key));
	for (unsigned i = 0; i < t->n_fields; i++) {
		const struct xb_field *f = &t->fields[i];
		bool is_required = false;

		for (struct xb_jit it = xb_jv_iter(required); xb_jit_next(&it);)
			is_required |= xb_jv_streq(it.value, xb_sv(f->name));
		if (!xb_jv_is(xb_jv_get(properties, f->name)))
			fault(t, f->name, "no such field");
		else
			compare_field(t, f, xb_jv_get(properties, f->name), is_required);
	}
}

static void tables_are_openapis(void **state)
{
	if (!document)
		skip();
	for (size_t i = 0; i < types.n; i++)
		compare_type(types.v[i]);
	assert_int_equal(faults, 0);
	assert_in_range(types.n, 190, 1000);
	assert_in_range(fields, 880, 10000);
}

static void rows_are_in_order_and_found(void **state)
{
	for (size_t i = 0; i < types.n; i++) {
		const struct xb_type *t = types.v[i];

		assert_in_range(t->n_fields, 1, XB_TYPE_FIELDS);
		for (unsigned j = 0; j < t->n_fields; j++) {
			const struct xb_field *f = &t->fields[j];

			assert_int_equal(f->name_len, strlen(f->name));
			if (j && strcmp(t->fields[j - 1].name, f->name) >= 0)
				fail_msg("%s: %s stands before %s", t->name, t->fields[j - 1].name, f->name);
			assert_ptr_equal(xb_type_field(t, xb_sv(f->name)), f);
		}
		assert_null(xb_type_field(t, XB_SV("~")));
		assert_null(xb_type_field(t, XB_SV("A")));
		assert_null(xb_type_field(t, XB_SV("")));
	}
}

/* Every fallback must be one of the forms that the decoder makes nodes of. */
static void defaults_are_plain(void **state)
{
	for (size_t i = 0; i < types.n; i++)
		for (unsigned j = 0; j < types.v[i]->n_fields; j++) {
			const struct xb_field *f = &types.v[i]->fields[j];
			const size_t n = f->fallback ? strlen(f->fallback) : 0;
			struct xb_sv text = { f->fallback, n };
			int64_t number;

			if (!n)
				continue;
			assert_int_equal(f->shape, XB_ONE);
			if (f->kind == XB_T_OBJECT)
				assert_string_equal(f->fallback, "{}");
			else if (f->kind == XB_T_STRING || f->kind == XB_T_QUANTITY)
				assert_true(n >= 2 && text.p[0] == '"' && text.p[n - 1] == '"' && !memchr(text.p, '\\', n));
			else if (f->kind == XB_T_BOOL)
				assert_true(xb_sv_is(text, "true") || xb_sv_is(text, "false"));
			else
				assert_int_equal(xb_sv_i64(text, &number), 0);
		}
}

static int set_up(void **state)
{
	const struct xb_json_limits limits = { .max_bytes = 16 << 20 };
	const char *folder = getenv("XB_K8S_DATA");
	_cleanup_buf_ struct xb_buf bytes = {};
	char path[4096];

	collect_all();
	snprintf(path, sizeof(path), "%s/openapi-v2.json", folder ? folder : "../shared/k8s");
	if (xb_file_read(path, limits.max_bytes, &bytes) < 0) {
		fprintf(stderr, "# no %s: the comparison is skipped\n", path);
		return 0;
	}
	return xb_json_parse(xb_buf_sv(&bytes), &limits, &document, NULL);
}

static int tear_down(void **state)
{
	xb_json_unref(document);
	xb_vec_done(&types);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_openapis),
		cmocka_unit_test(rows_are_in_order_and_found),
		cmocka_unit_test(defaults_are_plain),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
