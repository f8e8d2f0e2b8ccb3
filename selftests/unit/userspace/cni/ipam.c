/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include "../../../../userspace/cni/ipam.h"

struct test {
	char folder[64];
	struct ipam *m;
	struct cni_fault f;
	struct cni_set sets[2];
};

static int start(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	snprintf(t->folder, sizeof(t->folder), "/tmp/xb-ipam-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->folder + strlen(t->folder), 8, "/a/b");
	assert_int_equal(ipam_open(t->folder, &t->m, &t->f), 0);
	t->sets[0].n = t->sets[1].n = 1;
	t->sets[0].v[0] = (struct cni_range){ { AF_INET, { 10, 0, 0, 1 } }, { AF_INET, { 10, 0, 0, 4 } }, { AF_INET, { 10, 0, 0, 2 } } };
	t->sets[1].v[0] = (struct cni_range){ { AF_INET6, { 0xfd, [15] = 1 } }, { AF_INET6, { 0xfd, [14] = 1 } }, {} };
	*state = t;
	return 0;
}

static int remove_one(const char *path, const struct stat *s, int what, struct FTW *at)
{
	return remove(path);
}

static int end(void **state)
{
	struct test *t = *state;

	ipam_close(t->m);
	cni_fault_done(&t->f);
	*strrchr(t->folder, '/') = '\0';
	*strrchr(t->folder, '/') = '\0';
	nftw(t->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

static const char *reserve(struct test *t, const char *container, int set)
{
	static struct xb_ip_text text;
	struct xb_ip ips[2];

	if (ipam_reserve(t->m, t->sets, container, "eth0", ips, &t->f))
		return NULL;
	text = xb_ip_format(&ips[set]);
	return text.s;
}

static bool there(const struct test *t, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", t->folder, name);
	return !access(path, F_OK);
}

static void put(const struct test *t, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t->folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void round_robin(void **state)
{
	struct test *t = *state;
	char path[128], text[64] = "";
	int fd;

	assert_string_equal(reserve(t, "a", 0), "10.0.0.1");
	assert_string_equal(reserve(t, "b", 0), "10.0.0.3"); /* 2 is the gateway */
	snprintf(path, sizeof(path), "%s/10.0.0.3", t->folder);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, "b\r\neth0");
	assert_int_equal(ipam_release(t->m, "b", "eth0", &t->f), 0);
	assert_false(there(t, "10.0.0.3"));
	assert_false(there(t, "fd00::2"));
	/* not the one that was just given back */
	assert_string_equal(reserve(t, "c", 0), "10.0.0.4");
	assert_string_equal(reserve(t, "d", 0), "10.0.0.3");
	assert_false(there(t, ".new"));
}

static void the_same_owner_has_the_same(void **state)
{
	struct test *t = *state;
	struct xb_ip ips[2];

	assert_string_equal(reserve(t, "a", 1), "fd00::1");
	assert_string_equal(reserve(t, "b", 1), "fd00::2");
	assert_string_equal(reserve(t, "a", 1), "fd00::1");
	assert_int_equal(ipam_find(t->m, "b", "eth0", ips, &t->f), 0);
	assert_string_equal(xb_ip_format(&ips[0]).s, "10.0.0.3");
	assert_string_equal(xb_ip_format(&ips[1]).s, "fd00::2");
	/* another interface is another owner */
	assert_int_equal(ipam_find(t->m, "b", "eth1", ips, &t->f), 0);
	assert_int_equal(ips[0].family, AF_UNSPEC);
	/* what a call left that died after the first of two */
	assert_int_equal(ipam_release(t->m, "a", "eth0", &t->f), 0);
	put(t, "10.0.0.1", "a\r\neth0");
	assert_string_equal(reserve(t, "a", 0), "10.0.0.1");
	assert_true(there(t, "fd00::3"));
}

static void exhausted(void **state)
{
	struct test *t = *state;

	assert_non_null(reserve(t, "a", 0));
	assert_non_null(reserve(t, "b", 0));
	assert_non_null(reserve(t, "c", 0));
	assert_null(reserve(t, "d", 0));
	assert_int_equal(t->f.code, CNI_EXHAUSTED);
	assert_string_equal(t->f.why, "no IP addresses available in range set: 10.0.0.1-10.0.0.4");
	assert_string_equal(reserve(t, "b", 0), "10.0.0.3");
	/* all or none: IPv6 is full, so the IPv4 address is free again */
	assert_int_equal(ipam_release(t->m, "a", "eth0", &t->f), 0);
	t->sets[1].v[0].last = t->sets[1].v[0].first;
	put(t, "fd00::1", "e\r\neth0");
	assert_null(reserve(t, "d", 0));
	assert_string_equal(t->f.why, "no IP addresses available in range set: fd00::1-fd00::1");
	assert_false(there(t, "10.0.0.1"));
}

static void ranges_follow_each_other(void **state)
{
	struct test *t = *state;

	t->sets[0].n = 2;
	t->sets[0].v[0] = (struct cni_range){ .first = { AF_INET, { 10, 0, 0, 9 } }, .last = { AF_INET, { 10, 0, 0, 9 } } };
	t->sets[0].v[1] = (struct cni_range){ .first = { AF_INET, { 10, 0, 0, 3 } }, .last = { AF_INET, { 10, 0, 0, 4 } } };
	assert_string_equal(reserve(t, "a", 0), "10.0.0.9");
	assert_string_equal(reserve(t, "b", 0), "10.0.0.3");
	assert_string_equal(reserve(t, "c", 0), "10.0.0.4");
	assert_null(reserve(t, "d", 0));
}

static void leftovers(void **state)
{
	struct test *t = *state;
	char from[128], to[128];

	/* died between link and unlink: .new is the same file as an address, whose owner must stay */
	assert_string_equal(reserve(t, "a", 0), "10.0.0.1");
	snprintf(from, sizeof(from), "%s/10.0.0.1", t->folder);
	snprintf(to, sizeof(to), "%s/.new", t->folder);
	assert_int_equal(link(from, to), 0);
	assert_string_equal(reserve(t, "b", 0), "10.0.0.3");
	assert_string_equal(reserve(t, "a", 0), "10.0.0.1");
	/* of a power cut: nobody's. What is no address is left alone; a last address that cannot be read is no matter */
	put(t, "10.0.0.4", "");
	put(t, "notes", "");
	put(t, "last_reserved_ip.0", "what");
	assert_string_equal(reserve(t, "c", 0), "10.0.0.4");
	assert_true(there(t, "notes"));
	/* host-local's old form: no interface */
	assert_int_equal(ipam_release(t->m, "c", "eth0", &t->f), 0);
	put(t, "10.0.0.4", "old");
	assert_string_equal(reserve(t, "old", 0), "10.0.0.4");
}

static bool stays(void *arg, const char *container, const char *ifname)
{
	return !strcmp(container, arg) && !strcmp(ifname, "eth0");
}

static int gone(void *arg, const char *container, const char *ifname)
{
	return 0;
}

static int fails(void *arg, const char *container, const char *ifname)
{
	return CNI_NETWORK;
}

static void retain(void **state)
{
	struct test *t = *state;

	assert_non_null(reserve(t, "a", 0));
	assert_non_null(reserve(t, "b", 0));
	assert_int_equal(ipam_retain(t->m, stays, fails, "a", &t->f), CNI_NETWORK);
	assert_true(there(t, "10.0.0.3"));
	assert_int_equal(ipam_retain(t->m, stays, gone, "a", &t->f), 0);
	assert_true(there(t, "10.0.0.1") && there(t, "fd00::1"));
	assert_false(there(t, "10.0.0.3") || there(t, "fd00::2"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(round_robin), TEST(the_same_owner_has_the_same), TEST(exhausted), TEST(ranges_follow_each_other),
		TEST(leftovers), TEST(retain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
