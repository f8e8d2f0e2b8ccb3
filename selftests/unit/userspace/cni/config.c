/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "../../../../userspace/cni/config.h"

#define RANGES(text) "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"ipam\":{\"ranges\":" text "}}"

static int parse(const char *text, enum cni_verb verb, struct cni_config *c, struct cni_fault *f)
{
	return cni_config_read(xb_sv(text), verb, c, f);
}

static void whole(void **state)
{
	_cleanup_(cni_config_done) struct cni_config c = {};
	_cleanup_(cni_fault_done) struct cni_fault f = {};

	assert_int_equal(parse("{\"cniVersion\":\"0.4.0\",\"name\":\"pods\",\"type\":\"xebec-cni\",\"mtu\":1450,\"unknown\":1,\"dns\":{\"domain\":\"x\"},"
			      "\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/d\",\"ranges\":[[{\"subnet\":\"fd00::/64\"}],"
			      "[{\"subnet\":\"10.1.2.0/24\",\"rangeStart\":\"10.1.2.10\",\"rangeEnd\":\"10.1.2.20\",\"gateway\":\"10.1.2.12\"},"
			      "{\"subnet\":\"10.9.0.0/30\"}]]}}", CNI_ADD, &c, &f), 0);
	assert_string_equal(c.version, "0.4.0");
	assert_string_equal(c.data_dir, "/d/pods");
	assert_int_equal(c.mtu, 1450);
	assert_false(c.loopback);
	assert_int_equal(c.sets[0].n, 2);
	assert_string_equal(xb_ip_format(&c.sets[0].v[0].first).s, "10.1.2.10");
	assert_string_equal(xb_ip_format(&c.sets[0].v[0].last).s, "10.1.2.20");
	assert_string_equal(xb_ip_format(&c.sets[0].v[0].gateway).s, "10.1.2.12");
	assert_string_equal(xb_ip_format(&c.sets[0].v[1].first).s, "10.9.0.1");
	assert_string_equal(xb_ip_format(&c.sets[0].v[1].last).s, "10.9.0.2");
	assert_int_equal(c.sets[1].n, 1);
	assert_string_equal(xb_ip_format(&c.sets[1].v[0].first).s, "fd00::1");
	assert_string_equal(xb_ip_format(&c.sets[1].v[0].last).s, "fd00::ffff:ffff:ffff:ffff");
}

