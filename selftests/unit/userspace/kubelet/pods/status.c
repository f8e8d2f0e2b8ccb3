/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of cases: a pod and what is seen of it, and its status in one line; then the patches that bring it to the API server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/pods/status.h"
#include "observed_text.h"

enum flags { ENDING = 1, REFUSED = 2 };

struct test_case {
	const char *name, *spec, *observed, *probes;
	const char *waiting;            /* why a does not run */
	enum flags flags;
	const char *reason, *old;
	/* Phase; conditions that are true by their first letter, '-' for the others, in their order (PodReadyToStartContainers,
	 * Initialized, Ready, ContainersReady, PodScheduled); containers: name, state, '!' ready, '+' started, restarts, last state. */
	const char *status;
};

#define MAIN(policy, more) "'restartPolicy':'" policy "','containers':[{'name':'a','image':'i'}" more "]"
#define ONE(policy) MAIN(policy, "")
#define TWO(policy) MAIN(policy, ",{'name':'b','image':'i'}")
#define INITS(policy, inits) "'initContainers':[" inits "]," ONE(policy)
#define I(n) "{'name':'" n "','image':'i'}"
#define SIDECAR(n) "{'name':'" n "','image':'i','restartPolicy':'Always'}"

static const struct test_case cases[] = {
	{ "nothing yet", ONE("Always"), "", .status = "Pending -I--P a:ContainerCreating" },
	{ "sandbox", ONE("Always"), "S0", .status = "Pending PI--P a:ContainerCreating" },
	{ "runs", ONE("Always"), "S0 a0:run", .status = "Running PIRCP a:running!+" },
	{ "one of two", TWO("Always"), "S0 a0:run", .status = "Pending PI--P a:running!+ b:ContainerCreating" },
	{ "not ready", TWO("Always"), "S0 b0:run a0:run", "b-0:ready-", .status = "Running PI--P a:running!+ b:running+" },
	{ "not started", ONE("Always"), "S0 a0:run", "a-0:start?", .status = "Running PI--P a:running" },
	{ "by name", "'containers':[{'name':'b','image':'i'},{'name':'a','image':'i'}]", "S0 a0:run b0:run",
	  .status = "Running PIRCP a:running!+ b:running!+" },

	/* ends */
	{ "succeeded", ONE("Never"), "S0 a0:exit=0", .status = "Succeeded PI--P a:Completed=0" },
	{ "failed", ONE("Never"), "S0 a0:exit=3", .status = "Failed PI--P a:Error=3" },
	{ "one of two failed", TWO("Never"), "S0 a0:exit=3 b0:run", .status = "Running PI--P a:Error=3 b:running!+" },
	{ "to be restarted at once", ONE("Always"), "S0 a0:exit=3", .status = "Running PI--P a:Error=3" },
	{ "back-off", ONE("Always"), "S0 a1:exit=3 a0:exit=2", .waiting = "CrashLoopBackOff", .status = "Running PI--P a:CrashLoopBackOff#1(Error=3)" },
	{ "back-off of a job's pod", ONE("OnFailure"), "S0 a1:exit=3", .waiting = "CrashLoopBackOff",
	  .status = "Running PI--P a:CrashLoopBackOff#1(Error=3)" },
	{ "runs again", ONE("Always"), "S0 a1:run a0:exit=2", .status = "Running PIRCP a:running!+#1(Error=2)" },
	{ "deleted, still running", ONE("Always"), "S0 a0:run", .flags = ENDING, .status = "Running PIRCP a:running!+" },
	{ "deleted, has ended", ONE("Always"), "S0 a0:exit=0", .flags = ENDING, .status = "Succeeded PI--P a:Completed=0" },
	{ "deleted, killed", ONE("Always"), "S0! a0:exit=137", .flags = ENDING, .waiting = "CrashLoopBackOff", .status = "Failed -I--P a:Error=137" },
	{ "deleted before it began", ONE("Always"), "", .flags = ENDING, .status = "Failed -I--P a:ContainerStatusUnknown=137" },
	{ "evicted, still running", ONE("Always"), "S0 a0:run", .flags = ENDING, .reason = "Evicted", .status = "Running PIRCP a:running!+" },
	{ "evicted", ONE("Always"), "S0 a0:exit=0", .flags = ENDING, .reason = "Evicted", .status = "Failed (Evicted) PI--P a:Completed=0" },
	{ "refused", ONE("Always"), "", .flags = ENDING | REFUSED, .reason = "OutOfcpu", .status = "Failed (OutOfcpu)" },

	/* init containers */
	{ "init: nothing yet", INITS("Always", I("i")), "S0", .status = "Pending P---P i:PodInitializing a:PodInitializing" },
	{ "init runs", INITS("Always", I("i")), "S0 i0:run", .status = "Pending P---P i:running+ a:PodInitializing" },
	{ "init is over", INITS("Always", I("i")), "S0 i0:exit=0", .status = "Pending PI--P i:Completed=0! a:PodInitializing" },
	{ "init failed, Never", INITS("Never", I("i")), "S0 i0:exit=1", .status = "Failed P---P i:Error=1 a:PodInitializing" },
	{ "init failed", INITS("Always", I("i")), "S0 i0:exit=1", .status = "Pending P---P i:Error=1 a:PodInitializing" },
	{ "sidecar", INITS("Always", SIDECAR("s")), "S0 s0:run", .status = "Pending PI--P s:running!+ a:PodInitializing" },
	{ "sidecar not ready", INITS("Always", SIDECAR("s")), "S0 a0:run s0:run", "s-0:ready-", .status = "Running PI--P s:running+ a:running!+" },
	{ "sidecar runs on", INITS("Never", SIDECAR("s")), "S0 a0:exit=0 s0:run", .flags = ENDING, .status = "Running PI--P s:running!+ a:Completed=0" },
	{ "sidecar's end does not count", INITS("Never", SIDECAR("s")), "S0 a0:exit=0 s0:exit=137", .flags = ENDING,
	  .status = "Succeeded PI--P s:Error=137 a:Completed=0" },

	/* lost ones */
	{ "lost while it ran", ONE("Always"), "S0", .old = "'containerStatuses':[{'name':'a','restartCount':2,'state':{'running':{}}}]",
	  .status = "Running PI--P a:ContainerCreating#3(ContainerStatusUnknown=137)" },
	{ "told before", ONE("Always"), "S0",
	  .old = "'containerStatuses':[{'name':'a','restartCount':3,'state':{},'lastState':{'terminated':{'reason':'R','exitCode':4}}}]",
	  .status = "Running PI--P a:ContainerCreating#3(R=4)" },

	/* gates */
	{ "a gate that nobody opened", "'readinessGates':[{'conditionType':'x/y'}]," ONE("Always"), "S0 a0:run",
	  .status = "Running PI-CP a:running!+" },
	{ "an open one", "'readinessGates':[{'conditionType':'x/y'}]," ONE("Always"), "S0 a0:run",
	  .old = "'conditions':[{'type':'x/y','status':'True'}]", .status = "Running PIRCP a:running!+" },
};

