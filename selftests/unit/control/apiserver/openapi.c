/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The documents against Kubernetes' own: XB_K8S_DATA/openapi-v2.json, else ../shared/k8s/openapi-v2.json; and in themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "../../../../control/apiserver/openapi.h"
#include "../../../../control/apiserver/paths.h"
#include "xb/file.h"

static const struct xb_json_limits limits = { .max_bytes = 64 << 20 };
static struct xb_json *upstream, *ours;
static struct xb_buf ours_text;
static unsigned faults;

static void __attribute__((format(printf, 3, 4))) fault(struct xb_sv where, struct xb_sv member, const char *fmt, ...)
{
	va_list ap;

	faults++;
	fprintf(stderr, "%.*s %.*s: ", XB_SV_ARG(where), XB_SV_ARG(member));
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static struct xb_jv root_of(struct xb_json *document, const char *member)
{
	return xb_jv_get(xb_json_root(document), member);
}

static bool has_element(struct xb_jv array, struct xb_sv text)
{
	for (struct xb_jit it = xb_jv_iter(array); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, text))
			return true;
	return false;
}

/* Both are missing, or both are there and equal; strings and arrays of strings in any order. */
static bool same(struct xb_jv a, struct xb_jv b)
{
	if (xb_jv_type(a) != xb_jv_type(b) || xb_jv_count(a) != xb_jv_count(b))
		return false;
	for (struct xb_jit it = xb_jv_iter(a); xb_jit_next(&it);)
		if (xb_jv_type(a) == XB_JSON_ARRAY && !has_element(b, xb_jv_text(it.value)))
			return false;
		else if (xb_jv_type(a) == XB_JSON_OBJECT && !same(it.value, xb_jv_getsv(b, it.key)))
			return false;
	return xb_jv_type(a) != XB_JSON_STRING || xb_sv_eq(xb_jv_text(a), xb_jv_text(b));
}

static void compare_members(struct xb_sv where, struct xb_sv name, struct xb_jv a, struct xb_jv b)
{
	static const char *const members[] = {
		"$ref", "type", "format", "items", "additionalProperties", "required", "x-kubernetes-list-map-keys",
		"x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key",
	};
	const struct xb_jv list_type = xb_jv_get(b, "x-kubernetes-list-type");

	for (unsigned i = 0; i < ARRAY_SIZE(members); i++)
		if (!same(xb_jv_get(a, members[i]), xb_jv_get(b, members[i])))
			fault(where, name, "%s differs", members[i]);
	/* a list that says nothing is atomic; "granular" has no flag and stands as atomic in the rows */
	if (xb_jv_is(list_type) && xb_jv_streq(xb_jv_get(b, "type"), XB_SV("array")) && !same(xb_jv_get(a, "x-kubernetes-list-type"), list_type))
		fault(where, name, "its list type differs");
	if (xb_jv_is(xb_jv_get(a, "x-kubernetes-map-type")) != xb_jv_is(xb_jv_get(b, "x-kubernetes-map-type")))
		fault(where, name, "its map type differs");
}

static bool has_object(struct xb_jv array, struct xb_jv object)
{
	for (struct xb_jit it = xb_jv_iter(array); xb_jit_next(&it);)
		if (same(it.value, object))
			return true;
	return false;
}

static void compare_definition(struct xb_sv name, struct xb_jv a, struct xb_jv b)
{
	const struct xb_jv gvks = xb_jv_get(a, "x-kubernetes-group-version-kind"), theirs = xb_jv_get(b, "x-kubernetes-group-version-kind");

	compare_members(name, XB_SV(""), a, b);
	if (xb_jv_count(xb_jv_get(a, "properties")) != xb_jv_count(xb_jv_get(b, "properties")))
		fault(name, XB_SV(""), "has other properties");
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(a, "properties")); xb_jit_next(&it);)
		compare_members(name, it.key, it.value, xb_jv_getsv(xb_jv_get(b, "properties"), it.key));
	if (xb_jv_is(gvks) != xb_jv_is(theirs))
		fault(name, XB_SV(""), "kinds or not");
	for (struct xb_jit it = xb_jv_iter(gvks); xb_jit_next(&it);)
		if (!has_object(theirs, it.value) && !xb_jv_streq(xb_jv_get(it.value, "version"), XB_SV("v1beta1")))
			fault(name, XB_SV(""), "is no %.*s", XB_SV_ARG(xb_jv_bytes(it.value)));
}

