/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/node/evict.h"

static struct xb_json *pod(const char *name, int64_t priority, const char *memory)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc;

	xb_buf_addf(&text, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"priority\":%ld,\"containers\":[{\"name\":\"web\",\"resources\":{\"requests\":"
		    "{\"memory\":\"%s\"}}}]}}", name, priority, memory);
	assert_int_equal(xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL), 0);
	return doc;
}

static void order(enum signal s, const char *want)
{
	struct xb_json *docs[] = {
		pod("within", 0, "500"), pod("high", 100, "0"), pod("much", 0, "0"), pod("little", 0, "0"), pod("within-low", -5, "500"),
	};
	static const uint64_t usage[] = { 400, 900, 300, 10, 50 };
	struct candidate c[ARRAY_SIZE(docs)];
	_cleanup_buf_ struct xb_buf got = {};

	for (unsigned i = 0; i < ARRAY_SIZE(docs); i++) {
		struct xb_jv one = xb_json_root(docs[i]);

		c[i] = (struct candidate){ .pod = one, .usage = usage[i], .request = evict_request(one, s) };
	}
	evict_rank(c, ARRAY_SIZE(c), s);
	for (unsigned i = 0; i < ARRAY_SIZE(c); i++)
		xb_buf_addf(&got, "%.*s ", XB_SV_ARG(xb_jv_text(xb_jv_path(c[i].pod, "metadata", "name"))));
	assert_string_equal(got.p, want);
	for (unsigned i = 0; i < ARRAY_SIZE(docs); i++)
		xb_json_unref(docs[i]);
}

static void pods_go_in_upstreams_order(void **state)
{
	order(SIGNAL_MEMORY, "much little high within-low within ");
	order(SIGNAL_PID, "within-low within much little high ");
	order(SIGNAL_NODEFS_INODES, "within-low within much little high ");
}

static void some_never_go(void **state)
{
	static const struct { const char *json; bool critical; } t[] = {
		{ "{}", false },
		{ "{\"spec\":{\"priority\":1999999999}}", false },
		{ "{\"spec\":{\"priority\":2000000000}}", true },
		{ "{\"metadata\":{\"annotations\":{\"kubernetes.io/config.source\":\"api\"}}}", false },
		{ "{\"metadata\":{\"annotations\":{\"kubernetes.io/config.source\":\"file\"}}}", true },
		{ "{\"metadata\":{\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}}}", true },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		struct xb_json *doc;

		assert_int_equal(xb_json_parse(xb_sv(t[i].json), NULL, &doc, NULL), 0);
		assert_int_equal(evict_is_critical(xb_json_root(doc)), t[i].critical);
		xb_json_unref(doc);
	}
}

static void words_are_upstreams(void **state)
{
	struct threshold t = { .signal = SIGNAL_MEMORY, .hard = true };
	struct observation o = { true, 90 << 20, 1000 << 20 };
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_json *doc = pod("a", 0, "10Mi");
	struct xb_jv container = xb_jv_at(xb_jv_path(xb_json_root(doc), "spec", "containers"), 0);

	assert_int_equal(xb_quantity_parse(XB_SV("100Mi"), &t.amount.quantity), 0);
	evict_write_cause(&t, &o, &text);
	evict_write_container(container, SIGNAL_MEMORY, 20 << 20, &text);
	evict_write_container(container, SIGNAL_MEMORY, 9 << 20, &text);
	assert_string_equal(text.p, "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. "
			    "Container web was using 20Mi, request is 10Mi, has larger consumption of memory. ");
	xb_buf_clear(&text);
	t.signal = SIGNAL_NODEFS_INODES;
	t.amount = (struct amount){ .is_percent = true, .percent = 5 };
	o = (struct observation){ true, 49, 1000 };
	evict_write_cause(&t, &o, &text);
	assert_string_equal(text.p, "The node was low on resource: inodes. Threshold quantity: 50, available: 49. ");
	xb_json_unref(doc);
}

static void disk_limits(void **state)
{
	static const struct { const char *json; bool limited; uint64_t bytes; const char *message; } t[] = {
		{ "{\"spec\":{\"containers\":[{}]}}", false, 9999, "" },
		{ "{\"spec\":{\"volumes\":[{\"emptyDir\":{}},{\"emptyDir\":{\"sizeLimit\":\"1\",\"medium\":\"Memory\"}}]}}", false, 9999, "" },
		{ "{\"spec\":{\"volumes\":[{\"emptyDir\":{\"sizeLimit\":\"1Ki\"}}]}}", true, 9999, "" },
		{ "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"ephemeral-storage\":\"1Ki\"}}}]}}", true, 1024, "" },
		{ "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"ephemeral-storage\":\"1Ki\"}}}]}}", true, 1025,
		  "Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. " },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
		_cleanup_buf_ struct xb_buf text = {};

		assert_int_equal(xb_json_parse(xb_sv(t[i].json), NULL, &doc, NULL), 0);
		assert_int_equal(evict_has_disk_limit(xb_json_root(doc)), t[i].limited);
		assert_int_equal(evict_write_over_limit(xb_json_root(doc), t[i].bytes, &text), *t[i].message != '\0');
		assert_string_equal(text.p ? text.p : "", t[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_go_in_upstreams_order), cmocka_unit_test(some_never_go), cmocka_unit_test(words_are_upstreams),
		cmocka_unit_test(disk_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
