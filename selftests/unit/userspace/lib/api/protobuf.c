/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "decode_fixture.h"
#include "xb/protobuf.h"

/* Messages by hand. What they return lives as long as the arena. */
static void add_varint(struct xb_buf *b, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		xb_buf_addc(b, 0x80 | (n & 0x7f));
	xb_buf_addc(b, n);
}

static struct xb_sv kept(struct fixture *f, struct xb_buf *b)
{
	struct xb_sv copy = xb_arena_sv(f->a, xb_buf_sv(b));

	xb_buf_done(b);
	return copy;
}

static struct xb_sv number(struct fixture *f, unsigned field, int64_t n)
{
	struct xb_buf b = {};

	add_varint(&b, field << 3);
	add_varint(&b, n);
	return kept(f, &b);
}

static struct xb_sv bytes(struct fixture *f, unsigned field, struct xb_sv s)
{
	struct xb_buf b = {};

	add_varint(&b, field << 3 | 2);
	add_varint(&b, s.n);
	xb_buf_addsv(&b, s);
	return kept(f, &b);
}

static struct xb_sv joined_(struct fixture *f, const struct xb_sv *parts, size_t n)
{
	struct xb_buf b = {};

	for (size_t i = 0; i < n; i++)
		xb_buf_addsv(&b, parts[i]);
	return kept(f, &b);
}
#define MESSAGE(...) joined_(f, (struct xb_sv[]){ __VA_ARGS__ }, sizeof((struct xb_sv[]){ __VA_ARGS__ }) / sizeof(struct xb_sv))
#define IN(field, ...) bytes(f, (field), MESSAGE(__VA_ARGS__))
#define TEXT(field, literal) bytes(f, (field), XB_SV(literal))
#define NUM(field, n) number(f, (field), (n))

static const struct xb_type *type_of(const char *group, const char *kind)
{
	return xb_kind_by_name(xb_sv(group), XB_SV("v1"), xb_sv(kind))->type;
}

/* As JSON, before the schema has looked at it; or what is wrong with it. */
static const char *raw(struct fixture *f, const struct xb_type *t, struct xb_sv message)
{
	struct xb_tree *object = xb_tree_object(f->a);
	int r;

	xb_buf_clear(&f->said);
	xb_buf_clear(&f->out);
	r = xb_protobuf_decode(f->a, t, message, object, &f->said);
	if (r < 0) {
		assert_int_equal(r, -EBADMSG);
		return f->said.p;
	}
	xb_tree_write(object, &f->out);
	return f->out.p;
}

/* The same as an object of the type: with defaults, and without what says nothing. */
static const char *whole(struct fixture *f, const struct xb_type *t, struct xb_sv message)
{
	const struct xb_decode d = { .arena = f->a };
	struct xb_tree *object = xb_tree_object(f->a);

	xb_buf_clear(&f->out);
	assert_int_equal(xb_protobuf_decode(f->a, t, message, object, &f->said), 0);
	assert_int_equal(xb_schema_decode(&d, t, object, &f->status), 0);
	xb_tree_write(object, &f->out);
	return f->out.p;
}

static void check_numbers(const struct xb_type *t, const struct xb_type **seen, unsigned *n)
{
	for (unsigned i = 0; i < *n; i++)
		if (seen[i] == t)
			return;
	assert_true(*n < 512);
	seen[(*n)++] = t;
	for (unsigned i = 0; i < t->n_fields; i++) {
		const struct xb_field *row = &t->fields[i];
		const bool type_meta = !strcmp(row->name, "apiVersion") || !strcmp(row->name, "kind");

		if (!row->number && !type_meta)
			fail_msg("%s.%s has no number", t->name, row->name);
		if (row->kind == XB_T_DOUBLE)
			fail_msg("%s.%s is a double, which protobuf.c does not read", t->name, row->name);
		for (unsigned j = 0; j < i && row->number; j++)
			if (t->fields[j].number == row->number && t->fields[j].embedded == row->embedded)
				fail_msg("%s.%s and %s have the same number", t->name, row->name, t->fields[j].name);
		for (unsigned j = 0; j < t->n_fields && row->embedded; j++)
			if (t->fields[j].number == row->embedded && !t->fields[j].embedded)
				fail_msg("%s.%s is embedded at the number of %s", t->name, row->name, t->fields[j].name);
		if (row->type)
			check_numbers(row->type, seen, n);
	}
}

