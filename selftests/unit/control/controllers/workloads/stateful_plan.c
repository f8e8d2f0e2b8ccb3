/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A StatefulSet "web" and its pods in one line each: what is done next, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../../../../control/controllers/workloads/stateful_plan.h"

#define NOW 1767225700000000 /* 2026-01-01T00:01:40Z */

static struct stateful s;
static struct xb_json *docs[64];
static size_t n_docs;
static struct xb_jv claims[8];
static size_t n_claims;
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
	stateful_done(&s);
	while (n_docs)
		xb_json_unref(docs[--n_docs]);
	n_claims = 0;
	return 0;
}

static struct xb_jv claim(void *arg, const char *name)
{
	for (size_t i = 0; i < n_claims; i++)
		if (xb_jv_streq(xb_jv_path(claims[i], "metadata", "name"), xb_sv(name)))
			return claims[i];
	return (struct xb_jv){};
}

static void set_with_status(const char *spec, const char *status)
{
	char text[1024];

	snprintf(text, sizeof(text), "{'metadata':{'name':'web','namespace':'n','uid':'u','generation':3},'spec':{%s},'status':{%s}}", spec, status);
	s = (struct stateful){ .set_kind = &set_kind, .pod_kind = &pod_kind, .claim = claim, .now = NOW };
	s.set = json(text);
	s.current = json("{'metadata':{'name':'web-old'}}");
	s.update = json("{'metadata':{'name':'web-new'}}");
}

static void set(const char *spec)
{
	set_with_status(spec, "");
}

/*
 * A pod in words: "3 new ready" with revision "old" or "new", and of "ready", "running", "pending", "failed", "going" what it is;
 * "fresh": ready since one second.
 */
static void pod(const char *words)
{
	const char *phase = strstr(words, "pending") ? "Pending" : strstr(words, "failed") ? "Failed" : "Running";
	bool ready = strstr(words, "ready") || strstr(words, "fresh");
	int ordinal = atoi(words);
	char text[1024];

	snprintf(text, sizeof(text), "{'metadata':{'name':'web-%d','uid':'p%d'%s,'labels':{'controller-revision-hash':'web-%s',"
		 "'statefulset.kubernetes.io/pod-name':'web-%d'}},'spec':{'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'data-web-%d'}}]},"
		 "'status':{'phase':'%s','conditions':[{'type':'Ready','status':'%s','lastTransitionTime':'2026-01-01T00:0%s'}]}}",
		 ordinal, ordinal, strstr(words, "going") ? ",'deletionTimestamp':'2026-01-01T00:01:00Z'" : "", strstr(words, "old") ? "old" : "new",
		 strstr(words, "lost") ? 99 : ordinal, ordinal, phase, ready ? "True" : "False", strstr(words, "fresh") ? "1:39Z" : "0:00Z");
	assert_int_equal(xb_vec_push(&s.members, (struct stateful_member){ ordinal, json(text) }), 0);
}

static void pods(const char *all)
{
	_cleanup_free_ char *copy = strdup(all);

	for (char *rest = copy, *one; (one = strsep(&rest, ","));)
		pod(one);
}

/* "create 3 old, create 4 new" */
static void expect(const char *steps)
{
	_cleanup_buf_ struct xb_buf got = {};

	stateful_read(&s);
	stateful_count(&s);
	assert_int_equal(stateful_plan(&s), 0);
	for (size_t i = 0; i < s.steps.n; i++) {
		const struct stateful_step *t = &s.steps.v[i];
		static const char *const acts[] = { "create", "delete", "fix" };

		xb_buf_addf(&got, "%s%s %d%s", i ? ", " : "", acts[t->act], (int)t->ordinal, t->over ? " over" : "");
		if (t->act == STATEFUL_CREATE)
			xb_buf_addf(&got, " %s", t->revision.doc == s.update.doc ? "new" : "old");
	}
	assert_string_equal(got.n ? got.p : "", steps);
}

#define ROLLING(partition) "'updateStrategy':{'type':'RollingUpdate','rollingUpdate':{'partition':" #partition "}}"
#define PARALLEL "'podManagementPolicy':'Parallel'"

