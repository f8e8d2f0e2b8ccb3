/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "../../../../../control/controllers/volumes/provision.h"

static struct xb_json *parse(const char *text)
{
	struct xb_json *d = NULL;

	assert_int_equal(xb_json_parse(xb_sv(text), NULL, &d, NULL), 0);
	return d;
}
#define _cleanup_doc_ _cleanup_(xb_json_unrefp)

#define SPEC "\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],\"capacity\":{\"storage\":\"1Gi\"},\"storageClassName\":\"s\",\"persistentVolumeReclaimPolicy\":\"%s\"," \
	"\"claimRef\":{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\",\"namespace\":\"n\",\"name\":\"c\",\"uid\":\"u\",\"resourceVersion\":\"7\"}," \
	"\"hostPath\":{\"path\":\"/tmp/hostpath_pv/u\",\"type\":\"DirectoryOrCreate\"}%s}}"
#define AFFINITY(host) ",\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"kubernetes.io/hostname\",\"operator\":\"In\"," \
	"\"values\":[\"" host "\"]}]}]}}"

static void writes(void **state)
{
	static const struct {
		const char *class, *node, *policy, *affinity;
	} rows[] = {
		{ "{}", NULL, "Delete", "" },
		{ "{\"reclaimPolicy\":\"Retain\"}", NULL, "Retain", "" },
		{ "{}", "{\"metadata\":{\"name\":\"a\",\"labels\":{\"kubernetes.io/hostname\":\"host-a\"}}}", "Delete", AFFINITY("host-a") },
		{ "{}", "{\"metadata\":{\"name\":\"a\"}}", "Delete", AFFINITY("a") },
	};
	_cleanup_doc_ struct xb_json *claim = parse("{\"metadata\":{\"namespace\":\"n\",\"name\":\"c\",\"uid\":\"u\",\"resourceVersion\":\"7\"},\"spec\":{"
		"\"storageClassName\":\"s\",\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}}}");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_doc_ struct xb_json *class = parse(rows[i].class), *node = rows[i].node ? parse(rows[i].node) : NULL;
		struct xb_jv where = node ? xb_json_root(node) : (struct xb_jv){};
		_cleanup_buf_ struct xb_buf out = {}, expected = {};

		xb_buf_adds(&expected, "{\"metadata\":{\"name\":\"pvc-u\",\"annotations\":{\"kubernetes.io/createdby\":\"hostpath-dynamic-provisioner\","
			    "\"pv.kubernetes.io/bound-by-controller\":\"yes\",\"pv.kubernetes.io/provisioned-by\":\"kubernetes.io/host-path\"}},");
		xb_buf_addf(&expected, SPEC, rows[i].policy, rows[i].affinity);
		assert_int_equal(provision_write(xb_json_root(claim), xb_json_root(class), where, "pvc-u", &out), 0);
		assert_string_equal(out.p, expected.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(writes) };

	return cmocka_run_group_tests_name("control/controllers/volumes/provision_write", tests, NULL, NULL);
}