static void every_field_has_a_number_of_its_own(void **state)
{
	const struct xb_type *seen[512];
	unsigned n = 0;

	for (unsigned i = 0; xb_kinds[i]; i++) {
		check_numbers(xb_kinds[i]->type, seen, &n);
		for (unsigned s = 0; s < xb_kinds[i]->n_subresources; s++)
			if (xb_kinds[i]->subresources[s].type)
				check_numbers(xb_kinds[i]->subresources[s].type, seen, &n);
	}
	check_numbers(&xb_type_delete_options, seen, &n);
	check_numbers(&xb_type_status, seen, &n);
	assert_true(n > 100);
}

static void the_envelope(void **state)
{
	struct fixture *f = *state;
	struct xb_protobuf_envelope e;
	struct xb_sv unknown = MESSAGE(IN(1, TEXT(1, "v1"), TEXT(2, "Secret")), TEXT(2, "inside"), TEXT(3, ""), TEXT(4, ""));

	assert_int_equal(xb_protobuf_open(MESSAGE(XB_SV("k8s\0"), unknown), &e, &f->said), 0);
	assert_true(xb_sv_is(e.api_version, "v1"));
	assert_true(xb_sv_is(e.kind, "Secret"));
	assert_true(xb_sv_is(e.message, "inside"));
	assert_int_equal(xb_protobuf_open(MESSAGE(XB_SV("k8s\0"), TEXT(2, "inside")), &e, &f->said), 0);
	assert_int_equal(e.kind.n, 0);
}

static void not_an_envelope(void **state)
{
	struct fixture *f = *state;
	struct xb_protobuf_envelope e = { .kind = XB_SV("untouched") };
	struct {
		struct xb_sv body;
		const char *why;
	} cases[] = {
		{ {}, "empty data" },
		{ XB_SV("k8s\0"), "empty body" },
		{ XB_SV("k8"), "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]" },
		{ XB_SV("{\"kind\":\"Secret\"}"), "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]" },
		{ XB_SV("k8s\0\x0a\x7f"), "unexpected EOF" },
		{ XB_SV("k8s\0\x12"), "unexpected EOF" },
		{ XB_SV("k8s\0\x08\x01"), "proto: wrong wireType = 0 for field 1" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		xb_buf_clear(&f->said);
		assert_int_equal(xb_protobuf_open(cases[i].body, &e, &f->said), -EBADMSG);
		assert_string_equal(f->said.p, cases[i].why);
	}
	assert_true(xb_sv_is(e.kind, "untouched"));
}

static void zero_is_kept_only_where_it_says_something(void **state)
{
	struct fixture *f = *state;
	struct xb_sv port = MESSAGE(TEXT(1, ""), TEXT(2, ""), NUM(3, 80), IN(4, NUM(1, 0), NUM(2, 8080), TEXT(3, "")), NUM(5, 0));
	struct xb_sv spec = MESSAGE(bytes(f, 1, port), TEXT(3, ""), TEXT(4, ""), TEXT(7, ""), NUM(12, 0), NUM(13, 0), NUM(20, 0));

	/* allocateLoadBalancerNodePorts (20) is a pointer in Go */
	assert_string_equal(whole(f, type_of("", "Service"), IN(2, spec)),
			    "{\"metadata\":{},\"spec\":{\"allocateLoadBalancerNodePorts\":false,"
			    "\"ports\":[{\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}],"
			    "\"sessionAffinity\":\"None\",\"type\":\"ClusterIP\"},\"status\":{\"loadBalancer\":{}}}");
	assert_string_equal(whole(f, &xb_type_delete_options, MESSAGE(NUM(1, 0), NUM(3, 0), TEXT(4, ""))),
			    "{\"gracePeriodSeconds\":0,\"orphanDependents\":false,\"propagationPolicy\":\"\"}");
}

static void numbers(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "ReplicationController");

	assert_string_equal(raw(f, t, IN(2, NUM(1, -1))), "{\"spec\":{\"replicas\":-1}}");
	assert_string_equal(raw(f, t, IN(2, NUM(1, 3), NUM(1, 4))), "{\"spec\":{\"replicas\":4}}");
	assert_string_equal(raw(f, &xb_type_delete_options, NUM(1, INT64_MIN)), "{\"gracePeriodSeconds\":-9223372036854775808}");
	assert_string_equal(raw(f, &xb_type_delete_options, NUM(3, 7)), "{\"orphanDependents\":true}");
}

static void number_lists_packed_or_not(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Pod");
	const char *expected = "{\"spec\":{\"securityContext\":{\"supplementalGroups\":[1,300,2]}}}";

	assert_string_equal(raw(f, t, IN(2, IN(14, NUM(4, 1), NUM(4, 300), NUM(4, 2)))), expected);
	assert_string_equal(raw(f, t, IN(2, IN(14, TEXT(4, "\x01\xac\x02\x02")))), expected);
	assert_string_equal(raw(f, t, IN(2, IN(14, TEXT(4, "\x01\xac")))), "unexpected EOF");
}