static const struct facts facts = { .node_name = "n", .ips = { "192.0.2.1" } };

static void add_terminated(struct xb_jv t, struct xb_buf *out)
{
	int64_t code = -1;

	xb_jv_i64(xb_jv_get(t, "exitCode"), &code);
	xb_buf_addf(out, "%.*s=%d", XB_SV_ARG(xb_jv_text(xb_jv_get(t, "reason"))), (int)code);
}

static void add_container(struct xb_jv c, struct xb_buf *out)
{
	struct xb_jv state = xb_jv_get(c, "state"), last = xb_jv_path(c, "lastState", "terminated");
	int64_t restarts = 0;

	xb_buf_addf(out, " %.*s:", XB_SV_ARG(xb_jv_text(xb_jv_get(c, "name"))));
	if (xb_jv_is(xb_jv_get(state, "running")))
		xb_buf_adds(out, "running");
	else if (xb_jv_is(xb_jv_get(state, "terminated")))
		add_terminated(xb_jv_get(state, "terminated"), out);
	else
		xb_buf_addsv(out, xb_jv_text(xb_jv_path(state, "waiting", "reason")));
	xb_buf_adds(out, xb_jv_true(xb_jv_get(c, "ready")) ? "!" : "");
	xb_buf_adds(out, xb_jv_true(xb_jv_get(c, "started")) ? "+" : "");
	xb_jv_i64(xb_jv_get(c, "restartCount"), &restarts);
	if (restarts)
		xb_buf_addf(out, "#%d", (int)restarts);
	if (xb_jv_is(last)) {
		xb_buf_adds(out, "(");
		add_terminated(last, out);
		xb_buf_adds(out, ")");
	}
}

