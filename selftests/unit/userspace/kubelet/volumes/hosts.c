/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/volumes/hosts.h"

#define LOOPBACK \
	"# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n" \
	"fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"

static void check(const char *pod, const char *expected)
{
	static const char *const ips[] = { "10.1.2.3", "fd00::3", NULL };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf out = {};

	assert_int_equal(xb_json_parse(xb_sv(pod), NULL, &doc, NULL), 0);
	hosts_write(xb_json_root(doc), ips, "cluster.local", XB_SV("192.0.2.1\tnode\n"), &out);
	assert_string_equal(out.p, expected);
}

static void names_the_pod(void **state)
{
	check("{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\"},\"spec\":{}}", LOOPBACK "10.1.2.3\tweb\nfd00::3\tweb\n");
	check("{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\"},\"spec\":{\"hostname\":\"h\",\"subdomain\":\"sub\"}}",
	      LOOPBACK "10.1.2.3\th.sub.ns.svc.cluster.local\th\nfd00::3\th.sub.ns.svc.cluster.local\th\n");
	check("{\"metadata\":{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbb\",\"namespace\":\"ns\"},\"spec\":{}}",
	      LOOPBACK "10.1.2.3\taaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	      "fd00::3\taaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
}

static void adds_aliases(void **state)
{
	check("{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\"},\"spec\":{\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"a\",\"b\"]},"
	      "{\"ip\":\"5.6.7.8\",\"hostnames\":[\"c\"]}]}}",
	      LOOPBACK "10.1.2.3\tweb\nfd00::3\tweb\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n5.6.7.8\tc\n");
}

static void copies_the_nodes(void **state)
{
	check("{\"metadata\":{\"name\":\"web\"},\"spec\":{\"hostNetwork\":true,\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"a\"]}]}}",
	      "# Kubernetes-managed hosts file (host network).\n192.0.2.1\tnode\n\n# Entries added by HostAliases.\n1.2.3.4\ta\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_pod), cmocka_unit_test(adds_aliases), cmocka_unit_test(copies_the_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
