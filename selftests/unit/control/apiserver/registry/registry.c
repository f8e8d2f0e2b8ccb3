/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fixture.h"

#define SVC(spec) "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','namespace':'n'},'spec':{" spec "}}"

static void bad_configurations(void **state)
{
	static const struct { struct registry_config c; const char *why; } examples[] = {
		{ { .service_ranges = "", .node_port_first = 1, .node_port_last = 2 }, "it is not a CIDR" },
		{ { .service_ranges = "10.0.0.0/8", .node_port_first = 1, .node_port_last = 2 }, "it is too large; for 32-bit addresses, the mask must be >= 12" },
		{ { .service_ranges = "10.0.0.0/30", .node_port_first = 1, .node_port_last = 2 }, "the service cluster IP range must be at least 8 IP addresses" },
		{ { .service_ranges = "10.0.0.0/24,10.1.0.0/24", .node_port_first = 1, .node_port_last = 2 }, "two service ranges must be of different families" },
		{ { .service_ranges = "10.0.0.0/24,fd00::/112,fd01::/112", .node_port_first = 1, .node_port_last = 2 }, "there can be two service ranges at most" },
		{ { .service_ranges = "10.0.0.0/24", .node_port_first = 0, .node_port_last = 2 }, "0-2 is not a range of ports" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		_cleanup_free_ char *why = NULL;
		struct registry *r = NULL;

		assert_int_equal(registry_new(&examples[i].c, &r, &why), -EINVAL);
		assert_string_equal(why, examples[i].why);
	}
}

static void first_address(void **state)
{
	assert_string_equal(registry_first_service_ip(registry), "10.96.0.1");
}

/* What the store holds after a restart is taken, whatever lies outside the ranges by now. */
static void services_of_the_store_keep_what_they_have(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(quoted("{'spec':{'clusterIPs':['10.100.0.1','fd00::1'],'healthCheckNodePort':30007,"
		"'ports':[{'port':80,'nodePort':30008},{'port':81,'nodePort':80},{'port':82}]}}")), NULL, &d, NULL), 0);
	registry_adopt_service(registry, xb_json_root(d));
	assert_string_not_equal(fault_of(SVC("'clusterIP':'10.100.0.1','ports':[{'port':80}]")), "");
	assert_string_not_equal(fault_of(SVC("'type':'NodePort','ports':[{'port':80,'nodePort':30007}]")), "");
	assert_string_not_equal(fault_of(SVC("'type':'NodePort','ports':[{'port':80,'nodePort':30008}]")), "");
	assert_string_equal(fault_of(SVC("'type':'NodePort','clusterIP':'10.100.0.2','ports':[{'port':80,'nodePort':30009}]")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_configurations, setup, teardown),
		cmocka_unit_test_setup_teardown(first_address, setup, teardown),
		cmocka_unit_test_setup_teardown(services_of_the_store_keep_what_they_have, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
