/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* On folders that look like cgroup file systems: what is written where. That the kernel takes it is live/kubelet_node.t's part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include "../../../../../userspace/kubelet/cgroups/cgroups_inner.h"
#include "xb/file.h"

static char root[64], proc[80];
static struct facts facts;

static const char *at(const char *path)
{
	static char full[4][512];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(full[next], sizeof(full[next]), "%s/%s", root, path);
	return full[next];
}

static void put(const char *path, const char *text)
{
	char *full = strdup(at(path));

	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	free(full);
	assert_int_equal(xb_file_write(at(path), xb_sv(text), 0644), 0);
}

static void holds(const char *path, const char *want)
{
	_cleanup_buf_ struct xb_buf b = {};

	assert_int_equal(xb_file_read(at(path), 65536, &b), 0);
	assert_string_equal(b.p ? b.p : "", want);
}

static void many(const char *folder, const char *const *files)
{
	for (; *files; files++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", folder, *files);
		put(path, "");
	}
}
#define many(folder, ...) many(folder, (const char *const[]){ __VA_ARGS__, NULL })

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static int setup(void **state)
{
	snprintf(root, sizeof(root), "/tmp/xb-cgroups-XXXXXX");
	facts = (struct facts){ .cgroup_root = "/", .cgroups_per_qos = true, .cpu_cfs_quota = true, .cpu_milli = 4000,
			       .allocatable_cpu_milli = 2000,
			        .memory_bytes = UINT64_C(4) << 30, .allocatable_memory_bytes = UINT64_C(2) << 30 };
	if (!mkdtemp(root))
		return -1;
	snprintf(proc, sizeof(proc), "%s/proc", root);
	return 0;
}

static int teardown(void **state)
{
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct xb_json *parse(const char *json)
{
	struct xb_json *doc;

	assert_int_equal(xb_json_parse(xb_sv(json), NULL, &doc, NULL), 0);
	return doc;
}

#define BURSTABLE "{\"metadata\":{\"uid\":\"b1\"},\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"500m\"}," \
	"\"limits\":{\"cpu\":\"1\",\"memory\":\"64Mi\"}}}]}}"

static void v2_tree(const char *mountinfo)
{
	put("proc/self/mountinfo", mountinfo);
	put("u/cgroup.controllers", "cpuset cpu io memory pids\n");
	put("u/cgroup.subtree_control", "");
	put("u/kubepods/cgroup.controllers", "cpu memory pids\n");
	many("u/kubepods", "cgroup.subtree_control", "cpu.weight", "memory.max");
	put("u/kubepods/burstable/cgroup.controllers", "cpu memory pids\n");
	many("u/kubepods/burstable", "cgroup.subtree_control", "cpu.weight");
	many("u/kubepods/besteffort", "cpu.weight");
	many("u/kubepods/burstable/podb1", "cpu.weight", "cpu.max", "memory.max", "pids.max");
}

static void v2(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *pod = parse(BURSTABLE);
	_cleanup_(cgroups_freep) struct cgroups *c = NULL;
	_cleanup_buf_ struct xb_buf parent = {};
	_cleanup_free_ char *why = NULL;
	char mountinfo[256];

	snprintf(mountinfo, sizeof(mountinfo), "30 20 0:26 / %s/u rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", root);
	v2_tree(mountinfo);
	facts.pod_pids = 100;
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), 0);
	holds("u/cgroup.subtree_control", "+cpuset +cpu +io +memory +pids");
	holds("u/kubepods/cgroup.subtree_control", "+cpu +memory +pids");
	holds("u/kubepods/cpu.weight", "79");
	holds("u/kubepods/memory.max", "2147483648");
	holds("u/kubepods/besteffort/cpu.weight", "1");

	assert_int_equal(cgroups_pod_make(c, xb_json_root(pod), &why), 0);
	holds("u/kubepods/burstable/podb1/cpu.weight", "20");
	holds("u/kubepods/burstable/podb1/cpu.max", "100000 100000");
	holds("u/kubepods/burstable/podb1/memory.max", "67108864");
	holds("u/kubepods/burstable/podb1/pids.max", "100");
	holds("u/kubepods/burstable/cpu.weight", "20");
	assert_int_equal(cgroups_pod_make(c, xb_json_root(pod), &why), 0);
	holds("u/kubepods/burstable/cpu.weight", "20");
	cgroups_parent(c, xb_json_root(pod), &parent);
	assert_string_equal(parent.p, "/kubepods/burstable/podb1");
}

