/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Both ways of holding a program on a device, whatever the kernel would choose. Skipped where BPF programs may not be loaded. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/mount.h>
#include <unistd.h>
#include "../../../../userspace/proxy/places.h"
#include "xb/macro.h"

struct test {
	char folder[32];
	struct places places;
	uint32_t device;
	int program[2], xdp[2];
};

static int load(enum bpf_prog_type type, const char *name, int says)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = says },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, name, "GPL", code, ARRAY_SIZE(code), NULL);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t n = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &n), 0);
	return info.id;
}

static int setup(void **state)
{
	static const unsigned char mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	static struct test t = { .folder = "/tmp/xb-places-XXXXXX" };
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct xb_veth v = { "v0", "v1", mac[0], mac[1], -1, 1500 };
	_cleanup_close_ int here = -1;
	struct xb_link l;

	t.program[0] = load(BPF_PROG_TYPE_SCHED_CLS, "xb_one", -1);
	if (t.program[0] < 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return 0;
	t.program[1] = load(BPF_PROG_TYPE_SCHED_CLS, "xb_two", -1);
	for (int i = 0; i < 2; i++)
		t.xdp[i] = load(BPF_PROG_TYPE_XDP, "xb_xdp", XDP_PASS);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(t.folder));
	assert_int_equal(mount("bpf", t.folder, "bpf", 0, NULL), 0);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	v.peer_netns_fd = here;
	assert_int_equal(xb_netlink_new(&n), 0);
	assert_int_equal(xb_netlink_add_veth(n, &v), 0);
	assert_int_equal(xb_netlink_find_link(n, "v0", &l), 0);
	t.device = l.ifindex;
	assert_int_equal(places_init(&t.places, t.folder), 0);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	if (t) {
		places_done(&t->places);
		umount(t->folder);
		rmdir(t->folder);
	}
	return 0;
}

struct seen {
	struct xb_filter f[8];
	size_t n;
};

static int see(void *arg, const struct xb_filter *f)
{
	struct seen *s = arg;

	assert_true(s->n < ARRAY_SIZE(s->f));
	s->f[s->n++] = *f;
	return 0;
}

static struct seen filters(const struct test *t, bool egress)
{
	struct seen s = {};

	assert_int_equal(xb_netlink_each_filter(t->places.netlink, t->device, egress, see, &s), 0);
	return s;
}

static void put(const struct test *t, enum place place, int program)
{
	char *why = NULL;

	assert_int_equal(place_put(&t->places, t->device, place, program, &why), 0);
	assert_null(why);
}

static void by_filter(void **state)
{
	struct test *t = *state;
	struct seen s;

	if (!t)
		skip();
	t->places.tcx = false;
	put(t, PLACE_INGRESS, t->program[0]);
	s = filters(t, false);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.f[0].kind, "bpf");
	assert_string_equal(s.f[0].name, "xb_one");
	assert_int_equal(s.f[0].priority, 1);
	assert_int_equal(s.f[0].program_id, program_id(t->program[0]));
	assert_int_equal(filters(t, true).n, 0);

	/* in its place */
	put(t, PLACE_INGRESS, t->program[1]);
	s = filters(t, false);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.f[0].priority, 1);
	assert_int_equal(s.f[0].program_id, program_id(t->program[1]));
	place_clear(&t->places, t->device, PLACE_INGRESS);
	assert_int_equal(filters(t, false).n, 0);
}

static void filters_of_others(void **state)
{
	struct test *t = *state;
	struct xb_link link = { .name = "v0" };
	struct xb_buf names = {};
	struct xb_filter f;
	struct seen s;

	if (!t)
		skip();
	t->places.tcx = false;
	link.ifindex = t->device;
	assert_int_equal(xb_netlink_add_clsact(t->places.netlink, t->device), 0);
	f = (struct xb_filter){ .ifindex = t->device, .egress = true, .priority = 1, .handle = 9, .name = "theirs" };
	assert_int_equal(xb_netlink_set_filter(t->places.netlink, &f, t->program[0]), 0);
	put(t, PLACE_EGRESS, t->program[1]);
	put(t, PLACE_INGRESS, t->program[1]);
	s = filters(t, true);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.f[0].name, "theirs");
	assert_string_equal(s.f[1].name, "xb_two");
	assert_int_equal(s.f[1].priority, 2);
	assert_int_equal(place_others(&t->places, &link, PLACE_EGRESS, &names), 1);
	assert_string_equal(names.p, "v0 egress filter bpf 'theirs'");
	assert_int_equal(place_others(&t->places, &link, PLACE_INGRESS, &names), 0);
	xb_buf_done(&names);

	/* leaving: theirs stays, and their qdisc */
	assert_int_equal(places_cleanup(), 0);
	assert_int_equal(filters(t, false).n, 0);
	s = filters(t, true);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.f[0].name, "theirs");
	assert_int_equal(xb_netlink_del_filter(t->places.netlink, &f), 0);

	/* nobody's but ours: the qdisc goes too */
	put(t, PLACE_EGRESS, t->program[1]);
	assert_int_equal(places_cleanup(), 0);
	assert_int_equal(xb_netlink_del_clsact(t->places.netlink, t->device), -ENOENT);
}

