/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "xb/nft.h"
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* The text of attribute 1, by which each of these messages names its table but that of a table, which is its name. */
static const char *table_of(const struct nlmsghdr *h)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == 1)
			return mnl_attr_get_str(a);
	return "";
}

static void test_messages(void **state)
{
	static const struct {
		unsigned type, flags;
	} want[] = {
		{ NFT_MSG_NEWTABLE, NLM_F_CREATE }, { NFT_MSG_NEWSET, NLM_F_CREATE }, { NFT_MSG_NEWSETELEM, NLM_F_CREATE },
		{ NFT_MSG_NEWCHAIN, NLM_F_CREATE }, { NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND },
		{ NFT_MSG_DELRULE, 0 }, { NFT_MSG_DELTABLE, 0 },
	};
	_cleanup_(xb_nft_done) struct xb_nft_batch b = { .table = "t", .seq = 7 };
	struct nftnl_set *elements = nftnl_set_alloc();
	struct nftnl_rule *rule = nftnl_rule_alloc();
	const struct nlmsghdr *h;
	int left;

	xb_nft_begin(&b);
	xb_nft_put_table(&b, NFT_MSG_NEWTABLE, NFPROTO_INET, nftnl_table_alloc());
	xb_nft_put_set(&b, NFT_MSG_NEWSET, NFPROTO_INET, "s", nftnl_set_alloc());
	assert_non_null(xb_nft_elem(&elements, "abcd", 4));
	xb_nft_put_elements(&b, NFT_MSG_NEWSETELEM, NFPROTO_INET, "s", elements);
	xb_nft_put_chain(&b, NFT_MSG_NEWCHAIN, NFPROTO_INET, "c", nftnl_chain_alloc());
	xb_nft_masquerade(&rule);
	xb_nft_put_rule(&b, NFT_MSG_NEWRULE, NFPROTO_INET, "c", rule);
	xb_nft_put_rule(&b, NFT_MSG_DELRULE, NFPROTO_INET, "c", nftnl_rule_alloc());
	xb_nft_put_table(&b, NFT_MSG_DELTABLE, NFPROTO_INET, nftnl_table_alloc());
	assert_int_equal(b.messages, ARRAY_SIZE(want));
	h = (void *)b.buf.p;
	left = (int)b.buf.n;
	assert_int_equal(h->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		h = mnl_nlmsg_next(h, &left);
		assert_true(mnl_nlmsg_ok(h, left));
		assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_NFTABLES << 8 | want[i].type);
		assert_int_equal(h->nlmsg_flags & ~NLM_F_REQUEST, want[i].flags);
		assert_int_equal(h->nlmsg_seq, 7);
		assert_string_equal(table_of(h), "t");
	}
	xb_nft_begin(&b);
	assert_int_equal(b.messages, 0);
}

/* What there was no memory for is not sent, nor is anything beside it. */
static void test_no_memory(void **state)
{
	_cleanup_(xb_nft_done) struct xb_nft_batch b = { .table = "t" };
	struct nftnl_set *s = NULL;
	struct nftnl_rule *rule = NULL;

	xb_nft_begin(&b);
	assert_null(xb_nft_elem(&s, "abcd", 4));
	assert_null(xb_nft_lookup(&rule, "s", NFT_REG_1));
	xb_nft_saddr(&rule, NFPROTO_IPV4, NFT_REG_1);
	xb_nft_compare(&rule, NFT_REG_1, NFT_CMP_EQ, "abcd", 4);
	xb_nft_masquerade(&rule);
	assert_null(rule);
	xb_nft_put_rule(&b, NFT_MSG_NEWRULE, NFPROTO_INET, "c", rule);
	xb_nft_put_table(&b, NFT_MSG_NEWTABLE, NFPROTO_INET, nftnl_table_alloc());
	assert_int_equal(b.messages, 2);
	assert_int_equal(xb_nft_commit(&b, NULL), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
