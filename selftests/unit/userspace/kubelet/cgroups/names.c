/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/cgroups/names.h"

static void is_pod(const struct facts *f, enum spec_qos qos, const char *want)
{
	_cleanup_buf_ struct xb_buf path = {}, uid = {};

	name_pod(f, qos, "3c4b-11", &path);
	assert_string_equal(path.p, want);
	assert_true(name_to_uid(f, strrchr(path.p, '/') + 1, &uid));
	assert_string_equal(uid.p, "3c4b-11");
}

static void paths(void **state)
{
	struct facts f = { .cgroup_root = "/" };
	_cleanup_buf_ struct xb_buf b = {};

	is_pod(&f, SPEC_QOS_GUARANTEED, "/kubepods/pod3c4b-11");
	is_pod(&f, SPEC_QOS_BURSTABLE, "/kubepods/burstable/pod3c4b-11");
	name_root(&f, &b);
	assert_int_equal(b.n, 0);
	f.cgroup_root = "/xebec/c/node-1";
	is_pod(&f, SPEC_QOS_BEST_EFFORT, "/xebec/c/node-1/kubepods/besteffort/pod3c4b-11");
	assert_false(name_to_uid(&f, "burstable", &b));
	assert_false(name_to_uid(&f, "pod", &b));
	name_container(&f, "abc", &b);
	assert_string_equal(b.p, "abc");
}

static void slices(void **state)
{
	struct facts f = { .cgroup_root = "/", .systemd_cgroups = true };
	_cleanup_buf_ struct xb_buf b = {};

	is_pod(&f, SPEC_QOS_GUARANTEED, "/kubepods.slice/kubepods-pod3c4b_11.slice");
	is_pod(&f, SPEC_QOS_BURSTABLE, "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3c4b_11.slice");
	f.cgroup_root = "/a-b/c";
	name_qos(&f, SPEC_QOS_GUARANTEED, &b);
	assert_string_equal(b.p, "/a_b.slice/a_b-c.slice/a_b-c-kubepods.slice");
	xb_buf_clear(&b);
	assert_false(name_to_uid(&f, "kubepods-burstable.slice", &b));
	assert_false(name_to_uid(&f, "podx", &b));
	name_container(&f, "abc", &b);
	assert_string_equal(b.p, "cri-containerd-abc.scope");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(paths), cmocka_unit_test(slices) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