static void small_networks_are_used_whole(void **state)
{
	static const char *const rows[][3] = {
		{ "10.0.0.4/31", "10.0.0.4", "10.0.0.5" }, { "10.0.0.4/32", "10.0.0.4", "10.0.0.4" }, { "10.0.0.7/24", "10.0.0.1", "10.0.0.254" },
		{ "fd00::4/127", "fd00::4", "fd00::5" }, { "fd00::4/128", "fd00::4", "fd00::4" }, { "fd00::/126", "fd00::1", "fd00::3" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(cni_config_done) struct cni_config c = {};
		_cleanup_(cni_fault_done) struct cni_fault f = {};
		char text[256];
		const struct cni_range *r;

		snprintf(text, sizeof(text), RANGES("[[{\"subnet\":\"%s\"}]]"), rows[i][0]);
		assert_int_equal(parse(text, CNI_ADD, &c, &f), 0);
		r = &c.sets[strchr(rows[i][0], ':') != NULL].v[0];
		assert_string_equal(xb_ip_format(&r->first).s, rows[i][1]);
		assert_string_equal(xb_ip_format(&r->last).s, rows[i][2]);
	}
}

static void faults_name_the_field(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} rows[] = {
		{ "", CNI_NOT_JSON, "the configuration is not JSON: unexpected end of JSON input" },
		{ "[]", CNI_NOT_JSON, "the configuration is not an object" },
		{ "{}", CNI_INCOMPATIBLE, "cniVersion: nothing is not one of 0.3.1, 0.4.0, 1.0.0, 1.1.0" },
		{ "{\"cniVersion\":\"0.2.0\"}", CNI_INCOMPATIBLE, "cniVersion: \"0.2.0\" is not one of 0.3.1, 0.4.0, 1.0.0, 1.1.0" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"../x\"}", CNI_INVALID,
		  "name: \"../x\" is not a network's name: letters, digits, '_', '.' and '-'" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"mtu\":70000}", CNI_INVALID,
		  "mtu: 70000 is not a number from 576 to 65535, or 0 for the node's" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"dns\":[]}", CNI_INVALID, "dns: [] is not an object" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"ipam\":{\"type\":\"dhcp\"}}", CNI_UNSUPPORTED,
		  "ipam.type: \"dhcp\" is not supported: addresses are given out by this plugin, as host-local does" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"ipam\":{\"dataDir\":\"d\"}}", CNI_INVALID,
		  "ipam.dataDir: \"d\" is not an absolute path" },
		{ RANGES("[]"), CNI_INVALID,
		  "ipam.ranges: expected one or two sets of ranges, as [[{\"subnet\": \"10.244.1.0/24\"}]]" },
		{ RANGES("[{\"subnet\":\"10.0.0.0/8\"}]"), CNI_INVALID,
		  "ipam.ranges[0][0].subnet: nothing is not a network, as 10.244.1.0/24" },
		{ RANGES("[[]]"), CNI_INVALID, "ipam.ranges[0]: expected a list of ranges" },
		{ RANGES("[[{\"subnet\":\"10.0.0.0/8\"}],[{\"subnet\":\"11.0.0.0/8\"}]]"), CNI_INVALID,
		  "ipam.ranges[1]: a pod has one address of each family, and the set before it is of this one" },
		{ RANGES("[[{\"subnet\":\"10.0.0.0/8\"},{\"subnet\":\"fd00::/64\"}]]"), CNI_INVALID,
		  "ipam.ranges[0][1]: of another family than the ranges before it" },
		{ RANGES("[[{\"subnet\":\"10.0.0.0/8\",\"rangeStart\":\"11.0.0.1\"}]]"), CNI_INVALID,
		  "ipam.ranges[0][0].rangeStart: 11.0.0.1 is not in 10.0.0.0/8" },
		{ RANGES("[[{\"subnet\":\"10.0.0.0/8\",\"rangeStart\":\"10.0.0.9\",\"rangeEnd\":\"10.0.0.3\"}]]"), CNI_INVALID,
		  "ipam.ranges[0][0]: rangeStart 10.0.0.9 is behind rangeEnd 10.0.0.3" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(cni_config_done) struct cni_config c = {};
		_cleanup_(cni_fault_done) struct cni_fault f = {};

		assert_int_equal(parse(rows[i].text, CNI_ADD, &c, &f), rows[i].code);
		assert_string_equal(f.why, rows[i].why);
	}
}

static void del_needs_no_ranges(void **state)
{
	_cleanup_(cni_config_done) struct cni_config c = {};
	_cleanup_(cni_fault_done) struct cni_fault f = {};

	assert_int_equal(parse(RANGES("7"), CNI_DEL, &c, &f), 0);
	assert_string_equal(c.data_dir, "/var/lib/cni/networks/n");
}

static void call_with(const char *verb, const char *container, const char *netns, const char *ifname, const char *why)
{
	_cleanup_(cni_fault_done) struct cni_fault f = {};
	const char *const names[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME" };
	const char *const values[] = { verb, container, netns, ifname };
	struct cni_call call;

	for (int i = 0; i < 4; i++)
		if (values[i])
			setenv(names[i], values[i], 1);
		else
			unsetenv(names[i]);
	assert_int_equal(cni_call_read(&call, &f), why ? CNI_ENVIRONMENT : 0);
	if (why)
		assert_string_equal(f.why, why);
}

static void environment(void **state)
{
	call_with("ADD", "c", "/n", "eth0", NULL);
	call_with("DEL", "c", NULL, "eth0", NULL);
	call_with("VERSION", NULL, NULL, NULL, NULL);
	call_with("GC", NULL, NULL, NULL, NULL);
	call_with("ADD", "c", NULL, "eth0", "CNI_NETNS is not set, which ADD needs");
	call_with("DEL", NULL, NULL, "eth0", "CNI_CONTAINERID is not set, which DEL needs");
	call_with("add", NULL, NULL, NULL, "CNI_COMMAND is \"add\": expected ADD, DEL, CHECK, GC, STATUS or VERSION");
	call_with("ADD", "../c", "/n", "eth0", "CNI_CONTAINERID is \"../c\": expected letters, digits, '_', '.' and '-'");
	call_with("ADD", "c", "/n", "../eth0", "CNI_IFNAME is \"../eth0\": expected the name of an interface, of at most 15 characters");
	call_with("ADD", "c", "/n", "sixteen-letters-", "CNI_IFNAME is \"sixteen-letters-\": expected the name of an interface, of at most 15 characters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole), cmocka_unit_test(small_networks_are_used_whole), cmocka_unit_test(faults_name_the_field),
		cmocka_unit_test(del_needs_no_ranges), cmocka_unit_test(environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
