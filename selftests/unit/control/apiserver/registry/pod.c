/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"
#include "../../../../../control/apiserver/registry/pod.h"

#define POD(spec) "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':'n'},'spec':{" spec "}}"
#define C(rest) "{'name':'c','image':'i'" rest "}"

#define GATED POD("'schedulingGates':[{'name':'a/b'}],'containers':[" C("") "]")

static const char *bind(struct xb_tree *pod, const char *binding)
{
	struct write w = write_of(pod);
	_cleanup_status_ struct xb_status s = {};

	if (!pod_bind(&w, pod, xb_tree_parse(arena, quoted(binding)), &s))
		return "";
	return xb_arena_strn(arena, xb_sv(s.message));
}

static enum deletion delete(struct xb_tree *pod, int64_t grace)
{
	struct write w = write_of(pod);
	struct delete_request q = { .grace_seconds = grace };
	_cleanup_status_ struct xb_status s = {};

	return strategy_of(w.kind)->delete_(&w, pod, &q, &s);
}

static const char *deletion_of(const struct xb_tree *pod)
{
	const struct xb_tree *meta = xb_tree_get(pod, "metadata");

	return xb_arena_printf(arena, "%.*s %lld", XB_SV_ARG(xb_tree_gettext(meta, "deletionTimestamp")),
			       (long long)xb_tree_geti64(meta, "deletionGracePeriodSeconds", -1));
}

static struct xb_tree *scheduled(void)
{
	struct xb_tree *pod = created(POD("'containers':[" C("") "]"));

	assert_string_equal(bind(pod, "{'target':{'kind':'Node','name':'n1'}}"), "");
	return pod;
}

static void edit_phase(struct xb_tree *pod, const char *phase)
{
	xb_tree_setc(xb_tree_get(pod, "status"), "phase", xb_tree_str(arena, xb_sv(phase)));
}

static void starts_pending(void **state)
{
	struct xb_tree *pod = created(POD("'containers':[" C("") "]"));
	const struct xb_tree *spec = xb_tree_get(pod, "spec");

	assert_string_equal(text_of(xb_tree_get(pod, "status")), "{'phase':'Pending','qosClass':'BestEffort'}");
	assert_string_equal(text_of(xb_tree_get(spec, "enableServiceLinks")), "true");
	pod = created(GATED);
	assert_string_equal(text_of(xb_tree_path(xb_tree_path(pod, "status", "conditions")->first, "reason")), "'SchedulingGated'");
}

static void limits_are_requests_too(void **state)
{
	struct xb_tree *pod = created(POD("'containers':[" C(",'resources':{'limits':{'cpu':1,'memory':'1Gi'},'requests':{'cpu':'500m'}}") "]"));
	const struct xb_tree *c = xb_tree_path(pod, "spec", "containers")->first;

	assert_string_equal(text_of(xb_tree_path(c, "resources", "requests")), "{'cpu':'500m','memory':'1Gi'}");
}

static void host_network_takes_host_ports(void **state)
{
	struct xb_tree *pod = created(POD("'hostNetwork':true,'containers':[" C(",'ports':[{'containerPort':80}]") "]"));

	assert_int_equal(xb_tree_geti64(xb_tree_get(xb_tree_path(pod, "spec", "containers")->first, "ports")->first, "hostPort", 0), 80);
}

static void addresses_are_one_fact(void **state)
{
	struct xb_tree *pod = decoded(xb_tree_parse(arena, quoted(
		"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p'},'spec':{'containers':[]},'status':{'podIP':'10.0.0.2','podIPs':[{'ip':'10.0.0.1'}],'hostIPs':[{'ip':'1.1.1.1'}]}}")));

	assert_string_equal(text_of(xb_tree_path(pod, "status", "podIPs")), "[{'ip':'10.0.0.2'}]");
	assert_string_equal(text_of(xb_tree_path(pod, "status", "hostIP")), "'1.1.1.1'");
}

static void binding_assigns_once(void **state)
{
	struct xb_tree *pod = created(POD("'containers':[" C("") "]"));

	assert_string_equal(bind(pod, "{'metadata':{'annotations':{'a':'b'}},'target':{'name':'n1'}}"), "");
	assert_string_equal(text_of(xb_tree_path(pod, "spec", "nodeName")), "'n1'");
	assert_string_equal(text_of(xb_tree_path(pod, "metadata", "annotations")), "{'a':'b'}");
	assert_string_equal(text_of(xb_tree_path(pod, "status", "conditions")),
		"[{'lastProbeTime':null,'type':'PodScheduled','status':'True','lastTransitionTime':'" NOW "'}]");
	assert_string_equal(bind(pod, "{'target':{'name':'n2'}}"),
		"Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"");
	assert_string_equal(bind(created(GATED), "{'target':{'name':'n2'}}"),
		"Operation cannot be fulfilled on pods/binding \"p\": pod p has non-empty .spec.schedulingGates");
	assert_string_equal(bind(pod, "{'target':{'kind':'Pod'}}"),
		"Binding \"p\" is invalid: [target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\", target.name: Required value]");
}

static void deletion_waits_for_who_runs_it(void **state)
{
	struct xb_tree *pod = created(POD("'containers':[" C("") "]"));

	assert_int_equal(delete(pod, -1), DELETE_NOW);
	assert_string_equal(deletion_of(pod), "2026-01-01T00:00:00Z 0");
	pod = scheduled();
	assert_int_equal(delete(pod, -1), DELETE_LATER);
	assert_string_equal(deletion_of(pod), "2026-01-01T00:00:30Z 30");
	assert_string_equal(bind(pod, "{'target':{'name':'n2'}}"),
		"Operation cannot be fulfilled on pods/binding \"p\": pod p is being deleted, cannot be assigned to a host");
}

static void deletion_can_only_come_sooner(void **state)
{
	struct xb_tree *pod = scheduled();

	assert_int_equal(delete(pod, 20), DELETE_LATER);
	assert_int_equal(delete(pod, 60), DELETE_LATER);
	assert_string_equal(deletion_of(pod), "2026-01-01T00:00:20Z 20");
	assert_int_equal(delete(pod, 5), DELETE_LATER);
	assert_string_equal(deletion_of(pod), "2026-01-01T00:00:05Z 5");
	assert_int_equal(delete(pod, -1), DELETE_LATER);
	assert_int_equal(delete(pod, 0), DELETE_NOW);
	assert_string_equal(deletion_of(pod), "2026-01-01T00:00:00Z 0");
	pod = scheduled();
	edit_phase(pod, "Succeeded");
	assert_int_equal(delete(pod, -1), DELETE_NOW);
}

static void only_at_creation(void **state)
{
	static const struct example examples[] = {
		{ POD("'nodeName':'n1','schedulingGates':[{'name':'a/b'}],'containers':[" C("") "]"),
		  "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared" },
		{ POD("'ephemeralContainers':[{'name':'e','image':'i'}],'containers':[" C("") "]"), "spec.ephemeralContainers: Forbidden: cannot be set on create" },
		{ POD("'containers':[{'name':'c','image':' i'}]"), "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace" },
	};

	EACH_CREATE(examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_are_requests_too, setup, teardown),
		cmocka_unit_test_setup_teardown(host_network_takes_host_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_are_one_fact, setup, teardown),
		cmocka_unit_test_setup_teardown(binding_assigns_once, setup, teardown),
		cmocka_unit_test_setup_teardown(deletion_waits_for_who_runs_it, setup, teardown),
		cmocka_unit_test_setup_teardown(deletion_can_only_come_sooner, setup, teardown),
		cmocka_unit_test_setup_teardown(only_at_creation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