static void bytes_are_base64(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Secret");

	assert_string_equal(raw(f, t, MESSAGE(IN(2, TEXT(1, "a"), TEXT(2, "\xff\x00\x01")), IN(2, TEXT(1, "b"), TEXT(2, "ab")))),
			    "{\"data\":{\"a\":\"/wAB\",\"b\":\"YWI=\"}}");
}

static void maps(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "ConfigMap");
	struct xb_sv twice = MESSAGE(IN(2, TEXT(1, "a"), TEXT(2, "1")), IN(2, TEXT(1, "a"), TEXT(2, "2")));

	assert_string_equal(raw(f, t, twice), "{\"data\":{\"a\":\"2\"}}");
	assert_string_equal(raw(f, t, IN(2, TEXT(1, "a"))), "{\"data\":{\"a\":\"\"}}");
	assert_string_equal(raw(f, t, IN(2, TEXT(2, "x"), TEXT(1, "after"))), "{\"data\":{\"after\":\"x\"}}");
	assert_string_equal(raw(f, t, IN(2)), "{\"data\":{\"\":\"\"}}");
	assert_string_equal(raw(f, t, NUM(2, 1)), "proto: wrong wireType = 0 for field data");
}

static void maps_of_string_lists(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("authorization.k8s.io", "SubjectAccessReview");

	assert_string_equal(raw(f, t, IN(2, IN(5, TEXT(1, "scopes"), IN(2, TEXT(1, "a"), TEXT(1, "b"))), IN(5, TEXT(1, "none"), IN(2)))),
			    "{\"spec\":{\"extra\":{\"scopes\":[\"a\",\"b\"],\"none\":[]}}}");
	assert_string_equal(raw(f, t, IN(2, IN(5, TEXT(1, "x"), IN(2, NUM(1, 1))))), "proto: wrong wireType = 0 for field extra");
}

static void times(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *pod = type_of("", "Pod"), *lease = type_of("coordination.k8s.io", "Lease");

	assert_string_equal(raw(f, pod, IN(1, IN(8, NUM(1, 1700000000), NUM(2, 999999999)))),
			    "{\"metadata\":{\"creationTimestamp\":\"2023-11-14T22:13:20Z\"}}");
	assert_string_equal(raw(f, lease, IN(2, IN(4, NUM(1, 1700000000), NUM(2, 123456789)))),
			    "{\"spec\":{\"renewTime\":\"2023-11-14T22:13:20.123456Z\"}}");
	assert_string_equal(raw(f, pod, IN(1, IN(8))), "{\"metadata\":{}}");
	assert_string_equal(raw(f, pod, IN(1, IN(8, NUM(1, -62135596800)))), "{\"metadata\":{}}");
	assert_string_equal(raw(f, pod, IN(1, IN(8, NUM(1, 253402300800)))), "proto: time out of range for field creationTimestamp");
	assert_string_equal(raw(f, pod, IN(1, IN(8, NUM(1, 0), NUM(2, -1)))), "proto: time out of range for field creationTimestamp");
}

static void quantities(void **state)
{
	struct fixture *f = *state;
	struct xb_sv limits = IN(1, TEXT(1, "cpu"), IN(2, TEXT(1, "0.1")));

	assert_string_equal(raw(f, type_of("", "Pod"), IN(2, IN(2, IN(8, limits)))),
			    "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"0.1\"}}}]}}");
}

static void int_or_string(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Service");

	assert_string_equal(raw(f, t, IN(2, IN(1, IN(4, NUM(1, 1), NUM(2, 5), TEXT(3, "http"))))),
			    "{\"spec\":{\"ports\":[{\"targetPort\":\"http\"}]}}");
	assert_string_equal(raw(f, t, IN(2, IN(1, IN(4)))), "{\"spec\":{\"ports\":[{\"targetPort\":0}]}}");
	assert_string_equal(raw(f, t, IN(2, IN(1, IN(4, NUM(1, 2))))), "proto: impossible IntOrString.Type for field targetPort");
}