static char *status_text(struct xb_jv s)
{
	static const char *const lists[] = { "initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses" };
	struct xb_buf out = {};

	xb_buf_addsv(&out, xb_jv_text(xb_jv_get(s, "phase")));
	if (xb_jv_is(xb_jv_get(s, "reason")))
		xb_buf_addf(&out, " (%.*s)", XB_SV_ARG(xb_jv_text(xb_jv_get(s, "reason"))));
	if (xb_jv_count(xb_jv_get(s, "conditions")))
		xb_buf_adds(&out, " ");
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(s, "conditions")); xb_jit_next(&it);)
		xb_buf_addc(&out, xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True")) ? *xb_jv_text(xb_jv_get(it.value, "type")).p : '-');
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(s, lists[i])); xb_jit_next(&it);)
			add_container(it.value, &out);
	return out.p;
}

static bool waits(void *arg, struct xb_sv name, struct status_waiting *ret)
{
	const struct test_case *c = arg;

	if (!c->waiting || !xb_sv_is(name, "a"))
		return false;
	*ret = (struct status_waiting){ c->waiting, "why" };
	return true;
}

static const struct test_case *now_tested;
static enum probe_result probe(void *arg, const char *id, enum probe_kind kind)
{
	return probe_of((void *)now_tested->probes, id, kind);
}

static struct xb_json *make(const struct test_case *c, struct xb_json *pod, struct xb_jv old, int64_t now_us)
{
	struct observed o = observed_of(c->observed, xb_json_root(pod));
	struct status_input in = {
		.facts = &facts, .pod = xb_json_root(pod), .old = old, .server = old, .observed = &o, .now_us = now_us,
		.ending = c->flags & ENDING, .refused = c->flags & REFUSED, .reason = c->reason, .probe = probe, .waiting = waits,
		.arg = (void *)c,
	};
	struct xb_buf text = {};
	struct xb_json *doc;
	enum status_phase phase;

	now_tested = c;
	assert_int_equal(status_make(&in, &text, &phase), 0);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	xb_buf_done(&text);
	observed_done(&o);
	return doc;
}

static struct xb_json *pod_of(const char *spec)
{
	struct xb_buf text = {};
	struct xb_json *doc;

	xb_buf_addf(&text, "{'metadata':{'name':'p','namespace':'n','uid':'u'},'spec':{%s}}", spec);
	doc = json_of(text.p);
	xb_buf_done(&text);
	return doc;
}

static void statuses(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct test_case *c = &cases[i];
		struct xb_buf text = {};
		struct xb_json *pod = pod_of(c->spec), *old, *doc;
		char *got;

		xb_buf_addf(&text, "{%s}", c->old ? c->old : "");
		old = json_of(text.p);
		doc = make(c, pod, xb_json_root(old), 1700000000 * 1000000LL);
		got = status_text(xb_json_root(doc));
		if (strcmp(got, c->status))
			fail_msg("%s:\nexpected: %s\n     got: %s", c->name, c->status, got);
		free(got);
		xb_json_unref(doc);
		xb_json_unref(old);
		xb_json_unref(pod);
		xb_buf_done(&text);
	}
}

