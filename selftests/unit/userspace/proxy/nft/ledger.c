/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/proxy/nft/read.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* --- a batch as text: a word for each message and, of elements, how many */
static const struct nlattr *attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

static void print_one(struct xb_buf *out, const struct nlmsghdr *h)
{
	static const char *const words[] = {
		[NFT_MSG_NEWCHAIN] = "newchain", [NFT_MSG_DELCHAIN] = "delchain", [NFT_MSG_NEWRULE] = "newrule", [NFT_MSG_DELRULE] = "delrule",
		[NFT_MSG_NEWSET] = "newset", [NFT_MSG_DELSET] = "delset", [NFT_MSG_NEWSETELEM] = "newelem", [NFT_MSG_DELSETELEM] = "delelem",
	};
	unsigned type = h->nlmsg_type & 0xff, n = 0;
	bool elements = type == NFT_MSG_NEWSETELEM || type == NFT_MSG_DELSETELEM;
	const struct nlattr *a;

	/* Of chains the name is the third attribute type, of all others the second. */
	a = attr(h, type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : NFTA_RULE_CHAIN);
	xb_buf_addf(out, "%s %s", words[type], mnl_attr_get_str(a));
	if (elements)
		mnl_attr_for_each_nested(a, attr(h, NFTA_SET_ELEM_LIST_ELEMENTS))
			n++;
	if (elements)
		xb_buf_addf(out, " %u", n);
	xb_buf_addc(out, '\n');
}

static void print(struct xb_buf *out, const struct xb_nft_batch *b)
{
	int left = (int)b->buf.n;

	for (const struct nlmsghdr *h = (void *)b->buf.p; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		print_one(out, h);
}

/* --- a ledger with ports */
struct world {
	struct nft_ledger l;
	struct nft_owner *owners[2];
	struct xb_buf sent;         /* all messages that were kept */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(nft_ledger_init(&w->l, AF_INET), 0);
	for (int i = 0; i < 2; i++) {
		w->owners[i] = nft_owner_new(i ? "a/c:p" : "a/b:p", XB_PROTO_TCP);
		assert_non_null(w->owners[i]);
	}
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++)
		nft_owner_free(w->owners[i]);
	nft_ledger_done(&w->l);
	xb_buf_done(&w->sent);
	free(w);
	return 0;
}

static struct xb_plan_backend backends[16];

/* Port i at 10.96.0.(1 + vip), with these of 16 backends. NULL for want: of no interest. */
static int change(struct world *w, int i, unsigned char vip, unsigned which, bool kept, const char *want)
{
	struct xb_plan_frontend fe = { XB_FRONTEND_CLUSTER_IP, { { 10, 96, 0, vip } }, 80 };
	struct xb_plan_backend v[16];
	struct xb_plan_port p = { .name = w->owners[i]->name, .family = AF_INET, .proto = XB_PROTO_TCP,
				  .frontends = &fe, .n_frontends = 1 };
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_(nft_wanted_done) struct nft_wanted wanted = { .family = AF_INET, .arena = a };
	_cleanup_buf_ struct xb_buf out = {};
	_cleanup_free_ char *why = NULL;
	struct xb_nft_batch b = { .table = NFT_TABLE };
	struct nft_change c;
	int r;

	for (unsigned k = 0; k < 16; k++) {
		backends[k] = (struct xb_plan_backend){ { { 10, 1, 0, k } }, 80, false };
		if (which & 1u << k)
			v[p.set[0].n++] = backends[k];
	}
	p.set[0].backends = v;
	if (which)
		nft_want_port(&wanted, &p);
	r = nft_ledger_change(&w->l, w->owners[i], &wanted, &b, &c, &why);
	print(&out, &b);
	if (want)
		assert_string_equal(out.p ? out.p : "", want);
	if (kept) {
		assert_int_equal(nft_change_keep(&w->l, &c), 0);
		xb_buf_add(&w->sent, b.buf.p, b.buf.n);
	} else {
		nft_change_drop(&w->l, &c);
	}
	xb_buf_done(&b.buf);
	return r;
}

#define ALL_OF_ONE "newchain endpoint-a/b/tcp/p__10.1.0.0/80\nnewchain service-a/b/tcp/p\n" \
		   "newrule endpoint-a/b/tcp/p__10.1.0.0/80\nnewrule endpoint-a/b/tcp/p__10.1.0.0/80\nnewrule service-a/b/tcp/p\n" \
		   "newelem cluster-ips 1\nnewelem service-ips 1\n"

static void only_what_differs(void **state)
{
	struct world *w = *state;

	assert_int_equal(change(w, 0, 1, 1, true, ALL_OF_ONE), 0);
	change(w, 0, 1, 1, true, "");
	/* another backend */
	change(w, 0, 1, 3, true, "newchain endpoint-a/b/tcp/p__10.1.0.1/80\n"
	       "newrule endpoint-a/b/tcp/p__10.1.0.1/80\nnewrule endpoint-a/b/tcp/p__10.1.0.1/80\n"
	       "delrule service-a/b/tcp/p\nnewrule service-a/b/tcp/p\nnewrule service-a/b/tcp/p\n");
	/* one that goes is not referred to any more when its chain goes */
	change(w, 0, 1, 2, true, "delrule service-a/b/tcp/p\nnewrule service-a/b/tcp/p\ndelchain endpoint-a/b/tcp/p__10.1.0.0/80\n");
	/* all of it: ways in first, endpoints last */
	change(w, 0, 1, 0, true, "delelem cluster-ips 1\ndelelem service-ips 1\ndelchain service-a/b/tcp/p\ndelchain endpoint-a/b/tcp/p__10.1.0.1/80\n");
	assert_int_equal(xb_map_count(w->l.entries), 0);
}

