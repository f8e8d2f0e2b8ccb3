/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../cluster.h"
#include "../../../../../control/scheduler/claims.h"

#define USES(name)   "'volumes':[{'name':'v','persistentVolumeClaim':{'claimName':'" name "'}}]"
#define ON_HOST(h)   "'nodeAffinity':{'required':{'nodeSelectorTerms':[{'matchExpressions':[{'key':'kubernetes.io/hostname','operator':'In','values':['" h "']}]}]}}"
#define IN_ZONE(z)   "'nodeAffinity':{'required':{'nodeSelectorTerms':[{'matchExpressions':[{'key':'zone','operator':'In','values':['" z "']}]}]}}"

static void class(struct cluster *k, const char *name, const char *provisioner, const char *mode, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text), "{'metadata':{'name':'%s'},'provisioner':'%s','volumeBindingMode':'%s'%s}", name, provisioner, mode, more);
	cluster_store(k, SCHED_CLASSES, name, text);
}

static void volume(struct cluster *k, const char *name, const char *class_name, const char *size, const char *phase, const char *spec)
{
	char text[1024];

	snprintf(text, sizeof(text), "{'metadata':{'name':'%s','labels':{'topology.kubernetes.io/zone':'z1'}},'spec':{'storageClassName':'%s',"
		 "'capacity':{'storage':'%s'},'accessModes':['ReadWriteOnce']%s%s},'status':{'phase':'%s'}}",
		 name, class_name, size, *spec ? "," : "", spec, phase);
	cluster_store(k, SCHED_VOLUMES, name, text);
}

/* volume: NULL for a claim that is not bound. */
static void claim(struct cluster *k, const char *name, const char *class_name, const char *size, const char *volume_name, const char *notes)
{
	char text[1024], key[64];

	snprintf(key, sizeof(key), "default/%s", name);
	snprintf(text, sizeof(text), "{'metadata':{'namespace':'default','name':'%s','uid':'uid-%s','annotations':{%s%s}},'spec':{'storageClassName':'%s',"
		 "'resources':{'requests':{'storage':'%s'}},'accessModes':['ReadWriteOnce'],'volumeName':'%s'}}",
		 name, name, volume_name ? "'pv.kubernetes.io/bind-completed':'yes'" : "", notes, class_name, size, volume_name ? volume_name : "");
	cluster_store(k, SCHED_CLAIMS, key, text);
}

static void init(struct cluster *k)
{
	cluster_init(k);
	cluster_node(k, "a", "'kubernetes.io/hostname':'a','zone':'z1','topology.kubernetes.io/zone':'z1'", "", "");
	cluster_node(k, "b", "'kubernetes.io/hostname':'b','zone':'z2'", "", "");
	class(k, "wait", "kubernetes.io/no-provisioner", "WaitForFirstConsumer", "");
	class(k, "made", "example.com/make", "WaitForFirstConsumer", "");
	class(k, "now", "example.com/make", "Immediate", "");
}

static void bound_claims_lead_to_their_volumes(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	init(&k);
	volume(&k, "on-b", "wait", "1Gi", "Bound", ON_HOST("b"));
	claim(&k, "c", "wait", "1Gi", "on-b", "");
	for (int i = 0; i < 4; i++)
		assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", USES("c"))), "b");
	cluster_assert_why(&k, cluster_pod(&k, "", USES("c") ",'nodeSelector':{'zone':'z1'}"),
			   "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had volume node affinity conflict.");
	claim(&k, "lost", "wait", "1Gi", "nothing", "");
	cluster_assert_why(&k, cluster_pod(&k, "", USES("lost")),
			   "0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).");
}

