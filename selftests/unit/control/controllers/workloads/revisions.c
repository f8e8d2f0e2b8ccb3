/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/revisions.h"

static struct xb_json *docs[16];
static size_t n_docs;

static struct xb_jv json(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_true(n_docs < ARRAY_SIZE(docs));
	assert_int_equal(xb_json_parse(xb_sv(copy), NULL, &docs[n_docs], NULL), 0);
	return xb_json_root(docs[n_docs++]);
}

static int forget(void **state)
{
	while (n_docs)
		xb_json_unref(docs[--n_docs]);
	return 0;
}

#define OWNER(image) "{'metadata':{'name':'web','namespace':'n','uid':'u','annotations':{'kubernetes.io/change-cause':'why'}}," \
	"'spec':{'template':{'metadata':{'labels':{'app':'web'}},'spec':{'image':'" image "'}}}}"
#define REVISION(name, number, image) "{'metadata':{'name':'" name "'},'revision':" number ",'data':{'spec':{'template':{'$patch':'replace'," \
	"'spec':{'image':'" image "'},'metadata':{'labels':{'app':'web'},'creationTimestamp':null}}}}}"

static struct revisions history(size_t n, const char *const *texts)
{
	struct revisions r = {};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(xb_vec_push(&r.owned, json(texts[i])), 0);
	return r;
}

static void expect(const struct revisions *r, const char *owner, const char *name, int64_t number, bool settled)
{
	struct revisions_update u;

	assert_int_equal(revisions_find(r, json(owner), &u), 0);
	assert_true(xb_sv_is(xb_jv_text(xb_jv_path(u.revision, "metadata", "name")), name));
	assert_int_equal(u.number, number);
	assert_int_equal(revisions_settled(&u), settled);
}

static void the_template_is_found_by_content(void **state)
{
	_cleanup_(revisions_done) struct revisions none = {}, r = history(3, (const char *const[]){
		REVISION("web-a", "2", "one"), REVISION("web-b", "5", "one"), REVISION("web-c", "7", "two") });

	expect(&none, OWNER("one"), "", 1, false);
	expect(&r, OWNER("three"), "", 8, false);
	expect(&r, OWNER("two"), "web-c", 7, true);
	/* going back: the newest with that content */
	expect(&r, OWNER("one"), "web-b", 8, false);
}

static void what_is_written(void **state)
{
	static const struct xb_kind kind = { .group = "apps", .version = "v1", .kind = "StatefulSet" };
	struct revisions_owner o = { .kind = &kind, .hash_label = "controller.kubernetes.io/hash", .object = json(OWNER("one")) };
	_cleanup_buf_ struct xb_buf body = {};

	revisions_body(&o, "abc", 3, XB_SV("{\"spec\":{}}"), &body);
	assert_int_equal(body.err, 0);
	assert_string_equal(body.p, "{\"kind\":\"ControllerRevision\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"web-abc\","
		"\"labels\":{\"app\":\"web\",\"controller.kubernetes.io/hash\":\"abc\"},\"annotations\":{\"kubernetes.io/change-cause\":\"why\"},"
		"\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"u\",\"controller\":true,"
		"\"blockOwnerDeletion\":true}]},\"data\":{\"spec\":{}},\"revision\":3}");
}

static void a_name_stays_within_253(void **state)
{
	char name[254] = {};

	memset(name, 'a', sizeof(name) - 1);
	assert_int_equal(revisions_prefix(xb_sv(name)).n, 223);
	assert_true(xb_sv_is(revisions_prefix(XB_SV("web")), "web"));
}

static bool is_live(void *arg, struct xb_jv revision)
{
	return xb_sv_is(xb_jv_text(xb_jv_path(revision, "metadata", "name")), arg);
}

static void the_oldest_go_but_those_that_live(void **state)
{
	_cleanup_(revisions_done) struct revisions r = history(4, (const char *const[]){
		REVISION("a", "1", "1"), REVISION("b", "2", "2"), REVISION("c", "3", "3"), REVISION("d", "4", "4") });
	struct xb_jv go[4];

	assert_int_equal(revisions_excess(&r, 3, is_live, "none", go), 1);
	assert_true(is_live("a", go[0]));
	assert_int_equal(revisions_excess(&r, 1, is_live, "a", go), 2);
	assert_true(is_live("b", go[0]) && is_live("c", go[1]));
	assert_int_equal(revisions_excess(&r, 0, is_live, "d", go), 3);
	assert_int_equal(revisions_excess(&r, 4, is_live, "none", go), 0);
	assert_int_equal(revisions_excess(&r, 10, is_live, "none", go), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_template_is_found_by_content, forget),
		cmocka_unit_test_teardown(what_is_written, forget),
		cmocka_unit_test(a_name_stays_within_253),
		cmocka_unit_test_teardown(the_oldest_go_but_those_that_live, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