static void any_is_json(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Namespace");

	assert_string_equal(raw(f, t, IN(1, IN(17, TEXT(1, "m"), IN(7, TEXT(1, "{\"f:a\": {}, \"b\":\"\\u0041\"}"))))),
			    "{\"metadata\":{\"managedFields\":[{\"manager\":\"m\",\"fieldsV1\":{\"f:a\":{},\"b\":\"A\"}}]}}");
	assert_string_equal(raw(f, t, IN(1, IN(17, IN(7)))), "{\"metadata\":{\"managedFields\":[{}]}}");
	assert_string_equal(raw(f, t, IN(1, IN(17, IN(7, TEXT(1, "{"))))), "proto: field fieldsV1 is not JSON, or is too deep");
}

static void embedded_messages_are_inlined(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Pod");

	assert_string_equal(raw(f, t, IN(2, IN(1, TEXT(1, "v"), IN(2, IN(1, TEXT(1, "/srv")))))),
			    "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/srv\"}}]}}");
	assert_string_equal(raw(f, t, IN(2, IN(2, IN(10, IN(1, IN(3, IN(1, NUM(2, 80)))), NUM(2, 5))))),
			    "{\"spec\":{\"containers\":[{\"livenessProbe\":{\"tcpSocket\":{\"port\":80},\"initialDelaySeconds\":5}}]}}");
	assert_string_equal(raw(f, t, IN(2, IN(1, NUM(2, 1)))), "proto: wrong wireType = 0 for field Volume");
}

static void a_message_in_two_parts_is_one(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(raw(f, type_of("", "Pod"), MESSAGE(IN(1, TEXT(1, "a")), IN(1, TEXT(3, "b")))),
			    "{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"}}");
}

static void unknown_numbers_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct xb_sv fixed = XB_SV("\xf9\x3f" "12345678" "\xfd\x3f" "1234");

	assert_string_equal(raw(f, type_of("", "Pod"), MESSAGE(TEXT(900, "x"), NUM(901, 1), fixed, IN(1, TEXT(1, "a")))),
			    "{\"metadata\":{\"name\":\"a\"}}");
}

static void malformed(void **state)
{
	struct fixture *f = *state;
	const struct xb_type *t = type_of("", "Pod");
	struct {
		struct xb_sv message;
		const char *why;
	} cases[] = {
		{ XB_SV("\x0a"), "unexpected EOF" },
		{ XB_SV("\x0a\x01"), "unexpected EOF" },
		{ XB_SV("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "unexpected EOF" },
		{ XB_SV("\x80"), "unexpected EOF" },
		{ XB_SV("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "proto: integer overflow" },
		{ XB_SV("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: integer overflow" },
		{ XB_SV("\x02\x00"), "proto: illegal tag 0 (wire type 2)" },
		{ XB_SV("\x82\x80\x80\x80\x10\x00"), "proto: illegal tag 536870912 (wire type 2)" },
		{ XB_SV("\x0b\x0c"), "proto: illegal wireType 3" },
		{ XB_SV("\x0c"), "proto: illegal wireType 4" },
		{ XB_SV("\x0f"), "proto: illegal wireType 7" },
		{ XB_SV("\x09" "1234567"), "unexpected EOF" },
		{ XB_SV("\x08\x01"), "proto: wrong wireType = 0 for field metadata" },
		{ XB_SV("\x0a\x02\x08\x01"), "proto: wrong wireType = 0 for field name" },
		{ XB_SV("\x0a\x03\x0a\x01\xff"), "proto: field name contains invalid UTF-8" },
		{ XB_SV("\x0a\x02\x3a\x00"), "proto: wrong wireType = 2 for field generation" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(raw(f, t, cases[i].message), cases[i].why);
}

static const struct xb_type nest;
static const struct xb_field nest_fields[] = {
	{ .name = "in", .name_len = 2, .number = 1, .kind = XB_T_OBJECT, .type = &nest },
};
static const struct xb_type nest = { .name = "Nest", .fields = nest_fields, .n_fields = ARRAY_SIZE(nest_fields) };

static void depth_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct xb_sv message = {};

	for (int i = 0; i < 31; i++)
		message = bytes(f, 1, message);
	assert_int_equal(strncmp(raw(f, &nest, message), "{\"in\":{\"in\":", 12), 0);
	assert_string_equal(raw(f, &nest, bytes(f, 1, message)), "proto: exceeded max depth");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_a_number_of_its_own),
		cmocka_unit_test_setup_teardown(the_envelope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_an_envelope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zero_is_kept_only_where_it_says_something, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_lists_packed_or_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_are_base64, set_up, tear_down),
		cmocka_unit_test_setup_teardown(maps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(maps_of_string_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quantities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(int_or_string, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_is_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(embedded_messages_are_inlined, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_message_in_two_parts_is_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_numbers_are_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_is_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
