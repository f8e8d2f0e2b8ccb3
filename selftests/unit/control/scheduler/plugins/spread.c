/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"
#include "../../../../../control/scheduler/belongs.h"
#include "../../../../../control/scheduler/plugins/spread_args.h"

#define SPREAD(key, when, more) "'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'" key "','whenUnsatisfiable':'" when "'," \
	"'labelSelector':{'matchLabels':{'app':'web'}}" more "}]"

static void two_zones(struct cluster *k)
{
	cluster_init(k);
	cluster_node(k, "a1", "'zone':'a'", "", "");
	cluster_node(k, "a2", "'zone':'a'", "", "");
	cluster_node(k, "b1", "'zone':'b'", "", "");
}

static void domains_are_filled_evenly(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ""))), "b1");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'a'}," SPREAD("zone", "DoNotSchedule", ",'nodeAffinityPolicy':'Ignore'")),
			   "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
			   "2 node(s) didn't match pod topology spread constraints.");
	cluster_assert_why(&k, cluster_pod(&k, "'app':'web'", SPREAD("rack", "DoNotSchedule", "")),
			   "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).");
}

static void nodes_that_the_pod_may_not_use_do_not_count(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'a'}," SPREAD("zone", "DoNotSchedule", ""))), 'a');
}

static void missing_domains_count_as_empty(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web'", "");
	cluster_placed(&k, "b1", "'app':'web'", "");
	assert_non_null(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ",'minDomains':2"))));
	assert_null(cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ",'minDomains':3"))));
}

static void other_revisions_do_not_count(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "a1", "'app':'web','rev':'1'", "");
	cluster_placed(&k, "b1", "'app':'web','rev':'2'", "");
	assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web','rev':'2'", SPREAD("zone", "DoNotSchedule", ",'matchLabelKeys':['rev']"))), 'a');
}

static void soft_constraints_only_prefer(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	two_zones(&k);
	cluster_placed(&k, "b1", "'app':'web'", "");
	for (int i = 0; i < 8; i++)
		assert_int_equal(*cluster_pick(&k, cluster_pod(&k, "'app':'web'", SPREAD("zone", "ScheduleAnyway", ""))), 'a');
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "'app':'web'", "'nodeSelector':{'zone':'b'}," SPREAD("zone", "ScheduleAnyway", ""))), "b1");
}

/* --- by default --- */
#define REF(version, kind, name) "'ownerReferences':[{'apiVersion':'" version "','kind':'" kind "','name':'" name "','uid':'u','controller':true}]"
#define SYSTEM "{'maxSkew':3,'topologyKey':'kubernetes.io/hostname','whenUnsatisfiable':'ScheduleAnyway'}," \
	"{'maxSkew':5,'topologyKey':'topology.kubernetes.io/zone','whenUnsatisfiable':'ScheduleAnyway'}"

/* By the plugin alone: args NULL: none. */
struct alone {
	struct cluster k;
	void *state;
};
static void alone_done(struct alone *a)
{
	sched_spread.done(a->state);
	free(a->state);
	cluster_done(&a->k);
}
static void alone_init(struct alone *a, const char *args)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = args ? cluster_parse(args) : NULL;

	cluster_init(&a->k);
	a->state = calloc(1, sched_spread.state_size);
	assert_int_equal(sched_spread.configure(a->state, d ? xb_json_root(d) : (struct xb_jv){}, NULL), 0);
	cluster_node(&a->k, "a1", "'kubernetes.io/hostname':'a1','topology.kubernetes.io/zone':'a'", "", "");
	cluster_node(&a->k, "a2", "'kubernetes.io/hostname':'a2','topology.kubernetes.io/zone':'a'", "", "");
	cluster_node(&a->k, "b1", "'kubernetes.io/hostname':'b1','topology.kubernetes.io/zone':'b'", "", "");
}

static void service(struct cluster *k, const char *name, const char *namespace_, const char *old_selector, const char *selector)
{
	struct xb_json *d[2] = {};

	for (int i = 0; i < 2; i++) {
		const char *text = i ? selector : old_selector;
		char object[512];

		snprintf(object, sizeof(object), "{'metadata':{'name':'%s','namespace':'%s'},'spec':{%s}}", name, namespace_, text ? text : "");
		d[i] = text ? cluster_parse(object) : NULL;
	}
	assert_int_equal(sched_belongs_set_service(k->cache, d[0] ? xb_json_root(d[0]) : (struct xb_jv){},
						   d[1] ? xb_json_root(d[1]) : (struct xb_jv){}), 0);
	xb_json_unref(d[0]);
	xb_json_unref(d[1]);
}

