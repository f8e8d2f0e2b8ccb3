/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../userspace/proxy/metrics.h"

static void histogram_counts_what_is_at_most_a_bound(void **state)
{
	static const double bounds[] = { 1, 2, 4 };
	struct histogram h = { .bounds = bounds, .n = 3 };

	histogram_observe(&h, 0.5);
	histogram_observe(&h, 2);
	histogram_observe(&h, 2.1);
	histogram_observe(&h, 100);
	assert_int_equal(h.counts[0], 1);
	assert_int_equal(h.counts[1], 1);
	assert_int_equal(h.counts[2], 1);
	assert_int_equal(h.counts[3], 1);
	assert_true(h.sum > 104.5 && h.sum < 104.7);
}

/* Of each line: "# HELP name text", "# TYPE name type", or "name{label="value",...} number". */
static void check_line(struct xb_sv line)
{
	const char *space = memrchr(line.p, ' ', line.n);
	_cleanup_free_ char *text = xb_sv_dup(line);
	char *end;

	assert_non_null(space);
	if (xb_sv_starts(line, "# "))
		return;
	if (line.p[0] < 'a' || line.p[0] > 'z')
		fail_msg("not a metric: %s", text);
	strtod(strrchr(text, ' ') + 1, &end);
	if (*end)
		fail_msg("not a number: %s", text);
}

static void text_is_prometheus(void **state)
{
	static const char *const some[] = {
		"\nkubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"0.001\"} 1\n",
		"\nkubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"0.002\"} 1\n",
		"\nkubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"16.384\"} 2\n",
		"\nkubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"+Inf\"} 2\n",
		"\nkubeproxy_sync_proxy_rules_duration_seconds_count 2\n",
		"\nkubeproxy_network_programming_duration_seconds_bucket{le=\"0.25\"} 0\n",
		"\nkubeproxy_network_programming_duration_seconds_bucket{le=\"300\"} 1\n",
		"\nkubeproxy_sync_proxy_rules_service_changes_total 7\n",
		"\nxebec_proxy_event_duration_seconds_bucket{le=\"0.0001\"} 0\n",
		"\nxebec_proxy_event_duration_seconds_bucket{le=\"0.001\"} 1\n",
		"\nxebec_proxy_table_entries{table=\"backends\"} 5\n",
		"\nxebec_proxy_table_entries{table=\"flows4\"} 7\n",
		"\nxebec_proxy_table_room{table=\"flows6\"} 1024\n",
		"\nxebec_proxy_full_flow_tables 1\n",
		"\nxebec_proxy_flow_growths_total 2\n",
		"\nxebec_proxy_decisions_total{reason=\"dropped-flows-full\"} 9\n",
		"\nxebec_proxy_api_lists_total{resource=\"endpointslices\"} 3\n",
		"\nxebec_proxy_host_ports_synced 0\n",
		"\nxebec_proxy_settings{cluster_cidr=\"10.244.0.0/16,fd00::/48\",nodeport_addresses=\"192.0.2.0/24,fd01::/64\",masquerade_all=\"false\"} 1\n",
		"\nprocess_resident_memory_bytes ",
	};
	struct metrics_now now = {
		.tables = { .backends = 5, .flows = { { .open = 7, .full = true }, { .size = 1024 } }, .flow_growths = 2 },
		.slices = { .lists = 3 }, .synced = true, .counted = true, .host_ports = true,
		.cluster_cidr = "10.244.0.0/16,fd00::/48", .nodeport_addresses = (char *[]){ "192.0.2.0/24", "fd01::/64", NULL },
		.reasons = { [XB_DROPPED_FLOWS_FULL] = 9 },
	};
	_cleanup_buf_ struct xb_buf out = {};
	struct metrics m;
	struct xb_sv rest, line;

	proxy_metrics_init(&m);
	m.service_changes = 7;
	histogram_observe(&m.sync, 0.0005);
	histogram_observe(&m.sync, 0.003);
	histogram_observe(&m.programming, 299);
	histogram_observe(&m.event, 0.00011);
	proxy_metrics_write(&m, &now, &out);
	assert_int_equal(out.err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		if (!strstr(out.p, some[i]))
			fail_msg("missing: %s", some[i]);
	assert_true(xb_sv_ends(xb_buf_sv(&out), "\n"));
	rest = (struct xb_sv){ out.p, out.n - 1 };
	while (xb_sv_split(&rest, '\n', &line))
		check_line(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histogram_counts_what_is_at_most_a_bound), cmocka_unit_test(text_is_prometheus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