static void what_was_refused_is_not_there(void **state)
{
	struct world *w = *state;

	change(w, 0, 1, 1, false, ALL_OF_ONE);
	assert_int_equal(xb_map_count(w->l.entries), 0);
	change(w, 0, 1, 1, true, ALL_OF_ONE);
	change(w, 0, 1, 3, false, NULL);
	change(w, 0, 1, 1, true, "");
}

static void of_many_only_the_one(void **state)
{
	struct world *w = *state;

	change(w, 0, 1, 0x3ff, true, NULL);
	/* one of ten goes: the last takes its number */
	change(w, 0, 1, 0x3fd, true, "delrule service-a/b/tcp/p\nnewrule service-a/b/tcp/p\n"
	       "delelem service-a/b/tcp/p 1\ndelelem service-a/b/tcp/p 1\nnewelem service-a/b/tcp/p 1\ndelchain endpoint-a/b/tcp/p__10.1.0.1/80\n");
	/* it comes back, behind all others */
	change(w, 0, 1, 0x3ff, true, "newchain endpoint-a/b/tcp/p__10.1.0.1/80\n"
	       "newrule endpoint-a/b/tcp/p__10.1.0.1/80\nnewrule endpoint-a/b/tcp/p__10.1.0.1/80\n"
	       "delrule service-a/b/tcp/p\nnewrule service-a/b/tcp/p\nnewelem service-a/b/tcp/p 1\n");
	/* so few that there is no map */
	change(w, 0, 1, 3, true, NULL);
	for (struct xb_map_it it = {}; xb_map_next(w->l.entries, &it);)
		assert_int_not_equal(((struct nft_entry *)it.value)->kind, NFT_SET);
}

static void an_address_has_one_owner(void **state)
{
	struct world *w = *state;

	change(w, 0, 1, 1, true, NULL);
	/* the rest of the second port is made all the same, and the address itself is both's */
	assert_int_equal(change(w, 1, 1, 1, true, "newchain endpoint-a/c/tcp/p__10.1.0.0/80\nnewchain service-a/c/tcp/p\n"
			 "newrule endpoint-a/c/tcp/p__10.1.0.0/80\nnewrule endpoint-a/c/tcp/p__10.1.0.0/80\nnewrule service-a/c/tcp/p\n"), -EADDRINUSE);
	change(w, 0, 1, 0, true, "delelem service-ips 1\ndelchain service-a/b/tcp/p\ndelchain endpoint-a/b/tcp/p__10.1.0.0/80\n");
	assert_int_equal(change(w, 1, 1, 1, true, "newelem service-ips 1\n"), 0);
	/* the owner moves */
	change(w, 1, 2, 1, true, "delelem cluster-ips 1\ndelelem service-ips 1\nnewelem cluster-ips 1\nnewelem service-ips 1\n");
}

static void what_was_left_is_adopted_or_goes(void **state)
{
	struct world *w = *state;
	struct nft_object stray = { .kind = NFT_CHAIN, .name = "endpoint-x/y/udp__10.9.9.9/53", .digest = 7 };
	struct nft_object set = { .kind = NFT_SET, .name = "service-x/y/udp", .digest = 1 };
	struct nft_object element = { .kind = NFT_ELEMENT, .name = "service-x/y/udp", .digest = 5, .element.key_bytes = 4 };
	_cleanup_buf_ struct xb_buf out = {};
	struct xb_nft_batch b = { .table = NFT_TABLE };
	struct nft_change c;

	change(w, 0, 1, 3, true, NULL);
	/* as after a restart: nobody's */
	for (struct xb_map_it it = {}; xb_map_next(w->l.entries, &it);) {
		((struct nft_entry *)it.value)->owner = NULL;
		((struct nft_entry *)it.value)->refs = 0;
	}
	w->owners[0]->entries.n = 0;
	assert_int_equal(nft_ledger_adopt(&w->l, &stray), 0);
	assert_int_equal(nft_ledger_adopt(&w->l, &set), 0);
	assert_int_equal(nft_ledger_adopt(&w->l, &element), 0);
	change(w, 0, 1, 3, true, "");
	assert_int_equal(nft_ledger_unwanted(&w->l, 100, &b, &c), 0);
	print(&out, &b);
	assert_string_equal(out.p, "delelem service-x/y/udp 1\ndelchain endpoint-x/y/udp__10.9.9.9/53\ndelset service-x/y/udp\n");
	assert_int_equal(nft_change_keep(&w->l, &c), 0);
	change(w, 0, 1, 3, true, "");
	xb_buf_done(&b.buf);
}

/* What the kernel answers has the attributes of what it was sent. */
static void what_is_sent_is_read(void **state)
{
	struct world *w = *state;
	struct nft_reading reading = { .ledger = &w->l };
	int left;

	change(w, 0, 1, 0xfff, true, NULL);
	change(w, 1, 2, 3, true, NULL);
	nft_ledger_done(&w->l);
	assert_int_equal(nft_ledger_init(&w->l, AF_INET), 0);
	for (int i = 0; i < 2; i++)
		w->owners[i]->entries.n = 0;
	left = (int)w->sent.n;
	for (const struct nlmsghdr *h = (void *)w->sent.p; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		assert_int_equal(nft_read_message(&reading, h), 0);
	assert_int_equal(reading.sets.n, 1);
	assert_string_equal(reading.sets.v[0], "service-a/b/tcp/p");
	nft_reading_done(&reading);
	change(w, 0, 1, 0xfff, true, "");
	change(w, 1, 2, 3, true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_differs, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_refused_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(of_many_only_the_one, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_has_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sent_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_left_is_adopted_or_goes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