static void made_in_order(void **state)
{
	set("'replicas':3," ROLLING(0));
	expect("create 0 new");
	pods("0 new pending");
	s.steps.n = 0;
	expect("");
}

static void the_next_waits_for_all_before(void **state)
{
	set("'replicas':4," ROLLING(0));
	pods("0 new ready,2 new ready");
	expect("create 1 new");
	forget(NULL);
	set("'replicas':4," ROLLING(0));
	pods("0 new going ready,1 new ready");
	expect("");
	forget(NULL);
	set("'replicas':4,'minReadySeconds':10," ROLLING(0));
	pods("0 new fresh,1 new ready");
	expect("");
	forget(NULL);
	set("'replicas':2,'ordinals':{'start':5}," ROLLING(0));
	pods("5 new ready");
	expect("create 6 new");
}

static void made_side_by_side(void **state)
{
	set("'replicas':4," PARALLEL "," ROLLING(2));
	pods("1 new pending");
	expect("create 0 old, create 2 new, create 3 new");
}

static void what_ended_is_deleted_first(void **state)
{
	set("'replicas':3," ROLLING(0));
	pods("0 new failed");
	expect("delete 0 over");
	forget(NULL);
	set("'replicas':3," ROLLING(0));
	pods("0 new failed going");
	expect("");
	forget(NULL);
	set("'replicas':3," PARALLEL "," ROLLING(0));
	pods("1 new failed,2 new failed");
	expect("delete 1 over, delete 2 over");
}

static void scaled_down_from_the_highest(void **state)
{
	set("'replicas':1," ROLLING(0));
	pods("2 new ready,0 new ready,3 new ready,1 new ready");
	expect("delete 3");
	forget(NULL);
	set("'replicas':1," ROLLING(0));
	pods("0 new ready,1 new ready,2 new ready going");
	expect("");
	forget(NULL);
	set("'replicas':1," ROLLING(0));
	pods("0 new running,1 new ready");
	expect("");
	forget(NULL);
	set("'replicas':1," PARALLEL "," ROLLING(0));
	pods("0 new running,1 new ready,2 new ready going,3 old pending");
	expect("delete 3, delete 1");
	forget(NULL);
	set("'replicas':2,'ordinals':{'start':1}," ROLLING(0));
	pods("0 new ready,1 new ready,2 new ready");
	expect("delete 0");
}

static void one_that_is_not_available_goes_when_it_is_the_lowest(void **state)
{
	set("'replicas':1," ROLLING(0));
	pods("0 new ready,1 new ready,2 new running");
	expect("delete 2");
	forget(NULL);
	set("'replicas':1," ROLLING(0));
	pods("0 new ready,1 new running,2 new running");
	expect("");
}

static void rolled_down_to_the_partition(void **state)
{
	set("'replicas':3," ROLLING(1));
	pods("0 old ready,1 old ready,2 old ready");
	expect("delete 2");
	forget(NULL);
	set("'replicas':3," ROLLING(1));
	pods("0 old ready,1 old ready,2 new running");
	expect("");
	forget(NULL);
	set("'replicas':3," ROLLING(1));
	pods("0 old ready,1 old ready");
	expect("create 2 new");
	forget(NULL);
	set("'replicas':3," ROLLING(1));
	pods("0 old ready,1 new ready,2 new ready");
	expect("");
	forget(NULL);
	set("'replicas':3," ROLLING(1));
	pods("1 new ready,2 new ready");
	expect("create 0 old");
	forget(NULL);
	set("'replicas':3,'updateStrategy':{'type':'OnDelete'}");
	pods("0 old ready,1 old ready");
	expect("create 2 new");
	forget(NULL);
	set("'replicas':2,'updateStrategy':{'type':'OnDelete'}");
	pods("0 old ready,1 old ready");
	expect("");
}

static void without_a_partition_the_lowest_come_back_as_they_were(void **state)
{
	set("'replicas':4,'updateStrategy':{'type':'RollingUpdate'}");
	pods("1 old ready,2 old ready,3 new ready");
	expect("create 0 old");
	forget(NULL);
	set("'replicas':4,'updateStrategy':{'type':'RollingUpdate'}");
	pods("0 old ready,1 old ready,2 old ready");
	expect("create 3 new");
}

