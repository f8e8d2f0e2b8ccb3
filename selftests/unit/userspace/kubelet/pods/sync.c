/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of cases: a pod, what the runtime has and its probes say, and in one line of text what is to be done first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/pods/sync.h"
#include "observed_text.h"

struct test_case {
	const char *name;
	const char *spec, *more;        /* of the pod; more: "'status':{...}," or the like */
	const char *observed, *probes;
	const char *plan;
};

#define MAIN(policy, more) "'restartPolicy':'" policy "','containers':[{'name':'a','image':'i'}" more "]"
#define ONE(policy) MAIN(policy, "")
#define TWO(policy) MAIN(policy, ",{'name':'b','image':'i'}")
#define INITS(policy, inits) "'initContainers':[" inits "]," ONE(policy)
#define I(n) "{'name':'" n "','image':'i'}"
#define SIDECAR(n) "{'name':'" n "','image':'i','restartPolicy':'Always'}"

static const struct test_case cases[] = {
	/* the sandbox */
	{ "a new pod", ONE("Always"), "", "", "", "sandbox 0" },
	{ "its sandbox is there", ONE("Always"), "", "S0", "", "start a#0" },
	{ "its sandbox is dead", ONE("Always"), "", "S0! a0:run", "", "sandbox 1 changed" },
	{ "two sandboxes are ready", ONE("Always"), "", "S1 S0", "", "sandbox 2 changed" },
	{ "it was made for the pod's network, not the host's", "'hostNetwork':true," ONE("Always"), "", "S0 a0:run", "", "sandbox 1 changed" },
	{ "the host's network", "'hostNetwork':true," ONE("Always"), "", "S0h a0:run", "", "" },
	{ "never again, once anything has run", ONE("Never"), "", "S0! a0:exit=0", "", "end" },
	{ "never, but nothing has run", ONE("Never"), "", "S0!", "", "sandbox 1 changed" },
	{ "all has succeeded", ONE("OnFailure"), "", "S0! a0:exit=0", "", "end" },
	{ "one has failed", TWO("OnFailure"), "", "S0! a0:exit=0 b0:exit=1", "", "sandbox 1 changed" },
	{ "after another sandbox, at once", ONE("Always"), "", "S1 S0! a5:exit=255@1,2,999/0", "", "start a#6" },
	{ "init containers run again", INITS("Always", I("i")), "", "S1 S0! a0:exit=1/0 i0:exit=0/0", "", "start i#1" },

	/* restarts */
	{ "all run", TWO("Always"), "", "S0 a0:run b0:run", "", "" },
	{ "made, not started", ONE("Never"), "", "S0 a0:created", "", "start a#1" },
	{ "the first end, Always", ONE("Always"), "", "S0 a0:exit=0", "", "start a#1" },
	{ "OnFailure, failed", ONE("OnFailure"), "", "S0 a0:exit=1", "", "start a#1" },
	{ "OnFailure, succeeded", ONE("OnFailure"), "", "S0 a0:exit=0", "", "end" },
	{ "Never", ONE("Never"), "", "S0 a0:exit=1", "", "end" },
	{ "Never, another runs", TWO("Never"), "", "S0 a0:exit=1 b0:run", "", "" },
	{ "no policy is Always", "'containers':[{'name':'a','image':'i'}]", "", "S0 a0:exit=0", "", "start a#1" },
	{ "in the order of the spec", TWO("Always"), "", "S0 b0:exit=1 a0:exit=1", "", "start a#1; start b#1" },
	{ "known by the API server alone", ONE("Always"), "'status':{'containerStatuses':[{'name':'a','restartCount':4,'containerID':'x'}]},",
	  "S0", "", "start a#5" },
	{ "as it tells when the container is lost", ONE("Always"), "'status':{'containerStatuses':[{'name':'a','restartCount':5}]},", "S0", "",
	  "start a#5" },

	/* back-off: made, begun, ended */
	{ "the second waits 10 s", ONE("Always"), "", "S0 a1:exit=1@991,992,995 a0:exit=1@980,981,990", "", "start a#2 at 1005 after 10s" },
	{ "the third 20 s", ONE("Always"), "", "S0 a2:exit=1@980,981,990 a1:exit=1@950,951,969", "", "start a#3 at 1010 after 20s" },
	{ "then 40 s", ONE("Always"), "", "S0 a3:exit=1@980,981,990 a2:exit=1@950,951,959", "", "start a#4 at 1030 after 40s" },
	{ "it is over", ONE("Always"), "", "S0 a1:exit=1@891,892,895 a0:exit=1@880,881,890", "", "start a#2 at 905 after 10s" },
	{ "at most 5 min", ONE("Always"), "", "S0 a9:exit=1@980,981,990 a8:exit=1@650,651,659", "", "start a#10 at 1290 after 300s" },
	{ "a kubelet that was away does not lengthen it", ONE("Always"), "", "S0 a1:exit=1@980,981,990 a0:exit=1@1,2,10", "",
	  "start a#2 at 1000 after 10s" },
	{ "ten minutes of running forgive", ONE("Always"), "", "S0 a7:exit=1@100,101,990 a6:exit=1@1,2,3", "", "start a#8" },
	{ "and it begins anew", ONE("Always"), "", "S0 a8:exit=1@990,991,992 a7:exit=1@100,101,990", "", "start a#9 at 1002 after 10s" },
	{ "nothing known before it: by its number", ONE("Always"), "", "S0 a3:exit=1@980,981,990", "", "start a#4 at 1030 after 40s" },
	{ "a start that an older kubelet's end may have cut off", ONE("Always"), "", "S0 a3:exit=128!@980,0,490", "", "start a#4" },
	{ "one of this kubelet's", ONE("Always"), "", "S0 a3:exit=128!@980,0,510", "", "start a#4 at 550 after 40s" },
	{ "one in back-off does not hold another", TWO("Always"), "", "S0 a1:exit=1@991,992,995 b0:exit=1", "",
	  "start a#2 at 1005 after 10s; start b#1" },

	/* probes and changes */
	{ "liveness", TWO("Always"), "", "S0 a0:run b0:run", "a-0:live-", "kill a-0* 'Container a failed liveness probe, will be restarted'" },
	{ "liveness, Never", TWO("Never"), "", "S0 a0:run b0:run", "a-0:live-", "kill a-0 'Container a failed liveness probe'" },
	{ "liveness, Never, the only one: its end is waited for", ONE("Never"), "", "S0 a0:run", "a-0:live-",
	  "kill a-0 'Container a failed liveness probe'" },
	{ "startup", ONE("OnFailure"), "", "S0 a0:run", "a-0:start-", "kill a-0* 'Container a failed startup probe, will be restarted'" },
	{ "not ready is no reason", ONE("Always"), "", "S0 a0:run", "a-0:ready-", "" },
	{ "another image", ONE("Never"), "", "S0 a0:run?", "", "kill a-0* 'Container a definition changed, will be restarted'" },
	{ "and then", ONE("Never"), "", "S0 a0:exit=137*", "", "start a#1" },
	{ "unknown", ONE("Always"), "", "S0 a0:unknown", "", "kill a-0* 'Container is in \"CONTAINER_UNKNOWN\" state, try killing it before restart'" },

	/* init containers */
	{ "the first", INITS("Always", I("i") "," I("j")), "", "S0", "", "start i#0" },
	{ "it runs", INITS("Always", I("i") "," I("j")), "", "S0 i0:run", "", "" },
	{ "the second", INITS("Always", I("i") "," I("j")), "", "S0 i0:exit=0", "", "start j#0" },
	{ "then the main one", INITS("Always", I("i") "," I("j")), "", "S0 j0:exit=0 i0:exit=0", "", "start a#0" },
	{ "also when somebody removed the others", INITS("Always", I("i") "," I("j")), "", "S0 j0:exit=0", "", "start a#0" },
	{ "one fails", INITS("Always", I("i") "," I("j")), "", "S0 i0:exit=1", "", "start i#1" },
	{ "and waits as others do", INITS("OnFailure", I("i")), "", "S0 i1:exit=1@991,992,995 i0:exit=1@980,981,990", "",
	  "start i#2 at 1005 after 10s" },
	{ "one fails, Never", INITS("Never", I("i")), "", "S0 i0:exit=1", "", "end" },
	{ "main ones run: init ones are the past", INITS("Always", I("i")), "", "S0 a0:run", "", "" },
	{ "nor do they run again when a main one ends", INITS("Always", I("i")), "", "S0 a0:exit=1", "", "start a#1" },

	/* sidecars */
	{ "a sidecar first", INITS("Never", SIDECAR("s") "," I("i")), "", "S0", "", "start s#0" },
	{ "started: the next", INITS("Never", SIDECAR("s") "," I("i")), "", "S0 s0:run", "", "start i#0" },
	{ "its startup probe is not through", INITS("Never", SIDECAR("s") "," I("i")), "", "S0 s0:run", "s-0:start?", "" },
	{ "its startup probe failed", INITS("Never", SIDECAR("s") "," I("i")), "", "S0 s0:run", "s-0:start-",
	  "kill s-0* 'Init container s failed startup probe, will be restarted'" },
	{ "it ends while another is initialised", INITS("Never", SIDECAR("s") "," I("i")), "", "S0 i0:run s0:exit=1", "", "start s#1" },
	{ "it is the last one", INITS("Never", SIDECAR("s")), "", "S0 s0:run", "", "start a#0" },
	{ "it ends later, whatever the policy", INITS("Never", SIDECAR("s")), "", "S0 a0:run s0:exit=0", "", "start s#1" },
	{ "two end: in their order", INITS("Never", SIDECAR("s") "," SIDECAR("t")), "", "S0 a0:run t0:exit=0 s0:exit=0", "",
	  "start s#1; start t#1" },
	{ "its liveness", INITS("Never", SIDECAR("s")), "", "S0 a0:run s0:run", "s-0:live-",
	  "kill s-0* 'Init container s failed liveness probe, will be restarted'" },
	{ "it keeps no pod alive", INITS("Never", SIDECAR("s")), "", "S0 a0:exit=0 s0:run", "", "end" },
	{ "nor is it started for one that is over", INITS("OnFailure", SIDECAR("s")), "", "S0 a0:exit=0 s0:exit=1", "", "end" },

	/* ephemeral containers */
	{ "beside init containers", "'ephemeralContainers':[{'name':'e','image':'i'}]," INITS("Always", I("i")), "", "S0 i0:run", "", "start e#0" },
	{ "once only", "'ephemeralContainers':[{'name':'e','image':'i'}]," ONE("Always"), "", "S0 a0:run e0:exit=1", "", "" },
};

