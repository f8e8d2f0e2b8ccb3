/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of cases: a node, a pod, those that are there already, and what the pod is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/pods/admit.h"
#include "xb/vec.h"

#define MI (1024 * 1024)

struct test_case {
	const char *name, *node, *spec;
	const char *others[2];          /* specs */
	const char *reason;             /* NULL: it may begin */
	const char *message;            /* that it holds */
	bool memory_pressure, disk_pressure, is_static;
};

#define WANTS(cpu, memory) "'containers':[{'name':'c','resources':{'requests':{'cpu':'" cpu "','memory':'" memory "'}}}]"
#define PORT(more) "'containers':[{'name':'c','ports':[{'containerPort':80,'hostPort':8080" more "}]}]"
#define NONE "'containers':[{'name':'c'}]"
#define LABELLED "{'metadata':{'name':'n1','labels':{'disk':'ssd','cores':'8'}}}"
#define TAINTED "{'metadata':{'name':'n1'},'spec':{'taints':[{'key':'k','value':'v','effect':'NoExecute'},{'key':'s','effect':'NoSchedule'}]}}"
#define REQUIRED(terms) \
	NONE ",'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[" terms "]}}}"
#define EXPRESSION(key, op, values) "{'matchExpressions':[{'key':'" key "','operator':'" op "','values':[" values "]}]}"