static void pods_are_refused_whatever_the_node(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	init(&k);
	p = cluster_pod(&k, "", USES("c"));
	cluster_assert_why(&k, p, "0/2 nodes are available: persistentvolumeclaim \"c\" not found.");
	claim(&k, "c", "now", "1Gi", NULL, "");
	cluster_assert_why(&k, p, "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
	assert_int_equal(sched_cycle_fits(k.cycle, k.cache, p, 0, NULL), 0);
	cluster_store(&k, SCHED_CLAIMS, "default/c", "{'metadata':{'namespace':'default','name':'c','deletionTimestamp':'x'},'spec':{}}");
	cluster_assert_why(&k, p, "0/2 nodes are available: persistentvolumeclaim \"c\" is being deleted.");
	cluster_store(&k, SCHED_CLAIMS, "default/c", "{'metadata':{'name':'c'},'spec':{'volumeName':'gone'},'status':{'phase':'Lost'}}");
	cluster_assert_why(&k, p, "0/2 nodes are available: persistentvolumeclaim \"c\" bound to non-existent persistentvolume \"gone\".");
	p = cluster_pod(&k, "", "'volumes':[{'name':'e','ephemeral':{}}]");
	cluster_assert_why(&k, p, "0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim \"p2-e\".");
	claim(&k, "p2-e", "now", "1Gi", "v", "");
	cluster_assert_why(&k, p, "0/2 nodes are available: PVC default/p2-e was not created for pod default/p2 (pod is not owner).");
}

/* The volume that is chosen on each of the nodes: "one two"; "-": none, "+": one is made */
static void assert_chosen(struct cluster *k, const char *spec, const char *expected)
{
	struct sched_claims s = {};
	struct sched_pod *p = cluster_pod(k, "", spec);
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(sched_claims_read(&s, k->cache, p), 0);
	for (size_t i = 0; i < k->cache->nodes.n; i++) {
		unsigned why = sched_claims_fit(&s, &k->cache->nodes.v[i]);

		xb_buf_adds(&out, i ? " | " : "");
		for (size_t w = 0; w < s.wishes.n; w++) {
			struct xb_sv name = xb_jv_text(xb_jv_path(s.chosen[w], "metadata", "name"));

			xb_buf_addf(&out, "%s%.*s", w ? "," : "", XB_SV_ARG(why ? XB_SV("-") : name.n ? name : XB_SV("+")));
		}
	}
	assert_string_equal(out.p, expected);
	sched_claims_done(&s);
}

static void volumes_are_chosen(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	init(&k);
	claim(&k, "c", "wait", "2Gi", NULL, "");
	claim(&k, "d", "wait", "1Gi", NULL, "");
	assert_chosen(&k, USES("c"), "- | -");
	volume(&k, "small", "wait", "1Gi", "Available", ON_HOST("a"));
	volume(&k, "fits", "wait", "3Gi", "Available", ON_HOST("b"));
	volume(&k, "large", "wait", "4Gi", "Available", ON_HOST("b"));
	volume(&k, "other-class", "made", "2Gi", "Available", "");
	volume(&k, "taken", "wait", "2Gi", "Available", "'claimRef':{'namespace':'default','name':'else','uid':'u'}");
	volume(&k, "pending", "wait", "2Gi", "Pending", "");
	volume(&k, "bound", "wait", "2Gi", "Bound", "");
	assert_chosen(&k, USES("c"), "- | fits");
	assert_chosen(&k, "'volumes':[{'persistentVolumeClaim':{'claimName':'c'}},{'persistentVolumeClaim':{'claimName':'d'}}]", "-,- | fits,large");
	volume(&k, "zone-1", "wait", "5Gi", "Available", IN_ZONE("z1"));
	assert_chosen(&k, USES("c"), "zone-1 | fits");
	volume(&k, "anywhere", "wait", "3Gi", "Available", "");
	assert_chosen(&k, USES("c"), "anywhere | anywhere");
	volume(&k, "own", "wait", "9Gi", "Available", "'claimRef':{'namespace':'default','name':'c'}," ON_HOST("a"));
	assert_chosen(&k, USES("c"), "own | -");
}

static void volumes_are_made(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	init(&k);
	claim(&k, "c", "made", "2Gi", NULL, "");
	claim(&k, "there", "made", "2Gi", NULL, "'volume.kubernetes.io/selected-node':'b'");
	assert_chosen(&k, USES("c"), "+ | +");
	assert_chosen(&k, USES("there"), "- | +");
	volume(&k, "local", "made", "2Gi", "Available", ON_HOST("a"));
	assert_chosen(&k, USES("c"), "local | +");
	assert_chosen(&k, USES("there"), "- | +");
	class(&k, "zoned", "example.com/make", "WaitForFirstConsumer",
	      ",'allowedTopologies':[{'matchLabelExpressions':[{'key':'zone','values':['z0','z2']}]}]");
	claim(&k, "z", "zoned", "2Gi", NULL, "");
	assert_chosen(&k, USES("z"), "- | +");
}

static void what_is_assumed_counts(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	_cleanup_(xb_json_unrefp) struct xb_json *taken = cluster_parse("{'metadata':{'name':'v'},'spec':{'storageClassName':'wait','capacity':"
		"{'storage':'1Gi'},'accessModes':['ReadWriteOnce'],'claimRef':{'namespace':'default','name':'d','uid':'uid-d'}},'status':{'phase':'Available'}}");

	init(&k);
	claim(&k, "c", "wait", "1Gi", NULL, "");
	volume(&k, "v", "wait", "1Gi", "Available", "");
	assert_chosen(&k, USES("c"), "v | v");
	assert_int_equal(sched_storage_assume(k.cache->storage, SCHED_VOLUMES, XB_SV("v"), taken), 0);
	assert_chosen(&k, USES("c"), "- | -");
	assert_int_equal(sched_storage_forget(k.cache->storage, SCHED_VOLUMES, XB_SV("v")), 0);
	assert_chosen(&k, USES("c"), "v | v");
	assert_int_equal(sched_storage_assume(k.cache->storage, SCHED_VOLUMES, XB_SV("v"), taken), 0);
	volume(&k, "v", "wait", "1Gi", "Available", "");
	assert_chosen(&k, USES("c"), "v | v");
	assert_int_equal(sched_storage_set(k.cache->storage, SCHED_VOLUMES, XB_SV("v"), (struct xb_jv){}), 0);
	assert_chosen(&k, USES("c"), "- | -");
}

static void one_pod_at_a_time(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *first, *second, *other;

	init(&k);
	cluster_store(&k, SCHED_CLAIMS, "default/c", "{'metadata':{'namespace':'default','name':'c','annotations':{'pv.kubernetes.io/bind-completed':'yes'}},"
		      "'spec':{'volumeName':'v','accessModes':['ReadWriteOncePod']}}");
	volume(&k, "v", "", "1Gi", "Bound", "");
	first = cluster_placed(&k, "a", "", USES("c"));
	second = cluster_pod(&k, "", USES("c"));
	cluster_assert_why(&k, second, "0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.");
	assert_true(sched_cycle_worth(k.cache, second, &(struct sched_change){ .events = SCHED_POD_DELETED, .pod = first }));
	other = cluster_pod(&k, "", "");
	assert_false(sched_cycle_worth(k.cache, second, &(struct sched_change){ .events = SCHED_POD_DELETED, .pod = other }));
	sched_cache_unplace(k.cache, first);
	assert_non_null(cluster_pick(&k, second));
}

static void zones_of_labels(void **state)
{
	_cleanup_cluster_ struct cluster k = {};

	init(&k);
	cluster_node(&k, "c", "'topology.kubernetes.io/zone':'z9'", "", "");
	volume(&k, "v", "", "1Gi", "Bound", "");
	claim(&k, "c", "", "1Gi", "v", "");
	cluster_assert_why(&k, cluster_pod(&k, "", USES("c") ",'nodeSelector':{'topology.kubernetes.io/zone':'z9'}"),
			   "0/3 nodes are available: 1 node(s) had no available volume zone, 2 node(s) didn't match Pod's node affinity/selector.");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", USES("c") ",'nodeSelector':{'zone':'z1'}")), "a");
	assert_string_equal(cluster_pick(&k, cluster_pod(&k, "", USES("c") ",'nodeSelector':{'zone':'z2'}")), "b");
}

static bool is_worth(struct cluster *k, const struct sched_pod *p, unsigned event, const char *object)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = cluster_parse(object);

	return sched_cycle_worth(k->cache, p, &(struct sched_change){ .events = event, .object = xb_json_root(d) });
}