/* A rollout that is stuck goes on by hand only: what the set asks for is not looked at before the stuck pod is available. */
static void stuck(void **state)
{
	set("'replicas':2," ROLLING(0));
	pods("0 new ready,1 old running");
	expect("");
	forget(NULL);
	set("'replicas':2," PARALLEL "," ROLLING(0));
	pods("0 new ready,1 old running");
	expect("delete 1");
}

static void side_by_side_the_update_waits_for_those_that_are_new(void **state)
{
	set("'replicas':3," PARALLEL "," ROLLING(0));
	pods("0 old ready,1 old ready,2 new running");
	expect("");
}

static void side_by_side_the_update_does_not_wait_for_the_condemned(void **state)
{
	set("'replicas':1," PARALLEL "," ROLLING(0));
	pods("0 old ready,1 old ready going");
	expect("delete 0");
}

static void a_lost_identity_is_given_back(void **state)
{
	set("'replicas':3," ROLLING(0));
	pods("0 new ready lost,1 new ready");
	expect("fix 0");
	forget(NULL);
	set("'replicas':1," ROLLING(0) ",'volumeClaimTemplates':[{'metadata':{'name':'other'}}]");
	pods("0 new ready");
	expect("fix 0");
}

#define CLAIMS "'volumeClaimTemplates':[{'metadata':{'name':'data'}}]"
#define DELETE(when) "'persistentVolumeClaimRetentionPolicy':{'" when "':'Delete'}"
#define OWNED(name, kind, owner, uid) "{'metadata':{'name':'" name "','ownerReferences':[{'apiVersion':'" kind "','name':'" owner "','uid':'" uid \
	"','controller':true}]}}"

static void claims_are_made_for_who_waits(void **state)
{
	set("'replicas':1," ROLLING(0) "," CLAIMS);
	pods("0 new pending");
	expect("fix 0");
	forget(NULL);
	set("'replicas':1," ROLLING(0) "," CLAIMS);
	pods("0 new ready");
	expect("");
	forget(NULL);
	set("'replicas':1," ROLLING(0) "," CLAIMS);
	pods("0 new pending");
	claims[n_claims++] = json("{'metadata':{'name':'data-web-0'}}");
	expect("");
}

static void claims_get_their_owner_before_the_pod_goes(void **state)
{
	set("'replicas':0," ROLLING(0) "," CLAIMS "," DELETE("whenScaled"));
	pods("0 new ready");
	claims[n_claims++] = json("{'metadata':{'name':'data-web-0'}}");
	expect("fix 0");
	forget(NULL);
	set("'replicas':0," ROLLING(0) "," CLAIMS "," DELETE("whenScaled"));
	pods("0 new ready");
	claims[n_claims++] = json(OWNED("data-web-0", "v1','kind':'Pod", "web-0", "p0"));
	expect("delete 0");
}

static void a_claim_that_goes_is_waited_for(void **state)
{
	set("'replicas':2," ROLLING(0) "," CLAIMS "," DELETE("whenScaled"));
	claims[n_claims++] = json(OWNED("data-web-0", "v1','kind':'Pod", "web-0", "before"));
	expect("");
	forget(NULL);
	set("'replicas':2," PARALLEL "," CLAIMS "," DELETE("whenScaled"));
	claims[n_claims++] = json(OWNED("data-web-0", "v1','kind':'Pod", "web-0", "before"));
	expect("create 1 new");
}

static void no_more_than_so_many_at_once(void **state)
{
	set("'replicas':2000000000," PARALLEL);
	stateful_read(&s);
	stateful_count(&s);
	assert_int_equal(stateful_plan(&s), 0);
	assert_int_equal(s.steps.n, STATEFUL_BURST);
}

/* --- what is told --- */
static void tells(const char *status)
{
	_cleanup_buf_ struct xb_buf out = {};

	stateful_read(&s);
	stateful_count(&s);
	stateful_status(&s, &out);
	assert_int_equal(out.err, 0);
	assert_string_equal(out.n ? out.p : "", status);
}

