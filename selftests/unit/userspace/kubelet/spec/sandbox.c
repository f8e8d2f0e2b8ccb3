/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

static Runtime__V1__PodSandboxConfig *sandbox(struct given *g)
{
	Runtime__V1__PodSandboxConfig *s = NULL;
	char *why = NULL;

	if (spec_sandbox(&node, g->in.pod, 2, "/kubepods/burstable/podu-1", g->arena, &s, &why))
		fail_msg("%s", why);
	return s;
}

static void test_metadata(void **state)
{
	_cleanup_given_ struct given g = given(
		"{'metadata':{'name':'web','namespace':'shop','uid':'u-1','labels':{'app':'web','io.kubernetes.pod.uid':'of its own'},"
		"'annotations':{'note':'a\\nb'}},'spec':{'containers':[]}}");
	Runtime__V1__PodSandboxConfig *s = sandbox(&g);
	_cleanup_buf_ struct xb_buf text = {};

	assert_string_equal(s->metadata->name, "web");
	assert_string_equal(s->metadata->namespace_, "shop");
	assert_string_equal(s->metadata->uid, "u-1");
	assert_int_equal(s->metadata->attempt, 2);
	assert_string_equal(s->log_directory, "/var/log/pods/shop_web_u-1");
	assert_string_equal(s->linux_config->cgroup_parent, "/kubepods/burstable/podu-1");
	add_pairs(&text, s->labels, s->n_labels);
	assert_string_equal(text.p, "app=web io.kubernetes.pod.uid=of its own io.kubernetes.pod.name=web io.kubernetes.pod.namespace=shop io.kubernetes.pod.uid=u-1");
	xb_buf_clear(&text);
	add_pairs(&text, s->annotations, s->n_annotations);
	assert_string_equal(text.p, "note=a\nb");
	assert_null(s->linux_config->overhead);
	/* and a runtime can read it: what was packed is the same again */
	xb_buf_clear(&text);
	xb_buf_reserve(&text, runtime__v1__pod_sandbox_config__get_packed_size(s));
	text.n = runtime__v1__pod_sandbox_config__pack(s, (uint8_t *)text.p);
	s = runtime__v1__pod_sandbox_config__unpack(NULL, text.n, (uint8_t *)text.p);
	assert_string_equal(s->log_directory, "/var/log/pods/shop_web_u-1");
	runtime__v1__pod_sandbox_config__free_unpacked(s, NULL);
}

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NAMED(name, spec) "{'metadata':{'name':'" name "','namespace':'shop','uid':'u-1'},'spec':{" spec "'containers':[]}}"
static const struct {
	const char *what, *pod, *hostname; /* after a '!': the fault */
} hostnames[] = {
	{ "the pod's name", NAMED("web", ""), "web" },
	{ "one's own", NAMED("web", "'hostname':'www',"), "www" },
	{ "the host's", NAMED("web", "'hostname':'www','hostNetwork':true,"), "" },
	{ "of a subdomain", NAMED("web", "'subdomain':'sub',"), "web" },
	{ "with its domain", NAMED("web", "'subdomain':'sub','setHostnameAsFQDN':true,"), "web.sub.shop.svc.cluster.local" },
	{ "with a domain it has not", NAMED("web", "'setHostnameAsFQDN':true,"), "web" },
	{ "cut at 63", NAMED(X60 "12345", ""), X60 "123" },
	{ "cut, and not at a dash", NAMED(X60 "1-.5", ""), X60 "1" },
	{ "a name with dots", NAMED("a.b", ""), "a.b" },
	{ "too long for the kernel", NAMED(X60, "'subdomain':'sub','setHostnameAsFQDN':true,"),
	  "!failed to construct FQDN from pod hostname and cluster domain, FQDN " X60 ".sub.shop.svc.cluster.local is too long (64 characters is the max, 87 characters requested)" },
	{ "not a label", NAMED("web", "'hostname':'a.b',"),
	  "!pod Hostname \"a.b\" is not a valid DNS label: must not contain dots" },
	{ "a name of nothing", NAMED("", ""), "!hostname for pod \"\" was invalid: \"\"" },
};

static void test_hostnames(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostnames); i++) {
		_cleanup_given_ struct given g = given(hostnames[i].pod);
		_cleanup_free_ char *why = NULL;
		Runtime__V1__PodSandboxConfig *s = NULL;
		bool fault = *hostnames[i].hostname == '!';
		int r = spec_sandbox(&node, g.in.pod, 0, "", g.arena, &s, &why);

		if (r != (fault ? -EINVAL : 0) || strcmp(r ? why : s->hostname, hostnames[i].hostname + fault))
			fail_msg("%s: %d %s, not %s", hostnames[i].what, r, r ? why : s->hostname, hostnames[i].hostname);
	}
}

