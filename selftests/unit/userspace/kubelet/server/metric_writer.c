/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/server/metric_writer.h"
#include "xb/json.h"

static struct usage_container container = {
	.name = (char *)"c", .id = (char *)"c1", .image = (char *)"web:1", .cgroup = (char *)"/kubepods/podu1/c1", .started_ns = 1704164645500000000,
	.one = { .known = true, .nano_cores = 250, .u = { .cpu_ns = 1500000000, .memory_working_set = 4096, .memory_bytes = 8192,
							  .memory_limit = 10000, .at_ms = 1704164646000 } },
	.has_layer = true, .layer_bytes = 70, .layer_inodes = 7, .log_bytes = 5,
};
static struct usage_net net = { .name = "eth0", .rx_bytes = 11, .tx_bytes = 12 };
static struct usage_pod pod = {
	.namespace_ = (char *)"ns", .name = (char *)"p", .uid = (char *)"u1", .cgroup = (char *)"/kubepods/podu1", .sandbox_id = (char *)"s1",
	.started_us = 1704164645000000,
	.one = { .known = true, .nano_cores = -1,
		 .u = { .cpu_ns = 2000000000, .memory_working_set = 5000, .pids = 3, .at_ms = 1704164646001 } },
	.nets = { &net, 1, 1 }, .containers = { &container, 1, 1 }, .disk_known = true, .disk_bytes = 30, .disk_inodes = 3,
};
static const struct usage usage = {
	.at_us = 1704164646000000,
	.node = { .known = true, .u = { .cpu_ns = 3250000000, .memory_working_set = 6000, .at_ms = 1704164646002 } },
	.root = { .known = true, .available = 1, .capacity = 2, .used = 3 },
	.images = { .known = true, .available = 4, .capacity = 5, .used = 6 },
	.max_pid = 32768, .threads = 99, .pods = { &pod, 1, 1 },
};

static void has(const struct xb_buf *text, const char *line)
{
	if (!strstr(text->p, line))
		fail_msg("no line '%s' in:\n%s", line, text->p);
}

static void resources(void **state)
{
	struct xb_buf out = {};

	resource_write(&usage, false, &out);
	has(&out, "\ncontainer_cpu_usage_seconds_total{container=\"c\",namespace=\"ns\",pod=\"p\"} 1.5 1704164646000\n");
	has(&out, "\ncontainer_memory_working_set_bytes{container=\"c\",namespace=\"ns\",pod=\"p\"} 4096 1704164646000\n");
	has(&out, "\ncontainer_start_time_seconds{container=\"c\",namespace=\"ns\",pod=\"p\"} 1704164645.5\n");
	has(&out, "\nnode_cpu_usage_seconds_total 3.25 1704164646002\n");
	has(&out, "\nnode_memory_working_set_bytes 6000 1704164646002\n");
	has(&out, "\npod_cpu_usage_seconds_total{namespace=\"ns\",pod=\"p\"} 2 1704164646001\n");
	has(&out, "\nresource_scrape_error 0\n");
	xb_buf_clear(&out);
	resource_write(NULL, true, &out);
	has(&out, "\nresource_scrape_error 1\n");
	xb_buf_done(&out);
}

static void of_cadvisor(void **state)
{
	struct usage_whole w = { &usage, 2, 1e9 };
	struct xb_buf out = {};

	cadvisor_write(&w, &out);
	has(&out, "\ncontainer_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/\",image=\"\",name=\"\",namespace=\"\",pod=\"\"} 3.25 1704164646002\n");
	has(&out, "\ncontainer_memory_working_set_bytes{container=\"c\",id=\"/kubepods/podu1/c1\",image=\"web:1\",name=\"c1\",namespace=\"ns\",pod=\"p\"} 4096 1704164646000\n");
	has(&out, "\ncontainer_memory_working_set_bytes{container=\"\",id=\"/kubepods/podu1\",image=\"\",name=\"\",namespace=\"ns\",pod=\"p\"} 5000 1704164646001\n");
	has(&out, "\ncontainer_network_receive_bytes_total{container=\"\",id=\"/kubepods/podu1/s1\",image=\"\",interface=\"eth0\",name=\"s1\",namespace=\"ns\",pod=\"p\"} 11 ");
	has(&out, "\ncontainer_fs_usage_bytes{container=\"c\",device=\"\",id=\"/kubepods/podu1/c1\",image=\"web:1\",name=\"c1\",namespace=\"ns\",pod=\"p\"} 70 ");
	has(&out, "\nmachine_cpu_cores 2\n");
	xb_buf_done(&out);
}

static int64_t number(struct xb_jv v)
{
	int64_t n = -1;

	xb_jv_i64(v, &n);
	return n;
}

static void summary(void **state)
{
	struct xb_buf out = {};
	struct xb_json *doc;
	struct xb_jv node, p, c;

	summary_write(&usage, "n1", 0, 10000, false, &out);
	assert_int_equal(xb_json_parse(xb_buf_sv(&out), NULL, &doc, NULL), 0);
	node = xb_jv_get(xb_json_root(doc), "node");
	p = xb_jv_at(xb_jv_get(xb_json_root(doc), "pods"), 0);
	c = xb_jv_at(xb_jv_get(p, "containers"), 0);
	assert_int_equal(number(xb_jv_path(node, "memory", "availableBytes")), 4000);
	assert_int_equal(number(xb_jv_path(node, "cpu", "usageNanoCores")), 0);
	assert_int_equal(number(xb_jv_path(node, "fs", "usedBytes")), 3);
	assert_int_equal(number(xb_jv_path(node, "runtime", "imageFs", "usedBytes")), 6);
	assert_int_equal(number(xb_jv_path(node, "rlimit", "curproc")), 99);
	assert_true(xb_jv_streq(xb_jv_path(p, "podRef", "uid"), XB_SV("u1")));
	assert_false(xb_jv_is(xb_jv_path(p, "cpu", "usageNanoCores")));
	assert_int_equal(number(xb_jv_path(p, "network", "rxBytes")), 11);
	assert_int_equal(number(xb_jv_path(p, "ephemeral-storage", "usedBytes")), 100);
	assert_int_equal(number(xb_jv_path(p, "process_stats", "process_count")), 3);
	assert_int_equal(number(xb_jv_path(c, "cpu", "usageNanoCores")), 250);
	assert_int_equal(number(xb_jv_path(c, "memory", "availableBytes")), 10000 - 4096);
	assert_int_equal(number(xb_jv_path(c, "rootfs", "usedBytes")), 70);
	assert_int_equal(number(xb_jv_path(c, "logs", "usedBytes")), 5);
	xb_json_unref(doc);
	xb_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(resources), cmocka_unit_test(of_cadvisor), cmocka_unit_test(summary) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