static void the_status_counts(void **state)
{
	set_with_status("'replicas':3,'minReadySeconds':10," ROLLING(0), "'collisionCount':2");
	pods("0 old ready,1 old fresh,2 new running,3 new ready going");
	tells("{\"observedGeneration\":3,\"replicas\":4,\"readyReplicas\":3,\"currentReplicas\":2,\"updatedReplicas\":1,\"availableReplicas\":2,"
	      "\"currentRevision\":\"web-old\",\"updateRevision\":\"web-new\",\"collisionCount\":2}");
	assert_int_equal(s.next_available_us, NOW + 9000000);
}

static void an_update_is_complete_when_all_are_ready(void **state)
{
	set("'replicas':2," ROLLING(0));
	pods("0 new ready,1 new ready");
	tells("{\"observedGeneration\":3,\"replicas\":2,\"readyReplicas\":2,\"currentReplicas\":2,\"updatedReplicas\":2,\"availableReplicas\":2,"
	      "\"currentRevision\":\"web-new\",\"updateRevision\":\"web-new\",\"collisionCount\":0}");
	forget(NULL);
	set("'replicas':2," ROLLING(0));
	pods("0 new ready");
	tells("{\"observedGeneration\":3,\"replicas\":1,\"readyReplicas\":1,\"currentReplicas\":0,\"updatedReplicas\":1,\"availableReplicas\":1,"
	      "\"currentRevision\":\"web-old\",\"updateRevision\":\"web-new\",\"collisionCount\":0}");
}

static void an_update_is_not_complete_while_more_are_there(void **state)
{
	set("'replicas':1," ROLLING(0));
	pods("0 new ready,1 old going");
	tells("{\"observedGeneration\":3,\"replicas\":2,\"readyReplicas\":1,\"currentReplicas\":0,\"updatedReplicas\":1,\"availableReplicas\":1,"
	      "\"currentRevision\":\"web-old\",\"updateRevision\":\"web-new\",\"collisionCount\":0}");
}

static void what_is_said_already_is_not_told(void **state)
{
	set_with_status("'replicas':1," ROLLING(0), "'observedGeneration':3,'replicas':1,'readyReplicas':1,'currentReplicas':1,'updatedReplicas':1,"
			"'availableReplicas':1,'currentRevision':'web-new','updateRevision':'web-new','collisionCount':0");
	pods("0 new ready");
	tells("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(made_in_order, forget),
		cmocka_unit_test_teardown(the_next_waits_for_all_before, forget),
		cmocka_unit_test_teardown(made_side_by_side, forget),
		cmocka_unit_test_teardown(what_ended_is_deleted_first, forget),
		cmocka_unit_test_teardown(scaled_down_from_the_highest, forget),
		cmocka_unit_test_teardown(one_that_is_not_available_goes_when_it_is_the_lowest, forget),
		cmocka_unit_test_teardown(rolled_down_to_the_partition, forget),
		cmocka_unit_test_teardown(without_a_partition_the_lowest_come_back_as_they_were, forget),
		cmocka_unit_test_teardown(stuck, forget),
		cmocka_unit_test_teardown(side_by_side_the_update_waits_for_those_that_are_new, forget),
		cmocka_unit_test_teardown(side_by_side_the_update_does_not_wait_for_the_condemned, forget),
		cmocka_unit_test_teardown(a_lost_identity_is_given_back, forget),
		cmocka_unit_test_teardown(claims_are_made_for_who_waits, forget),
		cmocka_unit_test_teardown(claims_get_their_owner_before_the_pod_goes, forget),
		cmocka_unit_test_teardown(a_claim_that_goes_is_waited_for, forget),
		cmocka_unit_test_teardown(no_more_than_so_many_at_once, forget),
		cmocka_unit_test_teardown(the_status_counts, forget),
		cmocka_unit_test_teardown(an_update_is_complete_when_all_are_ready, forget),
		cmocka_unit_test_teardown(an_update_is_not_complete_while_more_are_there, forget),
		cmocka_unit_test_teardown(what_is_said_already_is_not_told, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