static void test_network(void **state)
{
	_cleanup_given_ struct given g = given(POD(
		"'initContainers':[{'name':'i','ports':[{'containerPort':1,'hostPort':1}]},{'name':'s','restartPolicy':'Always','ports':[{'containerPort':15000,'hostPort':15001}]}],",
		",'ports':[{'containerPort':80,'hostPort':8080,'protocol':'TCP','hostIP':'127.0.0.1'},{'containerPort':53,'protocol':'UDP'},{'containerPort':9,'protocol':'SCTP'}]"));
	Runtime__V1__PodSandboxConfig *s = sandbox(&g);
	_cleanup_buf_ struct xb_buf text = {};

	for (size_t i = 0; i < s->n_port_mappings; i++) {
		const Runtime__V1__PortMapping *p = s->port_mappings[i];

		xb_buf_addf(&text, "%s:%d>%d/%d ", p->host_ip, p->host_port, p->container_port, p->protocol);
	}
	assert_string_equal(text.p, ":15001>15000/0 127.0.0.1:8080>80/0 :0>53/1 :0>9/2 ");
	xb_buf_clear(&text);
	add_list(&text, s->dns_config->servers, s->dns_config->n_servers);
	xb_buf_adds(&text, " | ");
	add_list(&text, s->dns_config->searches, s->dns_config->n_searches);
	xb_buf_adds(&text, " | ");
	add_list(&text, s->dns_config->options, s->dns_config->n_options);
	assert_string_equal(text.p, "10.96.0.10 | shop.svc.cluster.local svc.cluster.local cluster.local | ndots:5");
}

static void test_security(void **state)
{
	_cleanup_given_ struct given g = given(POD(
		"'hostPID':true,'initContainers':[{'name':'i','securityContext':{'privileged':true}}],'overhead':{'cpu':'250m','memory':'120Mi'},"
		"'securityContext':{'runAsUser':5,'runAsGroup':6,'fsGroup':7,'seLinuxOptions':{'level':'s0'},"
		"'sysctls':[{'name':'kernel.shm_rmid_forced','value':'1'},{'name':'net/ipv4/conf/eth0.100/forwarding','value':'0'}]},", ""));
	const Runtime__V1__LinuxPodSandboxConfig *l = sandbox(&g)->linux_config;
	_cleanup_buf_ struct xb_buf text = {};

	assert_true(l->security_context->privileged);
	assert_int_equal(l->security_context->run_as_user->value, 5);
	assert_int_equal(l->security_context->run_as_group->value, 6);
	assert_int_equal(l->security_context->n_supplemental_groups, 1);
	assert_int_equal(l->security_context->supplemental_groups[0], 7);
	assert_string_equal(l->security_context->selinux_options->level, "s0");
	assert_int_equal(l->security_context->namespace_options->pid, RUNTIME__V1__NAMESPACE_MODE__NODE);
	assert_int_equal(l->security_context->seccomp->profile_type, RUNTIME__V1__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault);
	add_pairs(&text, l->sysctls, l->n_sysctls);
	assert_string_equal(text.p, "kernel.shm_rmid_forced=1 net.ipv4.conf.eth0/100.forwarding=0");
	assert_int_equal(l->overhead->cpu_quota, 25000);
	assert_int_equal(l->overhead->memory_limit_in_bytes, 120 << 20);
}

/* A runtime refuses a group without a user; the pause does without. */
static void test_group_alone(void **state)
{
	_cleanup_given_ struct given g = given(POD("'securityContext':{'runAsGroup':6},", ""));

	assert_null(sandbox(&g)->linux_config->security_context->run_as_group);
}

static void test_faults(void **state)
{
	_cleanup_given_ struct given g = given(POD("'hostUsers':false,", "")), p = given(POD("'dnsPolicy':'x',", ""));
	_cleanup_free_ char *why = NULL, *why2 = NULL;
	Runtime__V1__PodSandboxConfig *s = NULL;

	assert_int_equal(spec_sandbox(&node, g.in.pod, 0, "", g.arena, &s, &why), -EOPNOTSUPP);
	assert_string_equal(why, "can't set `spec.hostUsers: false`, runtime does not support user namespaces");
	assert_int_equal(spec_sandbox(&node, p.in.pod, 0, "", p.arena, &s, &why2), -EINVAL);
	assert_string_equal(why2, "invalid DNSPolicy=x");
	assert_null(s);
}

/* Whatever allocation fails, that is said, and nothing crashes. */
static void test_no_memory(void **state)
{
	_cleanup_given_ struct given g = given(POD("'securityContext':{'sysctls':[{'name':'a','value':'1'}]},", ",'ports':[{'containerPort':80}]"));

	for (size_t limit = 1; limit < 8192; limit += 16) {
		_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(limit);
		Runtime__V1__PodSandboxConfig *s = NULL;
		int r = spec_sandbox(&node, g.in.pod, 0, "/kubepods", a, &s, NULL);

		assert_int_equal(r, s ? 0 : -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata), cmocka_unit_test(test_hostnames), cmocka_unit_test(test_network),
		cmocka_unit_test(test_security), cmocka_unit_test(test_group_alone),
		cmocka_unit_test(test_faults), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