static void owner(struct cluster *k, const char *kind, const char *name, const char *selector)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	char object[512];

	snprintf(object, sizeof(object), "{'spec':{'selector':{%s}}}", selector ? selector : "");
	d = cluster_parse(object);
	assert_int_equal(sched_belongs_set_owner(k->cache, kind, XB_SV("default"), xb_sv(name), selector ? xb_json_root(d) : (struct xb_jv){}), 0);
}

static struct sched_pod *owned_pod(struct cluster *k, const char *labels, const char *ref)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;
	struct sched_pod *p = NULL;
	char text[1024];

	snprintf(text, sizeof(text), "{'metadata':{'namespace':'default','name':'o%u','labels':{%s}%s%s}}", ++k->pods, labels, *ref ? "," : "", ref);
	d = cluster_parse(text);
	assert_int_equal(sched_pod_new(k->cache, xb_json_root(d), &p), 0);
	assert_int_equal(sched_cache_add_pod(k->cache, p), 0);
	return p;
}

static void a_pod_is_spread_among_what_it_belongs_to(void **state)
{
	static const struct {
		const char *labels, *ref;
		const char *services[2]; /* spec.selector: of default */
		const char *kind, *selector; /* of an owner named "o" */
		const char *term; /* what the term's selector says; NULL: it is not spread */
	} cases[] = {
		{ "'app':'web'", "", {}, NULL, NULL, NULL },
		{ "'app':'web'", "", { "'app':'db'" }, NULL, NULL, NULL },
		{ "'app':'web'", "", { "'app':'web','tier':'x'" }, NULL, NULL, NULL },
		{ "'app':'web'", "", { "" }, NULL, NULL, NULL },
		{ "'app':'web'", "", { "'app':'web'" }, NULL, NULL, "app in (web)" },
		{ "'app':'web','tier':'x'", "", { "'app':'web'", "'app':'web','tier':'x'" }, NULL, NULL, "app in (web),tier in (x)" },
		{ "'app':'web'", REF("v1", "ReplicationController", "o"), {}, "ReplicationController", "'app':'web'", "app in (web)" },
		{ "'app':'web'", REF("v1", "ReplicationController", "o"), { "'app':'web'" }, "ReplicationController", "'app':'other'", "app in (other)" },
		{ "'app':'web'", REF("apps/v1", "ReplicaSet", "o"), {}, "ReplicaSet", "'matchLabels':{'app':'web','hash':'1'}",
		  "app in (web),hash in (1)" },
		{ "'app':'web'", REF("apps/v1", "ReplicaSet", "o"), { "'app':'web'" }, "ReplicaSet", "'matchLabels':{'app':'web','hash':'1'}",
		  "app in (web),hash in (1)" },
		{ "'app':'web'", REF("apps/v1", "ReplicaSet", "o"), { "'app':'web'" }, "ReplicaSet", "'matchLabels':{'app':'other'}",
		  "app in (web),app in (other)" },
		{ "'app':'web'", REF("apps/v1", "StatefulSet", "o"), {}, "StatefulSet",
		  "'matchExpressions':[{'key':'app','operator':'NotIn','values':['db']}]", "app notin (db)" },
		{ "'app':'web'", REF("apps/v1", "StatefulSet", "other"), {}, "StatefulSet", "'matchLabels':{'app':'web'}", NULL },
		{ "'app':'web'", REF("example.com/v1", "ReplicaSet", "o"), {}, "ReplicaSet", "'matchLabels':{'app':'web'}", NULL },
		{ "'app':'web'", REF("apps/v1", "StatefulSet", "o"), {}, "ReplicaSet", "'matchLabels':{'app':'web'}", NULL },
		{ "'app':'web'", REF("apps/v1", "DaemonSet", "o"), {}, "DaemonSet", "'matchLabels':{'app':'web'}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(alone_done) struct alone a = {};
		_cleanup_buf_ struct xb_buf said = {};
		struct sched_pod *p;

		alone_init(&a, NULL);
		service(&a.k, "elsewhere", "other", NULL, "'selector':{'app':'web'}");
		for (int s = 0; s < 2 && cases[i].services[s]; s++) {
			char selector[128];

			snprintf(selector, sizeof(selector), "'selector':{%s}", cases[i].services[s]);
			service(&a.k, s ? "s1" : "s0", "default", NULL, selector);
		}
		if (cases[i].kind && strcmp(cases[i].kind, "DaemonSet"))
			owner(&a.k, cases[i].kind, "o", cases[i].selector);
		p = owned_pod(&a.k, cases[i].labels, cases[i].ref);
		assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
		assert_int_equal(p->rules.n, cases[i].term ? 2 : 0);
		if (!cases[i].term)
			continue;
		xb_selector_write(p->rules.v[0].term->matchers.v[0].selector, &said);
		assert_string_equal(said.p, cases[i].term);
		assert_int_equal(p->rules.v[0].weight, 3);
		assert_int_equal(p->rules.v[1].weight, 5);
		assert_int_equal(p->rules.v[1].role, SCHED_SOFT_SPREAD);
		assert_ptr_equal(p->rules.v[0].term, p->rules.v[1].term);
		assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
		assert_int_equal(p->rules.n, 2);
		sched_pod_forget_defaults(a.k.cache, p);
		assert_int_equal(xb_map_count(a.k.cache->terms), 0);
	}
}

static void what_it_belongs_to_is_as_it_is_when_it_is_tried(void **state)
{
	_cleanup_(alone_done) struct alone a = {};
	struct sched_pod *p;

	alone_init(&a, NULL);
	p = owned_pod(&a.k, "'app':'web'", REF("apps/v1", "ReplicaSet", "o"));
	service(&a.k, "s", "default", NULL, "'selector':{'app':'web'}");
	assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
	assert_int_equal(p->rules.n, 2);
	service(&a.k, "s", "default", "'selector':{'app':'web'}", "'selector':{'app':'db'}");
	assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
	assert_int_equal(p->rules.n, 0);
	owner(&a.k, "ReplicaSet", "o", "'matchLabels':{'app':'web'}");
	assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
	assert_int_equal(p->rules.n, 2);
	owner(&a.k, "ReplicaSet", "o", NULL);
	service(&a.k, "s", "default", "'selector':{'app':'db'}", NULL);
	assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
	assert_int_equal(p->rules.n, 0);
	sched_cache_del_pod(a.k.cache, p);
	assert_int_equal(xb_map_count(a.k.cache->groups.by_key), 0);
}

static void its_own_constraints_stand_in_place_of_defaults(void **state)
{
	_cleanup_(alone_done) struct alone a = {};
	struct sched_pod *p;

	alone_init(&a, NULL);
	service(&a.k, "s", "default", NULL, "'selector':{'app':'web'}");
	p = cluster_pod(&a.k, "'app':'web'", SPREAD("zone", "DoNotSchedule", ""));
	assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
	assert_int_equal(p->rules.n, 1);
}

/* Numbers of scoring.go: log(domains + 2) a pod, and the skew less one. */
static void scores_are_upstreams(void **state)
{
	static const struct {
		const char *args;
		bool zoneless;  /* a node without a zone is there, too */
		int64_t expected[4];
	} cases[] = {
		{ NULL, false, { 75, 100, 100 } },
		{ "{'defaultingType':'List','defaultConstraints':[" SYSTEM "]}", false, { 75, 100, 100 } },
		{ NULL, true, { 15, 46, 46, 100 } },
		{ "{'defaultingType':'List','defaultConstraints':[" SYSTEM "]}", true, { 75, 100, 100, 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(alone_done) struct alone a = {};
		uint32_t nodes[4] = { 0, 1, 2, 3 };
		int64_t scores[4] = {};
		struct sched_pod *p;
		unsigned n = cases[i].zoneless ? 4 : 3;

		alone_init(&a, cases[i].args);
		service(&a.k, "s", "default", NULL, "'selector':{'app':'web'}");
		if (cases[i].zoneless)
			cluster_node(&a.k, "x", "'kubernetes.io/hostname':'x'", "", "");
		cluster_placed(&a.k, "a1", "'app':'web'", "");
		cluster_placed(&a.k, "a1", "'app':'web'", "");
		cluster_placed(&a.k, "b1", "'app':'web'", "");
		cluster_placed(&a.k, "a2", "'app':'other'", "");
		p = cluster_pod(&a.k, "'app':'web'", "");
		assert_int_equal(sched_spread.complete(a.state, a.k.cache, p), 0);
		assert_int_equal(sched_spread.prepare(a.state, a.k.cache, p), 0);
		assert_int_equal(sched_spread.score(a.state, a.k.cache, p, nodes, n, scores), 1);
		for (unsigned k = 0; k < n; k++)
			assert_int_equal(scores[k], cases[i].expected[k]);
	}
}

static void a_list_may_be_hard_or_empty(void **state)
{
	_cleanup_(alone_done) struct alone hard = {}, none = {};
	struct sched_reasons why = {};
	struct sched_pod *p;

	alone_init(&hard, "{'defaultingType':'List','defaultConstraints':[{'maxSkew':1,'topologyKey':'topology.kubernetes.io/zone',"
			  "'whenUnsatisfiable':'DoNotSchedule'}]}");
	service(&hard.k, "s", "default", NULL, "'selector':{'app':'web'}");
	cluster_placed(&hard.k, "a1", "'app':'web'", "");
	p = cluster_pod(&hard.k, "'app':'web'", "");
	assert_int_equal(sched_spread.complete(hard.state, hard.k.cache, p), 0);
	assert_int_equal(sched_spread.prepare(hard.state, hard.k.cache, p), 1);
	assert_int_equal(sched_spread.filter(hard.state, &hard.k.cache->nodes.v[1], 1, &why), SCHED_UNSCHEDULABLE);
	assert_string_equal(why.v[0].text, "node(s) didn't match pod topology spread constraints");
	assert_int_equal(sched_spread.filter(hard.state, &hard.k.cache->nodes.v[2], 2, NULL), SCHED_FITS);
	sched_reasons_done(&why);

	alone_init(&none, "{'defaultingType':'List'}");
	service(&none.k, "s", "default", NULL, "'selector':{'app':'web'}");
	p = cluster_pod(&none.k, "'app':'web'", "");
	assert_int_equal(sched_spread.complete(none.state, none.k.cache, p), 0);
	assert_int_equal(p->rules.n, 0);
}

static void faults_of_arguments_are_told(void **state)
{
#define LIST(c) "{'defaultingType':'List','defaultConstraints':[" c "]}"
	static const struct {
		const char *args, *expected;
	} cases[] = {
		{ "{'defaultingType':'Some'}", "defaultingType: Unsupported value: \"Some\": supported values: \"System\", \"List\"" },
		{ "{'defaultConstraints':[" SYSTEM "]}", "defaultingType: Invalid value: \"System\": when .defaultConstraints are specified" },
		{ LIST("{'maxSkew':0,'topologyKey':'a','whenUnsatisfiable':'ScheduleAnyway'}"),
		  "defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)" },
		{ LIST("{'maxSkew':1,'whenUnsatisfiable':'ScheduleAnyway'}"), "defaultConstraints[0].topologyKey: Required value: can not be empty" },
		{ LIST("{'maxSkew':1,'topologyKey':'a'}"), "defaultConstraints[0].whenUnsatisfiable: Required value: can not be empty" },
		{ LIST("{'maxSkew':1,'topologyKey':'a','whenUnsatisfiable':'Never'}"),
		  "defaultConstraints[0].whenUnsatisfiable: Unsupported value: \"Never\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"" },
		{ LIST(SYSTEM ",{'maxSkew':1,'topologyKey':'a','whenUnsatisfiable':'DoNotSchedule','labelSelector':{}}"),
		  "defaultConstraints[2].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod" },
		{ LIST("{'maxSkew':1,'topologyKey':'a','whenUnsatisfiable':'DoNotSchedule'},{'maxSkew':2,'topologyKey':'a',"
		       "'whenUnsatisfiable':'DoNotSchedule'}"), "defaultConstraints[1]: Duplicate value: \"{a, DoNotSchedule}\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = cluster_parse(cases[i].args);
		struct sched_spread_args a = {};
		_cleanup_free_ char *why = NULL;

		assert_int_equal(sched_spread_args_read(&a, xb_json_root(d), &why), -EINVAL);
		assert_string_equal(why + strlen("PodTopologySpread: "), cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_filled_evenly),
		cmocka_unit_test(nodes_that_the_pod_may_not_use_do_not_count),
		cmocka_unit_test(missing_domains_count_as_empty),
		cmocka_unit_test(other_revisions_do_not_count),
		cmocka_unit_test(soft_constraints_only_prefer),
		cmocka_unit_test(a_pod_is_spread_among_what_it_belongs_to),
		cmocka_unit_test(what_it_belongs_to_is_as_it_is_when_it_is_tried),
		cmocka_unit_test(its_own_constraints_stand_in_place_of_defaults),
		cmocka_unit_test(scores_are_upstreams),
		cmocka_unit_test(a_list_may_be_hard_or_empty),
		cmocka_unit_test(faults_of_arguments_are_told),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/spread", tests, NULL, NULL);
}
