/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../../../../../userspace/kubelet/spec/resources.h"
#include "fixture.h"

#define RES(requests, limits) ",'resources':{'requests':{" requests "},'limits':{" limits "}}"
static const struct {
	const char *what, *pod, *resources; /* "shares quota/period memory oom [huge pages]" */
} cases[] = {
	{ "nothing", POD("", ""), "2 0/100000 0 1000" },
	{ "guaranteed", POD("", RES("'cpu':'500m','memory':'256Mi'", "'cpu':'500m','memory':'256Mi'")), "512 50000/100000 268435456 -997" },
	{ "limits alone", POD("", ",'resources':{'limits':{'cpu':'2'}}"), "2048 200000/100000 0 999" },
	{ "little time", POD("", RES("'cpu':'1m'", "'cpu':'2m'")), "2 1000/100000 0 999" },
	{ "a request of no time", POD("", RES("'cpu':'0'", "'cpu':'1'")), "2 100000/100000 0 999" },
	{ "much time", POD("", RES("'cpu':'1000'", "")), "262144 0/100000 0 999" },
	{ "all the time there is", POD("", RES("'cpu':'9e18'", "'cpu':'9e18'")), "262144 9223372036854775807/100000 0 999" },
	{ "a tenth of the memory", POD("", RES("'memory':'800M'", "")), "2 0/100000 0 900" },
	{ "more than the memory", POD("", RES("'memory':'16G'", "")), "2 0/100000 0 3" },
	{ "system-node-critical", POD("'priorityClassName':'system-node-critical','priority':2000001000,", ""), "2 0/100000 0 -997" },
	{ "only so called", POD("'priorityClassName':'system-node-critical','priority':10,", ""), "2 0/100000 0 1000" },
	{ "huge pages", POD("", RES("", "'hugepages-2Mi':'4Mi','memory':'1Gi','hugepages-1Gi':'2Gi'")), "2 0/100000 1073741824 999 2MB:4194304 1GB:2147483648" },
	{ "huge pages of a size that is none", POD("", RES("", "'hugepages-x':'4Mi','memory':'1Mi'")), "2 0/100000 1048576 999" },
};

static void write_resources(struct xb_buf *out, const Runtime__V1__LinuxContainerResources *r)
{
	xb_buf_addf(out, "%lld %lld/%lld %lld %lld", (long long)r->cpu_shares, (long long)r->cpu_quota, (long long)r->cpu_period,
		    (long long)r->memory_limit_in_bytes, (long long)r->oom_score_adj);
	for (size_t i = 0; i < r->n_hugepage_limits; i++)
		xb_buf_addf(out, " %s:%llu", r->hugepage_limits[i]->page_size, (unsigned long long)r->hugepage_limits[i]->limit);
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_given_ struct given g = given(cases[i].pod);
		_cleanup_buf_ struct xb_buf text = {};
		struct make m = { .a = g.arena };
		Runtime__V1__LinuxContainerResources res = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;

		resources_of_container(&m, &g.in, &res);
		write_resources(&text, &res);
		if (m.failed || strcmp(text.p, cases[i].resources))
			fail_msg("%s: %s, not %s", cases[i].what, text.p, cases[i].resources);
	}
}

static void test_without_quota(void **state)
{
	_cleanup_given_ struct given g = given(POD("", RES("'cpu':'500m'", "'cpu':'1'")));
	Runtime__V1__LinuxContainerResources res = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;
	struct facts f = node;

	f.cpu_cfs_quota = false;
	g.in.facts = &f;
	resources_of_container(&(struct make){ .a = g.arena }, &g.in, &res);
	assert_int_equal(res.cpu_shares, 512);
	assert_int_equal(res.cpu_quota, 0);
	assert_int_equal(res.cpu_period, 0);
}

/* A sidecar that asks for nothing is as safe as the container it serves; an init container is not. */
static void test_sidecar(void **state)
{
	_cleanup_given_ struct given g = given(POD("'initContainers':[{'name':'s','restartPolicy':'Always'},{'name':'i'}],", RES("'memory':'800M'", "")));
	Runtime__V1__LinuxContainerResources res = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;

	g.in.container = spec_find(g.in.pod, XB_SV("s"), NULL);
	resources_of_container(&(struct make){ .a = g.arena }, &g.in, &res);
	assert_int_equal(res.oom_score_adj, 900);
	g.in.container = spec_find(g.in.pod, XB_SV("i"), NULL);
	resources_of_container(&(struct make){ .a = g.arena }, &g.in, &res);
	assert_int_equal(res.oom_score_adj, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_without_quota), cmocka_unit_test(test_sidecar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