/* Controllers in v1, and a v2 tree without any beside them. */
static void hybrid(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *pod = parse(BURSTABLE);
	_cleanup_(cgroups_freep) struct cgroups *c = NULL;
	_cleanup_free_ char *why = NULL;
	char mountinfo[1024];
	struct stat st;

	snprintf(mountinfo, sizeof(mountinfo), "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
		 "31 20 0:27 / %s/cpu\\040acct rw shared:5 - cgroup cgroup rw,cpu,cpuacct\n32 20 0:28 / %s/memory rw - cgroup cgroup rw,memory\n"
		 "33 20 0:29 / %s/pids rw - cgroup cgroup rw,pids\n34 20 0:30 / %s/systemd rw - cgroup cgroup rw,name=systemd\n"
		 "35 20 0:31 /sub %s/elsewhere rw - cgroup cgroup rw,memory\n36 20 0:26 / %s/u rw - cgroup2 cgroup2 rw\n",
		 root, root, root, root, root, root);
	put("proc/self/mountinfo", mountinfo);
	put("u/cgroup.controllers", "\n");
	many("cpu acct/kubepods", "cpu.shares");
	many("cpu acct/kubepods/burstable", "cpu.shares");
	many("cpu acct/kubepods/besteffort", "cpu.shares");
	many("cpu acct/kubepods/burstable/podb1", "cpu.shares", "cpu.cfs_quota_us");
	many("memory/kubepods", "memory.limit_in_bytes");
	many("memory/kubepods/burstable/podb1", "memory.limit_in_bytes");
	many("pids/kubepods/burstable/podb1", "pids.max");
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), 0);
	holds("cpu acct/kubepods/cpu.shares", "2048");
	holds("cpu acct/kubepods/besteffort/cpu.shares", "2");
	assert_int_equal(cgroups_pod_make(c, xb_json_root(pod), &why), 0);
	holds("cpu acct/kubepods/burstable/podb1/cpu.shares", "512");
	holds("cpu acct/kubepods/burstable/podb1/cpu.cfs_quota_us", "100000");
	holds("memory/kubepods/burstable/podb1/memory.limit_in_bytes", "67108864");
	holds("pids/kubepods/burstable/podb1/pids.max", "max");
	assert_int_equal(stat(at("u/kubepods/burstable/podb1"), &st), 0);
	assert_int_equal(stat(at("systemd/kubepods"), &st), -1);
}

