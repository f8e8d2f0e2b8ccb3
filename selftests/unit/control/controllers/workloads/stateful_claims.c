/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/stateful_claims.h"

static struct xb_json *docs[64];
static size_t n_docs;
static const struct xb_kind set_kind = { .group = "apps", .version = "v1", .kind = "StatefulSet" };
static const struct xb_kind pod_kind = { .group = "", .version = "v1", .kind = "Pod" };

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

static struct stateful_owners owners(const char *scaled, const char *deleted, bool scaled_down)
{
	char set[512];

	snprintf(set, sizeof(set), "{'metadata':{'name':'web','uid':'s1'},'spec':{'selector':{'matchLabels':{'app':'web'}},"
				   "'persistentVolumeClaimRetentionPolicy':{'whenScaled':'%s','whenDeleted':'%s'}}}", scaled, deleted);
	return (struct stateful_owners){
		.set_kind = &set_kind, .pod_kind = &pod_kind, .set = json(set), .pod = json("{'metadata':{'name':'web-0','uid':'p1'}}"),
		.pod_name = XB_SV("web-0"), .scaled_down = scaled_down,
	};
}

#define SET(uid) "{'apiVersion':'apps/v1','kind':'StatefulSet','name':'web','uid':'" uid "','controller':true}"
#define POD(uid) "{'apiVersion':'v1','kind':'Pod','name':'web-0','uid':'" uid "','controller':true}"
#define SET_AS_BEFORE "{'apiVersion':'apps/v1','kind':'StatefulSet','name':'web','uid':'s1'}"
#define OTHER "{'apiVersion':'x.io/v1','kind':'Backup','name':'b','uid':'b1','controller':true}"
#define BESIDE "{'apiVersion':'x.io/v1','kind':'Backup','name':'b','uid':'b1'}"

static struct xb_jv claim(const char *references)
{
	char text[1024];

	snprintf(text, sizeof(text), "{'metadata':{'name':'data-web-0','ownerReferences':[%s],'resourceVersion':'7'},'spec':{'x':1}}", references);
	return json(text);
}

/* whenScaled, whenDeleted, the pod is beyond the replicas, whose the claim is: is it as it should be, and what it becomes. */
static const struct {
	const char *scaled, *deleted, *is;
	bool scaled_down, settled;
	const char *becomes;
} cases[] = {
	{ "Retain", "Retain", "", false, true, "" },
	{ "Retain", "Retain", SET("s1"), false, false, "" },
	{ "Retain", "Retain", POD("p1"), true, false, "" },
	{ "Retain", "Retain", OTHER, false, true, "Backup " },
	{ "Retain", "Delete", "", false, false, "StatefulSet " },
	{ "Retain", "Delete", SET("s1"), true, true, "StatefulSet " },
	{ "Retain", "Delete", BESIDE "," SET_AS_BEFORE, false, false, "Backup StatefulSet " },
	{ "Delete", "Retain", "", false, true, "" },
	{ "Delete", "Retain", "", true, false, "Pod " },
	{ "Delete", "Retain", POD("p1"), true, true, "Pod " },
	{ "Delete", "Retain", POD("p1"), false, false, "" },
	{ "Delete", "Delete", SET("s1"), false, true, "StatefulSet " },
	{ "Delete", "Delete", SET("s1"), true, false, "Pod " },
	{ "Delete", "Delete", POD("p1"), false, false, "StatefulSet " },
	/* somebody else's: ours are taken away, and none is put beside */
	{ "Delete", "Delete", OTHER, false, true, "Backup " },
	{ "Delete", "Delete", OTHER "," SET("s1"), false, false, "Backup " },
};

static void kinds_of(struct xb_sv body, char *out, size_t n)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	size_t at = 0;

	*out = '\0';
	assert_int_equal(xb_json_parse(body, NULL, &d, NULL), 0);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(xb_json_root(d), "metadata", "ownerReferences")); xb_jit_next(&it);)
		at += (size_t)snprintf(out + at, n - at, "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_get(it.value, "kind"))));
}

static void owners_follow_the_policy(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stateful_owners o = owners(cases[i].scaled, cases[i].deleted, cases[i].scaled_down);
		_cleanup_buf_ struct xb_buf body = {};
		char kinds[64];

		if (stateful_claim_settled(&o, claim(cases[i].is)) != cases[i].settled)
			fail_msg("case %zu", i);
		stateful_claim_settle(&o, claim(cases[i].is), &body);
		assert_int_equal(body.err, 0);
		kinds_of(xb_buf_sv(&body), kinds, sizeof(kinds));
		assert_string_equal(kinds, cases[i].becomes);
		forget(NULL);
	}
}

static void what_is_left_of_others_by_our_name_is_not_touched(void **state)
{
	struct stateful_owners o = owners("Delete", "Delete", false);

	assert_true(stateful_claim_settled(&o, claim(SET("before"))));
	assert_true(stateful_claim_settled(&o, claim(POD("before"))));
	assert_true(stateful_claim_stale(&o, claim(POD("before"))));
	assert_false(stateful_claim_stale(&o, claim(POD("p1"))));
	assert_false(stateful_claim_stale(&o, claim(SET("before"))));
	/* whoever is not there yet cannot be it */
	o.pod = (struct xb_jv){};
	assert_true(stateful_claim_stale(&o, claim(POD("p1"))));
	o = owners("Retain", "Delete", false);
	assert_false(stateful_claim_stale(&o, claim(POD("before"))));
}

static void a_new_one(void **state)
{
	struct stateful_owners o = owners("Retain", "Delete", false);
	struct xb_jv template = json("{'metadata':{'name':'data','labels':{'app':'x','tier':'db'},'annotations':{'a':'b'}},'spec':{'y':2},"
				     "'status':{'phase':'Pending'}}");
	_cleanup_buf_ struct xb_buf body = {}, name = {};

	assert_string_equal(stateful_claim_name(template, o.set, 12, &name), "data-web-12");
	stateful_claim_write(&o, template, name.p, &body);
	assert_string_equal(body.p, "{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"data-web-12\","
		"\"labels\":{\"tier\":\"db\",\"app\":\"web\"},\"annotations\":{\"a\":\"b\"},\"ownerReferences\":[{\"apiVersion\":\"apps/v1\","
		"\"kind\":\"StatefulSet\",\"name\":\"web\",\"uid\":\"s1\",\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{\"y\":2}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(owners_follow_the_policy, forget),
		cmocka_unit_test_teardown(what_is_left_of_others_by_our_name_is_not_touched, forget),
		cmocka_unit_test_teardown(a_new_one, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