static size_t programs(const struct test *t, enum place place, uint32_t *ret_id)
{
	uint32_t ids[8] = {}, n = ARRAY_SIZE(ids), flags;

	assert_int_equal(bpf_prog_query((int)t->device, place == PLACE_INGRESS ? 46 : 47, 0, &flags, ids, &n), 0);
	*ret_id = ids[0];
	return n;
}

static uint32_t link_id(const struct test *t, const char *place)
{
	struct bpf_link_info info = {};
	uint32_t n = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "%s/dev%u_%s", t->folder, t->device, place);
	fd = bpf_obj_get(path);
	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n) < 0 ? 0 : info.id;
}

static bool keep_none(void *arg, uint32_t ifindex, enum place place)
{
	return false;
}

static void by_link(void **state)
{
	struct test *t = *state;
	struct places fresh;
	uint32_t link, id;

	if (!t)
		skip();
	assert_int_equal(places_init(&fresh, t->folder), 0);
	t->places.tcx = fresh.tcx;
	places_done(&fresh);
	if (!t->places.tcx)
		skip();
	put(t, PLACE_EGRESS, t->program[0]);
	link = link_id(t, "egress");
	assert_int_not_equal(link, 0);
	assert_int_equal(programs(t, PLACE_EGRESS, &id), 1);
	assert_int_equal(id, program_id(t->program[0]));
	put(t, PLACE_EGRESS, t->program[1]);
	assert_int_equal(link_id(t, "egress"), link);
	assert_int_equal(programs(t, PLACE_EGRESS, &id), 1);
	assert_int_equal(id, program_id(t->program[1]));
	assert_int_equal(programs(t, PLACE_INGRESS, &id), 0);

	places_sweep(&t->places, keep_none, NULL);
	assert_int_equal(programs(t, PLACE_EGRESS, &id), 0);
	assert_int_equal(link_id(t, "egress"), 0);
}

static void xdp(void **state)
{
	struct test *t = *state;
	LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = 1u << 1);
	char *why = NULL;
	uint32_t link;
	int theirs;

	if (!t)
		skip();
	put(t, PLACE_XDP, t->xdp[0]);
	link = link_id(t, "xdp");
	put(t, PLACE_XDP, t->xdp[1]);
	assert_int_equal(link_id(t, "xdp"), link);
	place_clear(&t->places, t->device, PLACE_XDP);

	theirs = bpf_link_create(t->xdp[0], (int)t->device, BPF_XDP, &generic);
	assert_true(theirs >= 0);
	assert_int_equal(place_put(&t->places, t->device, PLACE_XDP, t->xdp[1], &why), -EBUSY);
	assert_non_null(strstr(why, "another"));
	free(why);
	close(theirs);
	put(t, PLACE_XDP, t->xdp[1]);
	place_clear(&t->places, t->device, PLACE_XDP);
}

static void device_that_is_gone(void **state)
{
	struct test *t = *state;
	char *why = NULL;

	if (!t)
		skip();
	for (int tcx = 0; tcx < 2; tcx++) {
		t->places.tcx = tcx;
		if (tcx && place_put(&t->places, t->device, PLACE_INGRESS, t->program[0], &why) < 0)
			break;
		assert_int_equal(place_put(&t->places, 12345, PLACE_INGRESS, t->program[0], &why), -ENODEV);
	}
	assert_int_equal(place_put(&t->places, 12345, PLACE_XDP, t->xdp[0], &why), -ENODEV);
	place_clear(&t->places, t->device, PLACE_INGRESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_filter),
		cmocka_unit_test(filters_of_others),
		cmocka_unit_test(by_link),
		cmocka_unit_test(xdp),
		cmocka_unit_test(device_that_is_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