/* The words that kubectl describe shows, and what goes on from one status to the next. */
static void words_and_times(void **state)
{
	static const struct test_case first = { .spec = INITS("Always", I("i") "," I("j")), .observed = "S0" };
	static const struct test_case second = { .spec = INITS("Always", I("i") "," I("j")), .observed = "S0 a0:run j0:exit=0 i0:exit=0@1,2,3" };
	struct xb_json *pod = pod_of(first.spec), *one = make(&first, pod, (struct xb_jv){}, 1700000000 * 1000000LL), *two;
	const char *text = xb_json_bytes(one).p;

	assert_non_null(strstr(text, "{\"type\":\"Initialized\",\"status\":\"False\",\"lastProbeTime\":null,\"lastTransitionTime\":"
				     "\"2023-11-14T22:13:20Z\",\"reason\":\"ContainersNotInitialized\","
				     "\"message\":\"containers with incomplete status: [i j]\"}"));
	assert_non_null(strstr(text, "\"reason\":\"ContainersNotReady\",\"message\":\"containers with unready status: [a]\"}"));
	assert_non_null(strstr(text, "\"hostIP\":\"192.0.2.1\",\"hostIPs\":[{\"ip\":\"192.0.2.1\"}],\"podIP\":\"10.1.0.1\",\"podIPs\":[{\"ip\":\"10.1.0.1\"}]"));
	two = make(&second, pod, xb_json_root(one), 1700000100 * 1000000LL);
	text = xb_json_bytes(two).p;
	assert_non_null(strstr(text, "{\"type\":\"PodReadyToStartContainers\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":"
				     "\"2023-11-14T22:13:20Z\"}"));
	assert_non_null(strstr(text, "{\"type\":\"Ready\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"2023-11-14T22:15:00Z\"}"));
	assert_non_null(strstr(text, "\"startTime\":\"2023-11-14T22:13:20Z\",\"qosClass\":\"BestEffort\""));
	assert_non_null(strstr(text, "{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\",\"startedAt\":\"1970-01-01T00:00:02Z\","
				     "\"finishedAt\":\"1970-01-01T00:00:03Z\",\"containerID\":\"containerd://i-0\"}}"));
	xb_json_unref(two);
	xb_json_unref(one);
	xb_json_unref(pod);
}

static const struct {
	const char *name, *ours, *server, *patch; /* patch: of the status; NULL: they are the same */
} patches[] = {
	{ "the same, in another order", "{'phase':'Running','startTime':'t'}", "{'startTime':'t','phase':'Running','x':1}", NULL },
	{ "nothing, null and empty are one", "{'containerStatuses':[{'name':'a','lastState':{},'t':null}]}", "{'containerStatuses':[{'name':'a'}]}", NULL },
	{ "an escape", "{'reason':'\\u0061b'}", "{'reason':'ab'}", NULL },
	{ "others' conditions stay", "{'conditions':[{'type':'Ready','status':'True'}]}",
	  "{'conditions':[{'type':'x','status':'True'},{'type':'Ready','status':'True','lastProbeTime':null}]}", NULL },
	{ "what differs only", "{'phase':'Running','startTime':'t'}", "{'phase':'Pending','startTime':'t'}", "{'phase':'Running'}" },
	{ "a condition loses its reason", "{'conditions':[{'type':'Ready','status':'True'}]}",
	  "{'conditions':[{'type':'Ready','status':'False','reason':'R','message':'m'}]}",
	  "{'conditions':[{'type':'Ready','status':'True','reason':null,'message':null}]}" },
	{ "what there is no more", "{'phase':'Running'}", "{'phase':'Running','podIP':'1','reason':'R'}", "{'reason':null,'podIP':null}" },
	{ "addresses are not merged", "{'podIPs':[{'ip':'2'}]}", "{'podIPs':[{'ip':'1'}]}", "{'podIPs':[{'ip':'2'},{'$patch':'replace'}]}" },
	{ "a list that became shorter", "{'containerStatuses':[1]}", "{'containerStatuses':[1,2]}", "{'containerStatuses':[1]}" },
};

static void differences(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(patches); i++) {
		struct xb_json *ours = json_of(patches[i].ours), *server = json_of(patches[i].server), *want;
		struct xb_buf got = {}, text = {};
		bool same = status_same(xb_json_root(ours), xb_json_root(server));

		if (same != !patches[i].patch)
			fail_msg("%s: %s", patches[i].name, same ? "taken for the same" : "taken for different");
		if (!same) {
			xb_buf_addf(&text, "{'metadata':{'uid':'u'},'status':%s}", patches[i].patch);
			want = json_of(text.p);
			assert_int_equal(status_patch(xb_json_root(ours), xb_json_root(server), XB_SV("u"), &got), 0);
			assert_string_equal(got.p, xb_json_bytes(want).p);
			xb_json_unref(want);
		}
		xb_buf_done(&text);
		xb_buf_done(&got);
		xb_json_unref(ours);
		xb_json_unref(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(statuses), cmocka_unit_test(words_and_times), cmocka_unit_test(differences) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