static const struct test_case cases[] = {
	{ .name = "anything", .spec = NONE },

	/* room: 2 CPUs, 1000 MiB, 3 pods */
	{ .name = "fits exactly", .spec = WANTS("1", "500Mi"), .others = { WANTS("1", "500Mi") } },
	{ .name = "processor time", .spec = WANTS("1500m", "1Mi"), .others = { WANTS("600m", "1Mi") }, .reason = "OutOfcpu",
	  .message = "Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000" },
	{ .name = "memory", .spec = WANTS("1m", "600Mi"), .others = { WANTS("1m", "600Mi") }, .reason = "OutOfmemory",
	  .message = "memory, requested: 629145600, used: 629145600, capacity: 1048576000" },
	{ .name = "what asks for nothing fits anywhere", .spec = NONE, .others = { WANTS("2", "1000Mi") } },
	{ .name = "an init container counts", .spec = "'initContainers':[{'name':'i','resources':{'requests':{'cpu':'3'}}}]," NONE,
	  .reason = "OutOfcpu", .message = "requested: 3000, used: 0, capacity: 2000" },

	/* labels */
	{ .name = "a selector", .node = LABELLED, .spec = "'nodeSelector':{'disk':'ssd'}," NONE },
	{ .name = "for others", .node = LABELLED, .spec = "'nodeSelector':{'disk':'hdd'}," NONE, .reason = "NodeAffinity",
	  .message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" },
	{ .name = "the node is not known yet", .spec = "'nodeSelector':{'disk':'hdd'}," NONE },
	{ .name = "In", .node = LABELLED, .spec = REQUIRED(EXPRESSION("disk", "In", "'hdd','ssd'")) },
	{ .name = "NotIn", .node = LABELLED, .spec = REQUIRED(EXPRESSION("disk", "NotIn", "'ssd'")), .reason = "NodeAffinity" },
	{ .name = "NotIn of what is not there", .node = LABELLED, .spec = REQUIRED(EXPRESSION("zone", "NotIn", "'a'")) },
	{ .name = "Exists", .node = LABELLED, .spec = REQUIRED(EXPRESSION("zone", "Exists", "")), .reason = "NodeAffinity" },
	{ .name = "DoesNotExist", .node = LABELLED, .spec = REQUIRED(EXPRESSION("zone", "DoesNotExist", "")) },
	{ .name = "Gt", .node = LABELLED, .spec = REQUIRED(EXPRESSION("cores", "Gt", "'7'")) },
	{ .name = "not Gt", .node = LABELLED, .spec = REQUIRED(EXPRESSION("cores", "Gt", "'8'")), .reason = "NodeAffinity" },
	{ .name = "Lt", .node = LABELLED, .spec = REQUIRED(EXPRESSION("cores", "Lt", "'8'")), .reason = "NodeAffinity" },
	{ .name = "one term of two", .node = LABELLED, .spec = REQUIRED(EXPRESSION("zone", "Exists", "") "," EXPRESSION("disk", "Exists", "")) },
	{ .name = "an empty term is nobody's", .node = LABELLED, .spec = REQUIRED("{}"), .reason = "NodeAffinity" },
	{ .name = "by name", .node = LABELLED, .spec = REQUIRED("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]}") },
	{ .name = "by another's", .node = LABELLED, .spec = REQUIRED("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n2']}]}"),
	  .reason = "NodeAffinity" },

	/* taints */
	{ .name = "driven out", .node = TAINTED, .spec = NONE, .reason = "TaintToleration" },
	{ .name = "tolerates it", .node = TAINTED, .spec = NONE ",'tolerations':[{'key':'k','operator':'Equal','value':'v','effect':'NoExecute'}]" },
	{ .name = "tolerates another", .node = TAINTED, .spec = NONE ",'tolerations':[{'key':'k','value':'w'}]", .reason = "TaintToleration" },
	{ .name = "tolerates all", .node = TAINTED, .spec = NONE ",'tolerations':[{'operator':'Exists'}]" },
	{ .name = "static pods are not asked", .node = TAINTED, .spec = NONE, .is_static = true },

	/* ports */
	{ .name = "a port", .spec = PORT(""), .others = { NONE } },
	{ .name = "is taken", .spec = PORT(""), .others = { PORT("") }, .reason = "NodePorts",
	  .message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" },
	{ .name = "by another protocol", .spec = PORT(",'protocol':'UDP'"), .others = { PORT("") } },
	{ .name = "at another address", .spec = PORT(",'hostIP':'10.0.0.1'"), .others = { PORT(",'hostIP':'10.0.0.2'") } },
	{ .name = "at any", .spec = PORT(",'hostIP':'10.0.0.1'"), .others = { PORT(",'hostIP':'0.0.0.0'") }, .reason = "NodePorts" },

	/* pressure and systems */
	{ .name = "memory is short", .spec = NONE, .memory_pressure = true, .reason = "Evicted",
	  .message = "The node had condition: [MemoryPressure]. " },
	{ .name = "not for who said what he needs", .spec = WANTS("1", "1Mi"), .memory_pressure = true },
	{ .name = "nor for critical ones", .spec = NONE ",'priority':2000001000", .memory_pressure = true },
	{ .name = "the disk is full", .spec = WANTS("1", "1Mi"), .disk_pressure = true, .reason = "Evicted",
	  .message = "The node had condition: [DiskPressure]. " },
	{ .name = "another system", .spec = "'os':{'name':'windows'}," NONE, .reason = "PodOSNotSupported" },
	{ .name = "a selector of another system", .spec = "'nodeSelector':{'kubernetes.io/os':'windows'}," NONE,
	  .reason = "PodOSSelectorNodeLabelDoesNotMatch" },
};

static struct xb_json *json_of(const char *fmt, const char *a, const char *b)
{
	struct xb_buf text = {};
	struct xb_json *doc;

	xb_buf_addf(&text, fmt, a, b);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			text.p[i] = '"';
	if (xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL) < 0)
		fail_msg("not JSON: %s", text.p);
	xb_buf_done(&text);
	return doc;
}

static void try_case(const struct test_case *c)
{
	static const struct facts facts = { .max_pods = 3, .allocatable_cpu_milli = 2000, .allocatable_memory_bytes = 1000LL * MI };
	const char *form = "{'metadata':{'name':'p','annotations':{%s}},'spec':{%s}}";
	struct xb_json *pod = json_of(form, c->is_static ? "'kubernetes.io/config.source':'file'" : "", c->spec);
	struct xb_json *node = json_of("%s%s", c->node ? c->node : "{}", ""), *others[2] = {};
	struct xb_jv active[2];
	struct admit_input in = {
		.facts = &facts, .node = xb_json_root(node), .pod = xb_json_root(pod), .active = active,
		.memory_pressure = c->memory_pressure, .disk_pressure = c->disk_pressure,
	};
	struct admit_refusal refusal = {};
	int r;

	for (size_t i = 0; i < 2 && c->others[i]; i++) {
		struct admit_wants w;

		others[i] = json_of(form, "", c->others[i]);
		active[in.n_active++] = xb_json_root(others[i]);
		w = admit_wants(active[i], 0);
		in.used.cpu += w.cpu;
		in.used.memory += w.memory;
		in.pods++;
	}
	r = admit_pod(&in, &refusal);
	if (r != (c->reason ? -EPERM : 0))
		fail_msg("%s: %d %s", c->name, r, refusal.message ? refusal.message : "");
	if (c->reason && strcmp(refusal.reason, c->reason))
		fail_msg("%s: %s", c->name, refusal.reason);
	if (c->message && !strstr(refusal.message, c->message))
		fail_msg("%s: %s", c->name, refusal.message);
	free(refusal.message);
	for (size_t i = 0; i < 2; i++)
		xb_json_unref(others[i]);
	xb_json_unref(node);
	xb_json_unref(pod);
}

static void admissions(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		try_case(&cases[i]);
}

static void no_more_than_there_may_be(void **state)
{
	struct facts facts = { .max_pods = 3 };
	struct xb_json *pod = json_of("{'spec':{%s%s}}", NONE, "");
	struct admit_input in = { .facts = &facts, .pod = xb_json_root(pod), .pods = 2 };
	struct admit_refusal refusal = {};

	assert_int_equal(admit_pod(&in, &refusal), 0);
	in.pods = 3;
	assert_int_equal(admit_pod(&in, &refusal), -EPERM);
	assert_string_equal(refusal.reason, "OutOfpods");
	assert_string_equal(refusal.message, "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3");
	free(refusal.message);
	xb_json_unref(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(admissions), cmocka_unit_test(no_more_than_there_may_be) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
