/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an informer keeps of the objects that it sees, and its indexes of them. */
#include "informer_fixture.h"

#define FAT "{\"metadata\":{\"name\":\"fat\",\"managedFields\":[{\"a\":[1]}],\"labels\":{\"managedFields\":\"x\",\"spec.ports.name\":\"y\"}," \
	    "\"namespace\":\"ns\",\"resourceVersion\":\"%s\"},\"spec\":{\"name\":1,\"kind\":\"none\",\"of\":{\"kind\":\"none\"}," \
	    "\"ports\":[{\"name\":\"a\",\"names\":2},{\"name\":\"b\",\"names\":22}]}," \
	    "\"endpoints\":[{\"targetRef\":{\"kind\":\"Pod\"},\"k\\u0041\":\"\\n\"},{},null]}"
#define LEAN "{\"metadata\":{\"name\":\"fat\",\"labels\":{\"managedFields\":\"x\",\"spec.ports.name\":\"y\"}," \
	     "\"namespace\":\"ns\",\"resourceVersion\":\"%s\"},\"spec\":{\"name\":1,\"of\":{\"kind\":\"none\"},\"ports\":[{},{\"names\":22}]}," \
	     "\"endpoints\":[{\"k\\u0041\":\"\\n\"},{},null]}"

static void list_fat(struct test *t, struct fake_conn *c, const char *path)
{
	char body[512];

	snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" FAT "]}", "4");
	fake_reply(c, 200, body);
}

static void what_nobody_reads_is_not_kept(void **state)
{
	struct test *t = *state;
	char text[512];

	t->on_list = list_fat;
	start(t);
	run_until(&t->loop, t->watches == 1);
	snprintf(text, sizeof(text), LEAN, "4");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "fat")), text));
	snprintf(text, sizeof(text), "{\"type\":\"MODIFIED\",\"object\":" FAT "}\n", "6");
	fake_chunk(t->watch, text);
	run_until(&t->loop, strstr(t->told.p, "~fat@6"));
	snprintf(text, sizeof(text), LEAN, "6");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "fat")), text));
}

/* Of a list only the items of the types that are named, by the whole name. */
#define IN_PHASE "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",%s\"resourceVersion\":\"%s\"},\"phase\":\"%s\",\"spec\":{%s\"n\":1}," \
		 "\"conditions\":[%s{\"type\":\"ReadyToo\"},{\"type\":\"Read\"},{\"type\":\"Old\",\"a\":1},{\"type\":\"\"},{\"type\":[]},{},null,\"Ready\"]}"

static void tell_phase(struct test *t, const char *version, const char *phase)
{
	char text[1024], object[512], seen[32];

	snprintf(object, sizeof(object), IN_PHASE, "\"managedFields\":[],", version, phase, "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	snprintf(text, sizeof(text), "{\"type\":\"MODIFIED\",\"object\":%s}\n", object);
	fake_chunk(t->watch, text);
	snprintf(seen, sizeof(seen), "~a@%s", version);
	run_until(&t->loop, strstr(t->told.p, seen));
}

static void what_nobody_reads_then_is_not_kept_then(void **state)
{
	struct test *t = *state;
	char text[512];

	start(t);
	run_until(&t->loop, t->watches == 1);
	tell_phase(t, "12", "Pending");
	snprintf(text, sizeof(text), IN_PHASE, "", "12", "Pending", "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
	tell_phase(t, "13", "Running");
	snprintf(text, sizeof(text), IN_PHASE, "", "13", "Running", "", "");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
	tell_phase(t, "14", "Failed");
	snprintf(text, sizeof(text), IN_PHASE, "", "14", "Failed", "\"image\":\"i\",", "{\"type\":\"Ready\"},");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "a")), text));
}

/* Kept is the number alone: neither name nor version. */
static int keep_number(void *arg, struct xb_jv object, struct xb_json **ret)
{
	return xb_json_parse(xb_jv_bytes(xb_jv_get(object, "number")), NULL, ret, NULL);
}

static void on_number(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct test *t = arg;

	xb_buf_addf(&t->told, "%.*s>%.*s ", XB_SV_ARG(xb_jv_bytes(old)), XB_SV_ARG(xb_jv_bytes(object)));
}

#define NUMBERED(name, uid, version, number) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" uid "\"," \
	"\"resourceVersion\":\"" version "\"},\"number\":" number "}"

