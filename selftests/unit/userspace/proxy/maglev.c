/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "../../../../userspace/proxy/maglev.h"
#include "xb/macro.h"

#define MOST 1000

static struct xb_plan_backend backends[MOST];

/* As pods' addresses are: runs of neighbours. */
static struct xb_plan_set make(size_t n, int family)
{
	memset(backends, 0, sizeof(backends));
	for (size_t i = 0; i < n; i++) {
		unsigned char v4[4] = { 10, 244, (unsigned char)(i / 100), (unsigned char)(2 + i % 100) };
		unsigned char v6[16] = { 0xfd, 0x10, [14] = (unsigned char)(i / 100), [15] = (unsigned char)(2 + i % 100) };

		memcpy(backends[i].addr.b, family == AF_INET6 ? v6 : v4, family == AF_INET6 ? 16 : 4);
		backends[i].port = 8080;
	}
	return (struct xb_plan_set){ .backends = backends, .n = n };
}

static __u16 *fill(const struct xb_plan_set *set, int family)
{
	__u16 *table = calloc(maglev_size(set->n) + 1, sizeof(*table));

	assert_non_null(table);
	assert_int_equal(maglev_fill(set, family, table), 0);
	return table;
}

static bool is_prime(__u32 n)
{
	for (__u32 i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

static void test_size(void **state)
{
	assert_int_equal(maglev_size(0), 0);
	for (size_t n = 1; n <= 65535; n += 1 + n / 7) {
		__u32 size = maglev_size(n);

		assert_true(is_prime(size) && size > n);
		assert_true(size >= 200 * n || size == maglev_size(65535));
	}
}

static void check_uniform(size_t n, int family)
{
	struct xb_plan_set set = make(n, family);
	__u32 size = maglev_size(n), least = size, most = 0;
	_cleanup_free_ __u16 *table = fill(&set, family);
	_cleanup_free_ __u32 *times = calloc(n, sizeof(*times));

	for (__u32 i = 0; i < size; i++) {
		assert_true(table[i] < n);
		times[table[i]]++;
	}
	for (size_t i = 0; i < n; i++) {
		least = MIN(least, times[i]);
		most = MAX(most, times[i]);
	}
	/* each takes its turn, so they differ by one place */
	assert_true(most - least <= 1);
}

static void test_uniform(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 10, 100, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		check_uniform(sizes[i], AF_INET);
		check_uniform(sizes[i], AF_INET6);
	}
}

/* Places that change although they were not those of the one that goes, of a thousand. */
static double disturbance(size_t n, int family)
{
	struct xb_plan_set all = make(n, family);
	__u32 size = maglev_size(n);
	_cleanup_free_ __u16 *before = fill(&all, family);
	size_t changed = 0, tried = 0;

	for (size_t gone = 0; gone < n; gone += 1 + n / 10) {
		struct xb_plan_set rest = make(n, family);
		_cleanup_free_ __u16 *after = NULL;

		memmove(&backends[gone], &backends[gone + 1], (n - gone - 1) * sizeof(backends[0]));
		rest.n--;
		/* the smaller set may have a smaller table: then all is new, and it is left out here */
		if (maglev_size(rest.n) != size)
			continue;
		after = fill(&rest, family);
		for (__u32 i = 0; i < size; i++) {
			size_t now = after[i] < gone ? after[i] : after[i] + 1U;

			changed += before[i] != gone && now != before[i];
		}
		tried++;
	}
	return tried ? 1000.0 * (double)changed / (double)(tried * size) : 0;
}

static void test_disturbance(void **state)
{
	static const size_t sizes[] = { 4, 9, 30, 150, 600 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		double v4 = disturbance(sizes[i], AF_INET), v6 = disturbance(sizes[i], AF_INET6);

		print_message("# %zu backends, one goes: %.1f and %.1f of 1000 other places change\n", sizes[i], v4, v6);
		assert_true(v4 < 20 && v6 < 20);
	}
}

/* Any node makes the same table, however many times. A port of its own is a backend of its own. */
static void test_same_everywhere(void **state)
{
	struct xb_plan_set set = make(10, AF_INET);
	_cleanup_free_ __u16 *one = fill(&set, AF_INET), *again = fill(&set, AF_INET), *local = NULL, *other = NULL;
	__u32 size = maglev_size(10), differ = 0;

	assert_memory_equal(one, again, size * sizeof(*one));
	for (size_t i = 0; i < set.n; i++)
		set.backends[i].local = i & 1;
	local = fill(&set, AF_INET);
	assert_memory_equal(one, local, size * sizeof(*one));
	for (size_t i = 0; i < set.n; i++)
		set.backends[i].port = 9090;
	other = fill(&set, AF_INET);
	for (__u32 i = 0; i < size; i++)
		differ += one[i] != other[i];
	assert_true(differ > size / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_disturbance),
		cmocka_unit_test(test_same_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
