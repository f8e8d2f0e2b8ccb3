/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster.h"

#define HEAD "{'apiVersion':'kubescheduler.config.k8s.io/v1','kind':'KubeSchedulerConfiguration'"

static int index_of(const char *name)
{
	int i = 0;

	while (strcmp(sched_plugins[i]->name, name))
		i++;
	return i;
}

static void parse(const char *text, struct sched_config *ret)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = cluster_parse(text);

	*ret = (struct sched_config){};
	assert_int_equal(sched_config_parse(xb_json_root(d), ret, NULL), 0);
}

static void without_a_file_it_is_upstreams_default(void **state)
{
	_cleanup_(sched_config_done) struct sched_config c = {};

	assert_int_equal(sched_config_read(NULL, &c, NULL), 0);
	assert_int_equal(c.profiles.n, 1);
	assert_string_equal(c.profiles.v[0].name, "default-scheduler");
	assert_int_equal(c.profiles.v[0].weights[index_of("TaintToleration")], 3);
	assert_true(c.profiles.v[0].filters[index_of("NodeResourcesFit")]);
	assert_true(c.profiles.v[0].preempts);
	assert_int_equal(c.backoff_ms, 1000);
}

static void profiles_differ(void **state)
{
	_cleanup_(sched_config_done) struct sched_config c = {};

	parse(HEAD ",'percentageOfNodesToScore':30,'podInitialBackoffSeconds':2,'podMaxBackoffSeconds':20,'profiles':["
	      "{'plugins':{'score':{'disabled':[{'name':'*'}],'enabled':[{'name':'ImageLocality','weight':7},{'name':'NodeAffinity'}]}}},"
	      "{'schedulerName':'two','percentageOfNodesToScore':80,'plugins':{'multiPoint':{'disabled':[{'name':'PodTopologySpread'},"
	      "{'name':'VolumeBinding'}]},'postFilter':{'disabled':[{'name':'DefaultPreemption'}]}}}]}", &c);
	assert_int_equal(c.profiles.n, 2);
	assert_int_equal(c.profiles.v[0].percentage, 30);
	assert_int_equal(c.profiles.v[0].weights[index_of("ImageLocality")], 7);
	assert_int_equal(c.profiles.v[0].weights[index_of("NodeAffinity")], 2);
	assert_int_equal(c.profiles.v[0].weights[index_of("NodeResourcesFit")], 0);
	assert_true(c.profiles.v[0].filters[index_of("NodeResourcesFit")]);
	assert_string_equal(c.profiles.v[1].name, "two");
	assert_int_equal(c.profiles.v[1].percentage, 80);
	assert_false(c.profiles.v[1].filters[index_of("PodTopologySpread")]);
	assert_int_equal(c.profiles.v[1].weights[index_of("PodTopologySpread")], 0);
	assert_false(c.profiles.v[1].preempts);
	assert_int_equal(c.max_backoff_ms, 20000);
}

static void leader_election_is_read(void **state)
{
	struct xb_lease_options o = { .leader_elect = true, .lease_ms = 15000, .renew_ms = 10000, .retry_ms = 2000 };
	_cleanup_(sched_config_done) struct sched_config c = {};

	parse(HEAD ",'leaderElection':{'leaderElect':false,'retryPeriod':'1s'}}", &c);
	assert_int_equal(sched_config_lease(&c, &o, NULL), 0);
	assert_false(o.leader_elect);
	assert_int_equal(o.retry_ms, 1000);
	assert_int_equal(o.lease_ms, 15000);
}

static void faults_name_the_field(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "{'kind':'Pod'}", "must be a KubeSchedulerConfiguration of apiVersion kubescheduler.config.k8s.io/v1" },
		{ HEAD ",'percentageOfNodesToScore':101}", "percentageOfNodesToScore: not in valid range [0-100]" },
		{ HEAD ",'podInitialBackoffSeconds':0}", "podInitialBackoffSeconds: must be greater than 0" },
		{ HEAD ",'profiles':[{},{}]}", "profiles[1].schedulerName: Duplicate value: \"default-scheduler\"" },
		{ HEAD ",'profiles':[{'plugins':{'score':{'enabled':[{'name':'Nope'}]}}}]}", "profiles[0].plugins: plugin \"Nope\" does not exist" },
		{ HEAD ",'profiles':[{'plugins':{'filter':{'disabled':[{'name':'Nope'}]}}}]}",
		  "profiles[0].plugins.filter: plugin \"Nope\" does not exist" },
		{ HEAD ",'profiles':[{'pluginConfig':[{'name':'NodeAffinity','args':{}}]}]}", "profiles[0].pluginConfig: NodeAffinity takes no arguments here" },
		{ HEAD ",'extenders':[{}]}", "extenders: are not supported here" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = cluster_parse(cases[i].text);
		_cleanup_(sched_config_done) struct sched_config c = {};
		_cleanup_free_ char *why = NULL;

		assert_int_equal(sched_config_parse(xb_json_root(d), &c, &why), -EINVAL);
		assert_string_equal(why, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_it_is_upstreams_default),
		cmocka_unit_test(profiles_differ),
		cmocka_unit_test(leader_election_is_read),
		cmocka_unit_test(faults_name_the_field),
	};

	return cmocka_run_group_tests_name("control/scheduler/config", tests, NULL, NULL);
}