static void usage_is_read(void **state)
{
	_cleanup_(cgroups_freep) struct cgroups *c = NULL;
	_cleanup_free_ char *why = NULL;
	struct cgroups_usage u;
	char mountinfo[256];

	snprintf(mountinfo, sizeof(mountinfo), "30 20 0:26 / %s/u rw - cgroup2 cgroup2 rw\n", root);
	v2_tree(mountinfo);
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), 0);
	put("u/kubepods/burstable/podb1/c1/cpu.stat", "usage_usec 1500\nuser_usec 9\nnr_periods 7\nnr_throttled 3\nthrottled_usec 20\n");
	put("u/kubepods/burstable/podb1/c1/memory.current", "5000\n");
	put("u/kubepods/burstable/podb1/c1/memory.max", "max\n");
	put("u/kubepods/burstable/podb1/c1/memory.stat", "anon 1000\nfile 3000\ninactive_file 2000\npgfault 12\npgmajfault 1\n");
	put("u/kubepods/burstable/podb1/c1/pids.current", "4\n");
	assert_int_equal(cgroups_container_usage(c, "b1", "c1", &u), 0);
	assert_int_equal(u.cpu_ns, 1500000);
	assert_int_equal(u.memory_bytes, 5000);
	assert_int_equal(u.memory_working_set, 3000);
	assert_int_equal(u.memory_rss, 1000);
	assert_int_equal(u.memory_limit, 0);
	assert_int_equal(u.page_faults, 12);
	assert_int_equal(u.major_faults, 1);
	assert_int_equal(u.pids, 4);
	assert_int_equal(u.cfs_periods, 7);
	assert_int_equal(u.cfs_throttled_periods, 3);
	assert_int_equal(u.cfs_throttled_ns, 20000);
	assert_int_equal(cgroups_container_usage(c, "b1", "c2", &u), -ENOENT);
	assert_int_equal(cgroups_pod_usage(c, "none", &u), -ENOENT);

	put("u/cpu.stat", "usage_usec 9\n");
	put("proc/meminfo", "MemTotal:       1000 kB\nMemFree:         300 kB\nAnonPages:  50 kB\nInactive(file):    200 kB\n");
	assert_int_equal(cgroups_node_usage(c, &u), 0);
	assert_int_equal(u.cpu_ns, 9000);
	assert_int_equal(u.memory_bytes, 700 * 1024);
	assert_int_equal(u.memory_working_set, 500 * 1024);
}

static void note_uid(void *arg, const char *uid)
{
	xb_buf_addf(arg, "%s ", uid);
}

static void pods_are_found_again(void **state)
{
	_cleanup_(cgroups_freep) struct cgroups *c = NULL;
	_cleanup_buf_ struct xb_buf found = {};
	_cleanup_free_ char *why = NULL;
	char mountinfo[256];
	struct stat st;

	snprintf(mountinfo, sizeof(mountinfo), "30 20 0:26 / %s/u rw - cgroup2 cgroup2 rw\n", root);
	v2_tree(mountinfo);
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), 0);
	mkdir(at("u/kubepods/besteffort/pod-e"), 0755);
	mkdir(at("u/kubepods/besteffort/pod-e/c1"), 0755);
	cgroups_each_pod(c, note_uid, &found);
	assert_string_equal(found.p, "b1 -e ");
	assert_int_equal(cgroups_pod_remove(c, "-e"), 0);
	assert_int_equal(stat(at("u/kubepods/besteffort/pod-e"), &st), -1);
	assert_int_equal(cgroups_pod_remove(c, "-e"), 0);
}

static void faults_name_the_file(void **state)
{
	_cleanup_(xb_json_unrefp) struct xb_json *pod = parse("{\"metadata\":{\"uid\":\"../x\"}}");
	_cleanup_(cgroups_freep) struct cgroups *c = NULL;
	char *why = NULL, mountinfo[256], want[256];

	put("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda rw\n");
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), -ENOENT);
	snprintf(want, sizeof(want), "no cgroup file system in %s/proc/self/mountinfo has the controller cpu", root);
	assert_string_equal(why, want);
	free(why);
	snprintf(mountinfo, sizeof(mountinfo), "30 20 0:26 / %s/u rw - cgroup2 cgroup2 rw\n", root);
	v2_tree(mountinfo);
	assert_int_equal(unlink(at("u/kubepods/memory.max")), 0);
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), -ENOENT);
	snprintf(want, sizeof(want), "cannot write %s/u/kubepods/memory.max: No such file or directory", root);
	assert_string_equal(why, want);
	free(why);
	put("u/kubepods/memory.max", "");
	assert_int_equal(cgroups_new_at(&facts, proc, &c, &why), 0);
	assert_int_equal(cgroups_pod_make(c, xb_json_root(pod), &why), -EINVAL);
	assert_string_equal(why, "metadata.uid \"../x\": must not contain '/'");
	free(why);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		test(v2), test(hybrid), test(usage_is_read), test(pods_are_found_again), test(faults_name_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