static void changes_that_help(void **state)
{
	_cleanup_cluster_ struct cluster k = {};
	struct sched_pod *p;

	init(&k);
	claim(&k, "c", "wait", "1Gi", NULL, "");
	p = cluster_pod(&k, "", USES("c"));
	assert_null(cluster_pick(&k, p));
	assert_true(is_worth(&k, p, SCHED_CLAIM, "{'metadata':{'namespace':'default','name':'c'}}"));
	assert_false(is_worth(&k, p, SCHED_CLAIM, "{'metadata':{'namespace':'default','name':'cc'}}"));
	assert_false(is_worth(&k, p, SCHED_CLAIM, "{'metadata':{'namespace':'defaul','name':'c'}}"));
	assert_true(is_worth(&k, p, SCHED_VOLUME, "{'metadata':{'name':'v'},'spec':{'storageClassName':'wait'}}"));
	assert_false(is_worth(&k, p, SCHED_VOLUME, "{'metadata':{'name':'v'},'spec':{'storageClassName':'other'}}"));
	assert_true(is_worth(&k, p, SCHED_STORAGE_CLASS, "{'metadata':{'name':'wait'}}"));
	assert_false(is_worth(&k, p, SCHED_STORAGE_CLASS, "{'metadata':{'name':'made'}}"));
	assert_false(is_worth(&k, p, SCHED_POD_ADDED, "{}"));
}

static void its_place_is_its_number(void **state)
{
	assert_ptr_equal(sched_plugins[SCHED_VOLUME_BINDING], &sched_volume_binding);
	for (int i = 0; i < SCHED_PLUGINS; i++)
		assert_non_null(sched_plugins[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_claims_lead_to_their_volumes), cmocka_unit_test(pods_are_refused_whatever_the_node),
		cmocka_unit_test(volumes_are_chosen), cmocka_unit_test(volumes_are_made), cmocka_unit_test(what_is_assumed_counts),
		cmocka_unit_test(one_pod_at_a_time), cmocka_unit_test(zones_of_labels), cmocka_unit_test(changes_that_help),
		cmocka_unit_test(its_place_is_its_number),
	};

	return cmocka_run_group_tests_name("control/scheduler/plugins/volume_binding", tests, NULL, NULL);
}
