/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>

#include "../../../../../userspace/kubelet/spec/dns.h"
#include "fixture.h"

static char resolv[] = "/tmp/xebec-dns-XXXXXX";
static const char host_text[] =
	"# of the node\n;and this\nnameserver 10.1.1.1\n\tnameserver\t10.1.1.2  \nsearch old.example\noptions timeout:1 attempts:2\n"
	"search corp.example. svc.cluster.local .\noptions attempts:2 rotate\nnameserver\nsortlist 1.2.3.4\n";

#define CLUSTER "10.96.0.10 | shop.svc.cluster.local svc.cluster.local cluster.local"
#define TEN(p) p "0 " p "1 " p "2 " p "3 " p "4 " p "5 " p "6 " p "7 " p "8 " p "9"

static const struct {
	const char *what, *spec;        /* of the pod */
	const char *dns;                /* "servers | searches | options", or after a '!' the fault */
	enum { HOST_FILE = 0, NO_FILE = 1, NO_CLUSTER = 2, NO_DOMAIN = 4, BAD_FILE = 8 } node;
} cases[] = {
	{ "cluster first", "'dnsPolicy':'ClusterFirst',", CLUSTER " corp.example . | ndots:5", HOST_FILE },
	{ "which is the default", "", CLUSTER " corp.example . | ndots:5", HOST_FILE },
	{ "not in the host's network", "'dnsPolicy':'ClusterFirst','hostNetwork':true,", "10.1.1.1 10.1.1.2 | corp.example svc.cluster.local . | timeout:1 attempts:2 rotate", HOST_FILE },
	{ "but when asked for", "'dnsPolicy':'ClusterFirstWithHostNet','hostNetwork':true,", CLUSTER " corp.example . | ndots:5", HOST_FILE },
	{ "default is the node's", "'dnsPolicy':'Default',", "10.1.1.1 10.1.1.2 | corp.example svc.cluster.local . | timeout:1 attempts:2 rotate", HOST_FILE },
	{ "none", "'dnsPolicy':'None',", " |  | ", HOST_FILE },
	{ "without a cluster DNS", "'dnsPolicy':'ClusterFirst',", "10.1.1.1 10.1.1.2 | corp.example svc.cluster.local . | timeout:1 attempts:2 rotate", NO_CLUSTER },
	{ "without a domain", "", "10.96.0.10 | corp.example svc.cluster.local . | ndots:5", NO_DOMAIN },
	{ "without a resolv.conf", "", CLUSTER " | ndots:5", NO_FILE },
	{ "without either: nobody is asked", "'dnsPolicy':'Default',", "127.0.0.1 ::1 | . | ", NO_FILE },
	{ "a policy that is none", "'dnsPolicy':'First',", "!invalid DNSPolicy=First", HOST_FILE },
	{ "a file that is not there", "", "!could not open \"/nowhere/resolv.conf\": No such file or directory", BAD_FILE },

	/* dnsConfig */
	{ "one's own", "'dnsPolicy':'None','dnsConfig':{'nameservers':['1.1.1.1','1.1.1.1'],'searches':['a.b'],'options':[{'name':'ndots','value':'2'},{'name':'edns0'}]},",
	  "1.1.1.1 | a.b | ndots:2 edns0", HOST_FILE },
	{ "added, and options replaced", "'dnsConfig':{'nameservers':['1.1.1.1','10.96.0.10'],'searches':['a.b','cluster.local'],'options':[{'name':'edns0'},{'name':'ndots','value':'2'},{'name':'ndot'}]},",
	  "10.96.0.10 1.1.1.1 | shop.svc.cluster.local svc.cluster.local cluster.local a.b | ndots:2 edns0 ndot", NO_FILE },

	/* limits */
	{ "three servers", "'dnsPolicy':'None','dnsConfig':{'nameservers':['1.1.1.1','1.1.1.2','1.1.1.3','1.1.1.4']},", "1.1.1.1 1.1.1.2 1.1.1.3 |  |  -servers", HOST_FILE },
	{ "32 searches", "'dnsPolicy':'None','dnsConfig':{'searches':['a0','a1','a2','a3','a4','a5','a6','a7','a8','a9','b0','b1','b2','b3','b4','b5','b6','b7','b8','b9',"
			 "'c0','c1','c2','c3','c4','c5','c6','c7','c8','c9','d0','d1','d2']},", " | " TEN("a") " " TEN("b") " " TEN("c") " d0 d1 |  -searches", HOST_FILE },
};