static void definitions_are_upstreams(void **state)
{
	if (!upstream)
		skip();
	faults = 0;
	for (struct xb_jit it = xb_jv_iter(root_of(ours, "definitions")); xb_jit_next(&it);) {
		const struct xb_jv theirs = xb_jv_getsv(root_of(upstream, "definitions"), it.key);

		if (xb_jv_is(theirs))
			compare_definition(it.key, it.value, theirs);
		else if (!xb_sv_starts(it.key, "io.k8s.metrics.")) /* another server's there */
			fault(it.key, XB_SV(""), "is not there");
	}
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		char name[200];

		snprintf(name, sizeof(name), "%s.%s", (*k)->type->package, (*k)->type->name);
		if (!xb_jv_is(xb_jv_get(root_of(ours, "definitions"), name)))
			fault(xb_sv(name), XB_SV(""), "is missing");
	}
	assert_int_equal(faults, 0);
}

static const char *const methods[] = { "get", "put", "post", "delete", "patch" };

/* A parameter's name: its own, or what it refers to, of which upstream's have "-" and a hash behind. */
static bool is_parameter(struct xb_jv p, struct xb_sv name)
{
	struct xb_sv ref = xb_jv_text(xb_jv_get(p, "$ref"));

	if (!ref.n)
		return xb_jv_streq(xb_jv_get(p, "name"), name);
	ref.p += strlen("#/parameters/");
	ref.n -= strlen("#/parameters/");
	return ref.n >= name.n && !memcmp(ref.p, name.p, name.n) && (ref.n == name.n || ref.p[name.n] == '-');
}

static bool has_parameter(struct xb_jv all, struct xb_sv name)
{
	for (struct xb_jit it = xb_jv_iter(all); xb_jit_next(&it);)
		if (is_parameter(it.value, name))
			return true;
	return false;
}

static void compare_parameters(struct xb_sv path, struct xb_jv mine, struct xb_jv theirs, struct xb_jv their_path)
{
	for (struct xb_jit it = xb_jv_iter(mine); xb_jit_next(&it);) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name")), ref = xb_jv_text(xb_jv_get(it.value, "$ref"));

		if (ref.n)
			name = (struct xb_sv){ ref.p + strlen("#/parameters/"), ref.n - strlen("#/parameters/") };
		if (ref.n && !xb_jv_is(xb_jv_getsv(root_of(ours, "parameters"), name)))
			fault(path, name, "is referred to and not there");
		if (!has_parameter(theirs, name) && !has_parameter(xb_jv_get(their_path, "parameters"), name))
			fault(path, name, "is no parameter of it");
	}
}

static void compare_operation(struct xb_sv path, const char *method, struct xb_jv mine, struct xb_jv theirs)
{
	static const char *const members[] = { "operationId", "tags", "x-kubernetes-action", "x-kubernetes-group-version-kind" };

	if (xb_jv_is(mine) != xb_jv_is(theirs)) {
		fault(path, xb_sv(method), "%s", xb_jv_is(mine) ? "should not be there" : "is missing");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(members); i++)
		if (!same(xb_jv_get(mine, members[i]), xb_jv_get(theirs, members[i])))
			fault(path, xb_sv(method), "%s is %.*s", members[i], XB_SV_ARG(xb_jv_bytes(xb_jv_get(mine, members[i]))));
}

static void paths_are_upstreams(void **state)
{
	if (!upstream)
		skip();
	faults = 0;
	for (struct xb_jit it = xb_jv_iter(root_of(ours, "paths")); xb_jit_next(&it);) {
		const struct xb_jv theirs = xb_jv_getsv(root_of(upstream, "paths"), it.key);

		if (!xb_jv_is(theirs)) {
			if (!memmem(it.key.p, it.key.n, "/v1beta1/", strlen("/v1beta1/"))) /* which are gone upstream */
				fault(it.key, XB_SV(""), "is not there");
			continue;
		}
		compare_parameters(it.key, xb_jv_get(it.value, "parameters"), xb_jv_get(theirs, "parameters"), theirs);
		for (unsigned i = 0; i < ARRAY_SIZE(methods); i++) {
			const struct xb_jv a = xb_jv_get(it.value, methods[i]), b = xb_jv_get(theirs, methods[i]);

			compare_operation(it.key, methods[i], a, b);
			compare_parameters(it.key, xb_jv_get(a, "parameters"), xb_jv_get(b, "parameters"), theirs);
		}
	}
	assert_int_equal(faults, 0);
	assert_in_range(xb_jv_count(root_of(ours, "paths")), 100, 1000);
}