static void list_numbered(struct test *t, struct fake_conn *c, const char *path)
{
	fake_reply(c, 200, t->lists == 1 ?
		   "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" NUMBERED("a", "1", "1", "1") "," NUMBERED("b", "2", "2", "2") "]}" :
		   "{\"metadata\":{\"resourceVersion\":\"30\"},\"items\":[" NUMBERED("a", "1", "10", "6") "," NUMBERED("b", "3", "20", "7") "]}");
}

static void what_is_kept_may_be_made_of_the_object(void **state)
{
	struct test *t = *state;
	struct xb_informer_config c = {
		.rest = t->rest, .path = "/api/v1/services", .transform = keep_number, .changed = on_number, .arg = t,
		.backoff_min_ms = 10, .backoff_max_ms = 40,
	};
	struct xb_informer_stats s;
	char line[512];

	t->on_list = list_numbered;
	assert_int_equal(xb_informer_new(&c, &t->informer), 0);
	run_until(&t->loop, t->watches == 1);
	fake_chunk(t->watch, "{\"type\":\"MODIFIED\",\"object\":" NUMBERED("a", "1", "1", "5") "}\n");
	fake_chunk(t->watch, "{\"type\":\"MODIFIED\",\"object\":" NUMBERED("a", "1", "10", "6") "}\n");
	fake_chunk(t->watch, "{\"type\":\"DELETED\",\"object\":" NUMBERED("none", "8", "11", "8") "}\n");
	snprintf(line, sizeof(line), "{\"type\":\"ERROR\",\"object\":%s}\n", INFORMER_GONE);
	fake_chunk(t->watch, line);
	run_until(&t->loop, t->watches == 2);
	assert_string_equal(t->told.p, ">1 >2 1>6 2> >7 ");
	assert_true(xb_sv_is(xb_jv_bytes(xb_informer_get(t->informer, "ns", "b")), "7"));
	xb_informer_stats(t->informer, &s);
	assert_true(s.bytes > 0 && s.bytes < 200);
}

/* --- indexes --- */

/* The namespace, and whether the version is odd, which changes with it; "" has everything, twice over. */
static void by_parts(struct xb_jv object, struct xb_index_entry *e)
{
	struct xb_sv version = xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion"));

	xb_index_add(e, xb_jv_text(xb_jv_path(object, "metadata", "namespace")));
	xb_index_add(e, version.p[version.n - 1] % 2 ? XB_SV("odd") : XB_SV("even"));
	xb_index_add(e, XB_SV(""));
	xb_index_add(e, XB_SV(""));
}

static void by_name(struct xb_jv object, struct xb_index_entry *e)
{
	xb_index_add(e, xb_jv_text(xb_jv_path(object, "metadata", "name")));
}

/* What the index has under a key: names in their order. */
static void assert_holds(const struct xb_index *x, const char *key, const char *want)
{
	char got[64] = "";

	for (char name = 'a'; name <= 'z'; name++)
		for (struct xb_index_it it = {}; xb_index_next(x, xb_sv(key), &it);)
			if (*xb_jv_text(xb_jv_path(it.object, "metadata", "name")).p == name)
				strncat(got, &name, 1);
	assert_string_equal(got, want);
	assert_int_equal(xb_index_count(x, xb_sv(key)), strlen(want));
}

static void indexes_follow_the_copy(void **state)
{
	struct test *t = *state;
	struct xb_index *parts, *names;

	start(t);
	parts = xb_informer_index(t->informer, by_parts);
	names = xb_informer_index(t->informer, by_name);
	run_until(&t->loop, t->watches == 1);
	assert_holds(parts, "ns", "ab");
	assert_holds(parts, "odd", "a");
	assert_holds(parts, "even", "b");
	assert_holds(names, "ns", "");
	event(t, "ADDED", "c", "11");
	event(t, "MODIFIED", "a", "12");
	event(t, "DELETED", "b", "13");
	event(t, "ADDED", "d", "15");
	run_until(&t->loop, xb_jv_is(xb_informer_get(t->informer, "ns", "d")));
	assert_holds(parts, "", "acd");
	assert_holds(parts, "odd", "cd");
	assert_holds(parts, "even", "a");
	assert_holds(names, "b", "");
	assert_holds(names, "c", "c");
	/* and a list that takes the place of all */
	fake_chunk(t->watch, "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"gone\"}}\n");
	run_until(&t->loop, t->lists == 2 && t->watches == 2);
	assert_holds(parts, "", "ab");
	assert_holds(parts, "odd", "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_nobody_reads_is_not_kept), T(what_nobody_reads_then_is_not_kept_then),
		T(what_is_kept_may_be_made_of_the_object), T(indexes_follow_the_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