static void add_dns(struct xb_buf *out, const struct dns *d)
{
	add_list(out, d->servers.list.v, d->servers.list.n);
	xb_buf_adds(out, " | ");
	add_list(out, d->searches.list.v, d->searches.list.n);
	xb_buf_adds(out, " | ");
	add_list(out, d->options.list.v, d->options.list.n);
	xb_buf_adds(out, d->servers.cut ? " -servers" : "");
	xb_buf_adds(out, d->searches.cut ? " -searches" : "");
}

static struct facts node_of(int kind)
{
	struct facts f = node;

	f.resolv_conf = kind & NO_FILE ? "" : kind & BAD_FILE ? "/nowhere/resolv.conf" : resolv;
	f.cluster_dns = kind & NO_CLUSTER ? NULL : node_dns;
	f.cluster_domain = kind & NO_DOMAIN ? "" : "cluster.local";
	return f;
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct xb_buf pod = {}, text = {};
		_cleanup_free_ char *why = NULL;
		_cleanup_dns_ struct dns d = {};
		struct facts f = node_of(cases[i].node);
		bool fault = *cases[i].dns == '!';
		struct given g;
		int r;

		xb_buf_addf(&pod, "{'metadata':{'name':'web','namespace':'shop'},'spec':{%s'containers':[]}}", cases[i].spec);
		g = given(pod.p);
		r = dns_of_pod(&(struct make){ .a = g.arena }, &f, g.in.pod, &d, &why);
		add_dns(&text, &d);
		if (!r == fault || strcmp(fault ? why : text.p, cases[i].dns + fault))
			fail_msg("%s: %d\n'%s', not\n'%s'", cases[i].what, r, fault ? why : text.p, cases[i].dns);
		assert_int_equal(d.unserved, (cases[i].node & NO_CLUSTER) != 0);
		given_done(&g);
	}
}

/* A line of searches is at most 2048 bytes; a name of more than 253 is left out, not what follows it. */
static void test_long_searches(void **state)
{
	_cleanup_buf_ struct xb_buf pod = {}, name = {};
	_cleanup_dns_ struct dns d = {};
	struct given g;

	for (int i = 0; i < 203; i++)
		xb_buf_addc(&name, 'x');
	xb_buf_adds(&pod, "{'spec':{'dnsPolicy':'None','dnsConfig':{'searches':['short'");
	for (int i = 0; i < 12; i++)
		xb_buf_addf(&pod, ",'%s%c%s'", name.p, 'a' + i, i == 1 ? name.p : "");
	xb_buf_adds(&pod, "]}}}");
	g = given(pod.p);
	assert_int_equal(dns_of_pod(&(struct make){ .a = g.arena }, &node, g.in.pod, &d, NULL), 0);
	assert_int_equal(d.searches.list.n, 10); /* 5 + 9 * 205 = 1850; another would be 2055 */
	assert_int_equal(d.searches.list.v[2][203], 'c');
	assert_true(d.searches.cut);
	given_done(&g);
}

static void note(void *arg, const char *reason, const char *text)
{
	xb_buf_addf(arg, "%s: %s\n", reason, text);
}

static void test_warnings(void **state)
{
	_cleanup_given_ struct given g = given("{'spec':{'dnsConfig':{'nameservers':['1.1.1.1','1.1.1.2','1.1.1.3','1.1.1.4']}}}");
	struct facts f = node_of(NO_CLUSTER | NO_FILE);
	_cleanup_buf_ struct xb_buf said = {};

	assert_int_equal(spec_dns_warnings(&f, g.in.pod, note, &said), 0);
	assert_string_equal(said.p,
		"MissingClusterDNS: kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.\n"
		"DNSConfigForming: Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 127.0.0.1 ::1 1.1.1.1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_long_searches), cmocka_unit_test(test_warnings),
	};
	int failed, fd = mkstemp(resolv);

	if (fd < 0 || write(fd, host_text, strlen(host_text)) != (ssize_t)strlen(host_text))
		return EXIT_FAILURE;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(resolv);
	return failed;
}