/* Every reference within leads somewhere. */
static void check_references(struct xb_jv document, struct xb_jv v)
{
	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it);) {
		struct xb_sv path = xb_jv_text(it.value), part;
		struct xb_jv at = document;

		if (!xb_sv_is(it.key, "$ref") || xb_jv_type(it.value) != XB_JSON_STRING) {
			check_references(document, it.value);
			continue;
		}
		xb_sv_split(&path, '/', &part);
		while (xb_sv_split(&path, '/', &part))
			at = xb_jv_getsv(at, part);
		if (!xb_jv_is(at))
			fault(xb_jv_text(it.value), XB_SV(""), "leads nowhere");
	}
}

static void references_lead_somewhere(void **state)
{
	faults = 0;
	check_references(xb_json_root(ours), xb_json_root(ours));
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		_cleanup_(xb_json_unrefp) struct xb_json *v3 = NULL;
		_cleanup_buf_ struct xb_buf text = {};

		if (!discovery_first_of(k, true))
			continue;
		assert_int_equal(openapi_write(*k, &text), 0);
		assert_int_equal(xb_json_parse(xb_buf_sv(&text), &limits, &v3, NULL), 0);
		check_references(xb_json_root(v3), xb_json_root(v3));
		assert_true(xb_jv_count(xb_jv_path(xb_json_root(v3), "components", "schemas")) > 1);
		assert_true(xb_jv_count(root_of(v3, "paths")) > 0);
	}
	assert_int_equal(faults, 0);
}

/* --- protobuf, read by hand --- */

struct wire {
	struct xb_sv rest, bytes;      /* bytes: of the field that wire_next found */
	unsigned number;
	uint64_t value;
};

