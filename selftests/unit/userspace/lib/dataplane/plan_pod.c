/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of pods, and in one line of text the host ports that should be in the data plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include "xb/plan.h"

#define RUNNING "'status':{'phase':'Running','podIP':'10.1.0.1','podIPs':[{'ip':'10.1.0.1'}]}"
#define DUAL "'status':{'phase':'Running','podIP':'fd00::1','podIPs':[{'ip':'fd00::1'},{'ip':'10.1.0.1'}]}"
#define PORTS(ports) "'spec':{'containers':[{'name':'a'},{'name':'b','ports':[" ports "]}]}"
#define PORT(more) "{'containerPort':80,'hostPort':8080" more "}"

/* quotes in the JSON are written as ' */
static const struct test_case {
	const char *name, *pod;
	const char *plan;       /* "name family/proto frontend > backend"; ports separated by "; " */
} cases[] = {
	{ "a host port", PORTS(PORT()) "," RUNNING, "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "UDP and SCTP", PORTS(PORT(",'protocol':'UDP'") "," PORT(",'protocol':'SCTP'")) "," RUNNING,
	  "ns/web:8080/UDP 4/17 0.0.0.0:8080 > 10.1.0.1:80; ns/web:8080/SCTP 4/132 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "at one address", PORTS(PORT(",'hostIP':'192.0.2.1'")) "," DUAL, "ns/web:192.0.2.1:8080/TCP 4/6 192.0.2.1:8080 > 10.1.0.1:80" },
	{ "at one address of IPv6", PORTS(PORT(",'hostIP':'2001:db8::1'")) "," DUAL,
	  "ns/web:[2001:db8::1]:8080/TCP 10/6 2001:db8::1:8080 > fd00::1:80" },
	{ "at two addresses", PORTS(PORT(",'hostIP':'192.0.2.1'") "," "{'containerPort':81,'hostPort':8080,'hostIP':'192.0.2.2'}") "," RUNNING,
	  "ns/web:192.0.2.1:8080/TCP 4/6 192.0.2.1:8080 > 10.1.0.1:80; ns/web:192.0.2.2:8080/TCP 4/6 192.0.2.2:8080 > 10.1.0.1:81" },
	{ "at any address of a family", PORTS(PORT(",'hostIP':'0.0.0.0'")) "," DUAL, "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "both families", PORTS(PORT()) "," DUAL,
	  "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80; ns/web:8080/TCP 10/6 :::8080 > fd00::1:80" },
	{ "an address of a family that the pod has not", PORTS(PORT(",'hostIP':'2001:db8::1'")) "," RUNNING, "" },
	{ "podIP alone", PORTS(PORT()) ",'status':{'phase':'Running','podIP':'10.1.0.1'}", "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "a sidecar's", "'spec':{'containers':[{}],'initContainers':[{'restartPolicy':'Always','ports':[" PORT() "]}]}," RUNNING,
	  "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "another init container's is over", "'spec':{'containers':[{}],'initContainers':[{'ports':[" PORT() "]}]}," RUNNING, "" },
	{ "no host port", PORTS("{'containerPort':80}") "," RUNNING, "" },
	{ "host network", "'spec':{'hostNetwork':true,'containers':[{'ports':[" PORT() "]}]}," RUNNING, "" },
	{ "not yet running", PORTS(PORT()) ",'status':{'phase':'Pending','podIP':'10.1.0.1'}", "" },
	{ "no longer running", PORTS(PORT()) ",'status':{'phase':'Succeeded','podIP':'10.1.0.1'}", "" },
	{ "without an address", PORTS(PORT()) ",'status':{'phase':'Running'}", "" },
	{ "terminating, but running", "'metadata':{'name':'web','namespace':'ns','deletionTimestamp':'2026-01-01T00:00:00Z'}," PORTS(PORT()) "," RUNNING,
	  "ns/web:8080/TCP 4/6 0.0.0.0:8080 > 10.1.0.1:80" },
	{ "ports that are none", PORTS("{'containerPort':80,'hostPort':0},{'containerPort':0,'hostPort':1},{'hostPort':70000,'containerPort':1},"
				       "{'containerPort':80,'hostPort':8080,'protocol':'XTP'},{'containerPort':80,'hostPort':8080,'hostIP':'x'},null") ","
	  RUNNING, "" },
};

static void print(const struct xb_plan *plan, struct xb_buf *out)
{
	char text[INET6_ADDRSTRLEN];

	xb_buf_adds(out, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct xb_plan_port *p = &plan->v[i];
		const struct xb_plan_backend *b = p->set[XB_SCOPE_INTERNAL].backends;

		assert_int_equal(p->n_frontends, 1);
		assert_int_equal(p->frontends->kind, XB_FRONTEND_NODE_PORT);
		for (int s = 0; s < XB_SCOPES; s++) {
			assert_int_equal(p->set[s].n, 1);
			assert_true(p->set[s].backends->local && xb_plan_set_equal(&p->set[s], &p->set[0]));
		}
		xb_buf_addf(out, "%s%s %d/%d ", i ? "; " : "", p->name, p->family == AF_INET ? 4 : 10, p->proto);
		xb_buf_addf(out, "%s:%u", inet_ntop(p->family, &p->frontends->addr, text, sizeof(text)), p->frontends->port);
		xb_buf_addf(out, " > %s:%u", inet_ntop(p->family, &b->addr, text, sizeof(text)), b->port);
	}
}

static void every_case(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
		struct xb_buf json = {}, text = {};
		struct xb_plan plan = {};

		xb_buf_addf(&json, "{%s%s}", strstr(cases[i].pod, "'metadata'") ? "" : "'metadata':{'name':'web','namespace':'ns'},", cases[i].pod);
		for (size_t c = 0; c < json.n; c++)
			if (json.p[c] == '\'')
				json.p[c] = '"';
		assert_int_equal(xb_json_parse(xb_buf_sv(&json), NULL, &doc, NULL), 0);
		assert_int_equal(xb_plan_make_pod(xb_json_root(doc), &plan), 0);
		print(&plan, &text);
		if (strcmp(text.p ? text.p : "", cases[i].plan))
			fail_msg("%s:\n  expected %s\n  got      %s", cases[i].name, cases[i].plan, text.p);
		xb_plan_done(&plan);
		xb_buf_done(&json);
		xb_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_case) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
