/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include "../../../../../userspace/proxy/nft/names.h"

static struct xb_plan_backend backend(int family, const char *addr, __u16 port)
{
	struct xb_plan_backend b = { .port = port };

	assert_int_equal(inet_pton(family, addr, &b.addr), 1);
	return b;
}

static void names_are_readable(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_plan_backend v4 = backend(AF_INET, "10.244.1.7", 8080), v6 = backend(AF_INET6, "fd00::7", 53);

	assert_string_equal(nft_port_name(a, "service-", "shop/web:http", XB_PROTO_TCP), "service-shop/web/tcp/http");
	assert_string_equal(nft_port_name(a, "external-", "shop/web", XB_PROTO_SCTP), "external-shop/web/sctp");
	assert_string_equal(nft_backend_name(a, NFT_ENDPOINT, "shop/web:http", XB_PROTO_TCP, AF_INET, &v4),
			    "endpoint-shop/web/tcp/http__10.244.1.7/8080");
	assert_string_equal(nft_backend_name(a, NFT_ENDPOINT, "shop/dns", XB_PROTO_UDP, AF_INET6, &v6), "endpoint-shop/dns/udp__fd00..7/53");
}

static void names_tell_their_backend(void **state)
{
	static const struct {
		int family;
		const char *addr;
	} addrs[] = { { AF_INET, "10.0.0.1" }, { AF_INET6, "::1" }, { AF_INET6, "fd00::" }, { AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } };
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		struct xb_plan_backend b = backend(addrs[i].family, addrs[i].addr, 65535), got;
		const char *name = nft_backend_name(a, NFT_ENDPOINT, "a/b:c", XB_PROTO_UDP, addrs[i].family, &b);

		assert_true(nft_name_backend(name, addrs[i].family, &got));
		assert_memory_equal(&got.addr, &b.addr, sizeof(b.addr));
		assert_int_equal(got.port, 65535);
	}
}

static void other_names_have_none(void **state)
{
	static const char *const names[] = {
		"", "services", "endpoint-a/b/udp", "endpoint-a/b/udp__", "endpoint-a/b/udp__/", "endpoint-a/b/udp__10.0.0/1", "endpoint-a/b/udp__10.0.0.1/",
		"endpoint-a/b/udp__10.0.0.1/0", "endpoint-a/b/udp__10.0.0.1/65536", "endpoint-a/b/udp__10.0.0.1/1x",
		"endpoint-a/b/udp__0000000000000000000000000000000000000000000000000000000000000000/1",
	};
	struct xb_plan_backend b;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(nft_name_backend(names[i], AF_INET, &b));
}

/* A kernel's name may have 255 bytes: NFT_NAME_MAXLEN. */
static void longest_names_fit(void **state)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	struct xb_plan_backend b = backend(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	char part[64], name[192];

	memset(part, 'x', 63);
	part[63] = '\0';
	snprintf(name, sizeof(name), "%s/%s:%s", part, part, part);
	assert_true(strlen(nft_backend_name(a, "affinity-", name, XB_PROTO_SCTP, AF_INET6, &b)) <= 255);
	assert_true(strlen(nft_backend_name(a, NFT_ENDPOINT, name, XB_PROTO_SCTP, AF_INET6, &b)) <= 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_readable),
		cmocka_unit_test(names_tell_their_backend),
		cmocka_unit_test(other_names_have_none),
		cmocka_unit_test(longest_names_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