static uint64_t read_number(struct xb_sv *rest)
{
	uint64_t n = 0;

	for (unsigned shift = 0; rest->n; shift += 7) {
		const unsigned char byte = *rest->p;

		rest->p++;
		rest->n--;
		n |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	fail_msg("a number is cut off");
	return 0;
}

static bool wire_next(struct wire *w)
{
	uint64_t tag;

	if (!w->rest.n)
		return false;
	tag = read_number(&w->rest);
	w->number = tag >> 3;
	w->value = read_number(&w->rest);
	if ((tag & 7) == 0)
		return true;
	assert_int_equal(tag & 7, 2);
	assert_true(w->value <= w->rest.n);
	w->bytes = (struct xb_sv){ w->rest.p, w->value };
	w->rest.p += w->value;
	w->rest.n -= w->value;
	return true;
}

/* The first field of that number; p NULL when there is none. */
static struct xb_sv wire_get(struct xb_sv message, unsigned number)
{
	for (struct wire w = { .rest = message }; wire_next(&w);)
		if (w.number == number)
			return w.bytes;
	return (struct xb_sv){};
}

/* The value of the entry of that name, of entries of that number. */
static struct xb_sv wire_entry(struct xb_sv message, unsigned number, struct xb_sv name)
{
	for (struct wire w = { .rest = message }; wire_next(&w);)
		if (w.number == number && xb_sv_eq(wire_get(w.bytes, 1), name))
			return wire_get(w.bytes, 2);
	return (struct xb_sv){};
}

static unsigned wire_count(struct xb_sv message, unsigned number)
{
	unsigned n = 0;

	for (struct wire w = { .rest = message }; wire_next(&w);)
		n += w.number == number;
	return n;
}

static void check_text(struct xb_sv got, struct xb_jv wanted)
{
	_cleanup_buf_ struct xb_buf plain = {};

	xb_json_unescape(xb_jv_text(wanted), &plain);
	assert_true(xb_sv_eq(got, xb_buf_sv(&plain)));
}

/* A Schema of gnostic's is what the JSON says. */
static void check_schema(struct xb_sv got, struct xb_jv wanted)
{
	const struct xb_jv properties = xb_jv_get(wanted, "properties");

	check_text(wire_get(got, 1), xb_jv_get(wanted, "$ref"));
	check_text(wire_get(got, 2), xb_jv_get(wanted, "format"));
	check_text(wire_get(got, 4), xb_jv_get(wanted, "description"));
	check_text(wire_get(wire_get(got, 22), 1), xb_jv_get(wanted, "type"));
	assert_int_equal(wire_count(got, 19), xb_jv_count(xb_jv_get(wanted, "required")));
	assert_int_equal(wire_count(wire_get(got, 25), 1), xb_jv_count(properties));
	for (struct xb_jit it = xb_jv_iter(properties); xb_jit_next(&it);)
		check_schema(wire_entry(wire_get(got, 25), 1, it.key), it.value);
	if (xb_jv_is(xb_jv_get(wanted, "items")))
		check_schema(wire_get(wire_get(got, 23), 1), xb_jv_get(wanted, "items"));
	if (xb_jv_is(xb_jv_get(wanted, "additionalProperties")))
		check_schema(wire_get(wire_get(got, 21), 1), xb_jv_get(wanted, "additionalProperties"));
	for (struct xb_jit it = xb_jv_iter(wanted); xb_jit_next(&it);) {
		struct xb_sv yaml = xb_sv_trim(wire_get(wire_entry(got, 31, it.key), 2));

		assert_true(xb_sv_eq(yaml, xb_sv_starts(it.key, "x-") ? xb_jv_bytes(it.value) : (struct xb_sv){}));
	}
}

static bool has_dry_run(struct xb_sv operation)
{
	for (struct wire w = { .rest = operation }; wire_next(&w);) {
		/* ParametersItem.parameter, .non_body_parameter, .query_parameter_sub_schema, .name */
		if (w.number == 8 && xb_sv_is(wire_get(wire_get(wire_get(wire_get(w.bytes, 1), 2), 3), 4), "dryRun"))
			return true;
	}
	return false;
}

static void gnostic_says_the_same(void **state)
{
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_sv document, item, patch, gvk;

	assert_int_equal(openapi_to_gnostic(xb_buf_sv(&ours_text), &out), 0);
	document = xb_buf_sv(&out);
	assert_true(xb_sv_is(wire_get(document, 1), "2.0"));
	assert_true(xb_sv_is(wire_get(wire_get(document, 2), 1), "Kubernetes"));
	assert_int_equal(wire_count(wire_get(document, 8), 2), xb_jv_count(root_of(ours, "paths")));
	assert_int_equal(wire_count(wire_get(document, 9), 1), xb_jv_count(root_of(ours, "definitions")));
	assert_int_equal(wire_count(wire_get(document, 10), 1), xb_jv_count(root_of(ours, "parameters")));
	for (struct xb_jit it = xb_jv_iter(root_of(ours, "definitions")); xb_jit_next(&it);)
		check_schema(wire_entry(wire_get(document, 9), 1, it.key), it.value);

	/* what kubectl 1.20 looks for before --dry-run=server */
	item = wire_entry(wire_get(document, 8), 2, XB_SV("/api/v1/namespaces/{namespace}/pods/{name}"));
	patch = wire_get(item, 8);
	assert_true(xb_sv_is(wire_get(patch, 5), "patchCoreV1NamespacedPod"));
	gvk = wire_get(wire_entry(patch, 13, XB_SV("x-kubernetes-group-version-kind")), 2);
	assert_true(xb_sv_is(gvk, "{\"group\":\"\",\"kind\":\"Pod\",\"version\":\"v1\"}\n"));
	assert_true(has_dry_run(patch));
	assert_false(has_dry_run(wire_get(item, 2)));
	/* Responses.response_code "200": ResponseValue.response.schema.schema._ref */
	assert_true(xb_sv_is(wire_get(wire_get(wire_get(wire_get(wire_entry(wire_get(patch, 9), 1, XB_SV("200")), 1), 2), 1), 1),
			     "#/definitions/io.k8s.api.core.v1.Pod"));
}

static void gnostic_refuses_what_it_does_not_know(void **state)
{
	static const char *const texts[] = {
		"{", "[]", "{\"swagger\":2}", "{\"host\":\"x\"}",
		"{\"paths\":{\"/\":{\"get\":{\"parameters\":[{\"in\":\"body \"}]}}}}",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_buf_ struct xb_buf out = {};

		assert_int_equal(openapi_to_gnostic(xb_sv(texts[i]), &out), -EBADMSG);
	}
}

static int set_up(void **state)
{
	const char *folder = getenv("XB_K8S_DATA");
	_cleanup_buf_ struct xb_buf bytes = {};
	char path[4096];
	int r;

	r = openapi_write(NULL, &ours_text);
	if (!r)
		r = xb_json_parse(xb_buf_sv(&ours_text), &limits, &ours, NULL);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/openapi-v2.json", folder ? folder : "../shared/k8s");
	if (xb_file_read(path, limits.max_bytes, &bytes) < 0) {
		fprintf(stderr, "# no %s: the comparison is skipped\n", path);
		return 0;
	}
	return xb_json_parse(xb_buf_sv(&bytes), &limits, &upstream, NULL);
}

static int tear_down(void **state)
{
	xb_json_unref(upstream);
	xb_json_unref(ours);
	xb_buf_done(&ours_text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(definitions_are_upstreams),
		cmocka_unit_test(paths_are_upstreams),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(gnostic_says_the_same),
		cmocka_unit_test(gnostic_refuses_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