static char *plan_text(const struct sync_plan *p)
{
	struct xb_buf out = {};

	if (p->kill_pod)
		xb_buf_adds(&out, "end");
	if (p->create_sandbox)
		xb_buf_addf(&out, "sandbox %u%s", p->sandbox_attempt, p->sandbox_changed ? " changed" : "");
	for (size_t i = 0; i < p->n_kills; i++)
		xb_buf_addf(&out, "%skill %s%s '%s'", out.n ? "; " : "", p->kills[i].observed->id, p->kills[i].replaced ? "*" : "", p->kills[i].message);
	for (size_t i = 0; i < p->n_starts; i++) {
		const struct sync_start *s = &p->starts[i];

		xb_buf_addf(&out, "%sstart %.*s#%u", out.n ? "; " : "", XB_SV_ARG(s->name), s->attempt);
		if (s->not_before_ns)
			xb_buf_addf(&out, " at %lld after %us", (long long)(s->not_before_ns / XB_SECOND), s->delay_s);
	}
	xb_buf_adds(&out, "");
	return out.p ? out.p : strdup("");
}

static void plans(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct test_case *c = &cases[i];
		struct xb_buf text = {};
		struct xb_json *doc;
		struct observed o;
		struct sync_plan p = {};
		char *plan;

		xb_buf_addf(&text, "{%s'metadata':{'name':'p','namespace':'n','uid':'u'},'spec':{%s}}", c->more, c->spec);
		doc = json_of(text.p);
		o = observed_of(c->observed, xb_json_root(doc));
		assert_int_equal(sync_plan(&(struct sync_input){ .pod = xb_json_root(doc), .status = xb_jv_get(xb_json_root(doc), "status"),
								 .observed = &o, .began_ns = 500 * XB_SECOND,
								 .probe = probe_of, .arg = (void *)c->probes }, &p), 0);
		plan = plan_text(&p);
		if (strcmp(plan, c->plan))
			fail_msg("%s:\nexpected: %s\n     got: %s", c->name, c->plan, plan);
		free(plan);
		sync_plan_done(&p);
		observed_done(&o);
		xb_json_unref(doc);
		xb_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plans) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
