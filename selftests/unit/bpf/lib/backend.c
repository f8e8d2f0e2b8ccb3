/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/backend.h"
#include "xb/model.h"

#define SECONDS 10
#define HERE 8                  /* backends of this node, from 0 on; behind them as many elsewhere */

static struct service service;

static struct service by_scope(enum xb_scope scope)
{
	struct service s = service;

	s.scope = scope;
	s.set = set_load(s.svc, scope);
	return s;
}

/* A service whose cluster IP leads to backends elsewhere, and its node ports to those here; all of them serve. */
static void serve(void)
{
	struct xb_svc *svc;
	struct xb_be4 *be;
	__u32 n;

	assert_int_equal(xb_model_new(NULL), 0);
	jiffies_per_second = 1;
	xb_model_set_jiffies(1000);
	be = xb_model_array("xb_be4", &n);
	for (__u32 i = 0; i < 2 * HERE; i++)
		be[i] = (struct xb_be4){ .addr.be32 = bpf_htonl(0x0af40000 + i), .port = 80, .local = i < HERE };
	svc = lookup(&xb_svc, 1);
	svc->affinity_seconds = SECONDS;
	svc->set[XB_SCOPE_INTERNAL] = svc->set[XB_SCOPE_EXTERNAL] = (struct xb_set){ .base = HERE, .count = HERE };
	svc->set[XB_SCOPE_OUTSIDE] = (struct xb_set){ .base = 0, .count = HERE };
	svc->set[XB_SERVING] = (struct xb_set){ .base = 0, .count = 2 * HERE };
	service = (struct service){ .svc = svc, .id = 1 };
}

/* The last number of the address that a client is sent to. */
static __u32 pick(enum xb_scope scope, __u32 client)
{
	struct service s = by_scope(scope);
	union xb_ip6 addr = { .be32 = { 0, 0, bpf_htonl(0xffff), bpf_htonl(client) } };
	struct xb_peer peer = {};

	assert_int_equal(affinity_pick(&s, &addr, true, &peer), 0);
	return bpf_ntohl(peer.addr.be32[3]) & 0xff;
}

static void test_a_client_keeps_its_backend(void **state)
{
	__u32 of[30], differ = 0;

	serve();
	for (__u32 i = 0; i < 30; i++)
		of[i] = pick(XB_SCOPE_INTERNAL, i);
	for (__u32 i = 0; i < 30; i++) {
		assert_int_equal(pick(XB_SCOPE_INTERNAL, i), of[i]);
		assert_int_equal(pick(XB_SCOPE_EXTERNAL, i), of[i]);
		differ += of[i] != of[0];
	}
	assert_true(differ);
}

static void test_time_runs_from_the_last_use(void **state)
{
	__u32 first, others = 0;

	serve();
	first = pick(XB_SCOPE_INTERNAL, 1);
	for (__u32 i = 1; i <= 5; i++) {
		xb_model_set_jiffies(1000 + i * SECONDS);
		assert_int_equal(pick(XB_SCOPE_INTERNAL, 1), first);
	}
	for (__u32 i = 1; i <= 30; i++) {
		xb_model_set_jiffies(2000 + i * (SECONDS + 1));
		others += pick(XB_SCOPE_INTERNAL, 1) != first;
	}
	assert_true(others);
}

static void test_scopes_without_a_common_backend_do_not_displace_each_other(void **state)
{
	__u32 inside, outside;

	serve();
	inside = pick(XB_SCOPE_INTERNAL, 1);
	outside = pick(XB_SCOPE_OUTSIDE, 1);
	assert_true(inside >= HERE && outside < HERE);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(pick(XB_SCOPE_INTERNAL, 1), inside);
		assert_int_equal(pick(XB_SCOPE_OUTSIDE, 1), outside);
	}
}

static void test_a_backend_that_is_gone_is_nobodys(void **state)
{
	struct xb_svc *svc;
	__u32 was;

	serve();
	was = pick(XB_SCOPE_INTERNAL, 1);
	svc = lookup(&xb_svc, 1);
	for (int i = 0; i < XB_SETS; i++)
		svc->set[i] = (struct xb_set){ .base = 0, .count = HERE };
	assert_true(pick(XB_SCOPE_INTERNAL, 1) < HERE);
	assert_int_not_equal(pick(XB_SCOPE_INTERNAL, 1), was);
	assert_int_equal(pick(XB_SCOPE_OUTSIDE, 1), pick(XB_SCOPE_INTERNAL, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_client_keeps_its_backend),
		cmocka_unit_test(test_time_runs_from_the_last_use),
		cmocka_unit_test(test_scopes_without_a_common_backend_do_not_displace_each_other),
		cmocka_unit_test(test_a_backend_that_is_gone_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
