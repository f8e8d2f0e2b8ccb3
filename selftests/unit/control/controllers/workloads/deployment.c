/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A Deployment whose copies are behind: sets are neither made twice nor taken over for one that is gone. */
#include "../loop_fixture.h"

#define SETS    "/apis/apps/v1/namespaces/ns/replicasets"
#define CREATES "POST " SETS "\n"

static const char *deployment(const char *uid, const char *image, const char *version)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"%s\",\"generation\":1,\"resourceVersion\":\"%s\"},"
		 "\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},"
		 "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"%s\"}]}}}}", uid, version, image);
	return text;
}

/* The set that the last request asked for, as the server has it. */
static const char *made_set(const char *version)
{
	static char text[4096];
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_jv o;

	assert_int_equal(xb_json_parse(xb_sv(t.body), NULL, &doc, NULL), 0);
	o = xb_json_root(doc);
	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":%.*s,\"namespace\":\"ns\",\"uid\":\"s1\",\"generation\":1,\"resourceVersion\":\"%s\","
		 "\"labels\":%.*s,\"annotations\":%.*s,\"ownerReferences\":%.*s},\"spec\":%.*s,\"status\":{\"replicas\":0}}",
		 XB_SV_ARG(xb_jv_bytes(xb_jv_path(o, "metadata", "name"))), version, XB_SV_ARG(xb_jv_bytes(xb_jv_path(o, "metadata", "labels"))),
		 XB_SV_ARG(xb_jv_bytes(xb_jv_path(o, "metadata", "annotations"))), XB_SV_ARG(xb_jv_bytes(xb_jv_path(o, "metadata", "ownerReferences"))),
		 XB_SV_ARG(xb_jv_bytes(xb_jv_get(o, "spec"))));
	return text;
}

static unsigned made(void)
{
	unsigned n = 0;

	for (const char *at = t.log.p; at && (at = strstr(at, CREATES)); at++)
		n++;
	return n;
}

/* What is told to grow without a look at the first set would be too much for both. */
static void a_second_set_waits_for_the_first_to_show(void **state)
{
	char first[4096];

	t.reply = "{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"ns\",\"uid\":\"s1\",\"resourceVersion\":\"11\"}}";
	copy_is("replicasets", NULL);
	copy_is("deployments", deployment("u1", "a:1", "5"));
	start_loop("--controllers=deployment-controller");
	run_until(&t.f.loop, made() == 1);
	snprintf(first, sizeof(first), "%s", made_set("11"));
	assert_non_null(strstr(first, "\"replicas\":3"));
	settle();
	show("deployments", "MODIFIED", deployment("u1", "a:2", "13"));
	settle();
	assert_int_equal(made(), 1);
	show("replicasets", "ADDED", first);
	run_until(&t.f.loop, made() == 2);
	/* 25 % over and under of three: one more than three, and the first set has them */
	assert_non_null(strstr(made_set("15"), "\"replicas\":0"));
}

static void a_set_whose_making_got_no_answer_is_looked_for(void **state)
{
	static char list[4096];
	char object[4096];

	t.code = 0;
	copy_is("replicasets", NULL);
	copy_is("deployments", deployment("u1", "a:1", "5"));
	start_loop("--controllers=deployment-controller");
	run_until(&t.f.loop, made() == 1);
	snprintf(object, sizeof(object), "%s", made_set("12"));
	snprintf(list, sizeof(list), "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[%.3900s]}", object);
	really(SETS "?labelSelector=app%3Dweb", list);
	t.code = 200;
	run_until(&t.f.loop, t.reads);
	show("deployments", "MODIFIED", deployment("u1", "a:2", "13"));
	settle();
	assert_int_equal(made(), 1);
	show("replicasets", "ADDED", object);
	run_until(&t.f.loop, made() == 2);
	assert_non_null(strstr(t.body, "\"replicas\":0"));
}

static void nothing_is_adopted_for_one_that_is_gone(void **state)
{
	copy_is("replicasets", "{\"metadata\":{\"name\":\"orphan\",\"namespace\":\"ns\",\"uid\":\"s9\",\"resourceVersion\":\"6\",\"labels\":{\"app\":\"web\"}},"
			       "\"spec\":{\"replicas\":1}}");
	copy_is("deployments", deployment("u1", "a:1", "5"));
	really("/apis/apps/v1/namespaces/ns/deployments/web", "{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\",\"uid\":\"u2\"}}");
	start_loop("--controllers=deployment-controller");
	run_until(&t.f.loop, t.reads >= 3);
	assert_int_equal(t.writes, 0);
}

/* Sets of one that had the name before are not its own. */
static void one_made_anew_begins_with_nothing(void **state)
{
	copy_is("replicasets", "{\"metadata\":{\"name\":\"web-old\",\"namespace\":\"ns\",\"uid\":\"s9\",\"resourceVersion\":\"6\",\"labels\":{\"app\":\"web\"},"
			       "\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\",\"uid\":\"u1\",\"controller\":true}]},"
			       "\"spec\":{\"replicas\":3}}");
	copy_is("deployments", deployment("u2", "a:1", "7"));
	t.reply = "{\"metadata\":{\"name\":\"web-1\",\"namespace\":\"ns\",\"uid\":\"s1\",\"resourceVersion\":\"11\"}}";
	start_loop("--controllers=deployment-controller");
	run_until(&t.f.loop, made() == 1);
	assert_non_null(strstr(made_set("11"), "\"replicas\":3"));
	assert_non_null(strstr(made_set("11"), "\"uid\":\"u2\""));
	settle();
	assert_null(strstr(t.log.p, "web-old"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_set_waits_for_the_first_to_show),
		TEST(a_set_whose_making_got_no_answer_is_looked_for),
		TEST(nothing_is_adopted_for_one_that_is_gone),
		TEST(one_made_anew_begins_with_nothing),
	};

	return cmocka_run_group_tests_name("control/controllers/workloads/deployment", tests, NULL, NULL);
}
