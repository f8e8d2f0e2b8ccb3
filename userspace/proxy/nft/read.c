/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "read.h"
#include "xb/nft.h"
#include "attr.h"

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define TRIES 5 /* a dump that changes meanwhile begins anew */
#define UNKNOWN 1 /* digest of a chain without one */

/* --- attributes */
/* NULL when it is none, or longer than any name. */
static const char *text(const struct nlattr *a)
{
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;
	const char *s = n ? mnl_attr_get_payload(a) : NULL;

	return s && n <= NFT_NAME_MAXLEN && memchr(s, '\0', n) ? s : NULL;
}

static bool text_is(const struct nlattr *a, const char *want)
{
	const char *s = text(a);

	return s && !strcmp(s, want);
}

/* The text of a comment as nft keeps it: type, length, text. NULL for none. */
static const char *comment(const struct nlattr *a, uint8_t type)
{
	const unsigned char *b = a ? mnl_attr_get_payload(a) : NULL;
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;

	return n > 2 && b[0] == type && b[1] && b[1] <= n - 2 && !b[1 + b[1]] ? (const char *)b + 2 : NULL;
}

/* --- messages */
static void read_table(struct nft_reading *r, const struct nlmsghdr *h)
{
	const char *ours = comment(attr(h, NFTA_TABLE_USERDATA), NFTNL_UDATA_TABLE_COMMENT);

	r->found = ours && !strcmp(ours, NFT_TABLE_COMMENT) ? NFT_OURS : NFT_FOREIGN;
}

static int read_set(struct nft_reading *r, const struct nlmsghdr *h)
{
	const char *name = text(attr(h, NFTA_SET_NAME));
	struct nft_object o = { .kind = NFT_SET, .name = name, .digest = UNKNOWN };
	const struct nlattr *flags = attr(h, NFTA_SET_FLAGS);
	char *copy;
	int e;

	if (!name)
		return 0;
	e = nft_ledger_adopt(r->ledger, &o);
	if (e < 0 || (flags && mnl_attr_get_payload_len(flags) == 4 && ntohl(mnl_attr_get_u32(flags)) & NFT_SET_EVAL))
		return e;
	copy = strdup(name);
	if (copy && xb_vec_push(&r->sets, copy) == 0)
		return 0;
	free(copy);
	return -ENOMEM;
}

static int read_chain(struct nft_reading *r, const struct nlmsghdr *h)
{
	const char *name = text(attr(h, NFTA_CHAIN_NAME));
	struct nft_object o = { .kind = NFT_CHAIN, .name = name, .digest = UNKNOWN };

	return name ? nft_ledger_adopt(r->ledger, &o) : 0;
}

/* The first rule of a chain says what all of them are. */
static int read_rule(struct nft_reading *r, const struct nlmsghdr *h)
{
	const char *digest = comment(attr(h, NFTA_RULE_USERDATA), NFTNL_UDATA_RULE_COMMENT);
	struct nft_object o = { .kind = NFT_CHAIN, .name = text(attr(h, NFTA_RULE_CHAIN)) };
	char *end;

	if (!o.name || !digest)
		return 0;
	o.digest = strtoull(digest, &end, 16);
	return *end || !o.digest ? 0 : nft_ledger_adopt(r->ledger, &o);
}

static uint64_t verdict_digest(const struct nlattr *data)
{
	const struct nlattr *verdict = nested(data, NFTA_DATA_VERDICT);

	return verdict ? nft_verdict_digest(text(nested(verdict, NFTA_VERDICT_CHAIN))) : UNKNOWN;
}

static int read_element(struct nft_reading *r, const char *set, const struct nlattr *element)
{
	const struct nlattr *key = nested(nested(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *flags = nested(element, NFTA_SET_ELEM_FLAGS);
	struct nft_object o = { .kind = NFT_ELEMENT, .name = set };

	if (!key || mnl_attr_get_payload_len(key) > NFT_KEY_MAX)
		return 0;
	o.element.key_bytes = mnl_attr_get_payload_len(key);
	memcpy(o.element.key, mnl_attr_get_payload(key), o.element.key_bytes);
	o.element.end = flags && mnl_attr_get_payload_len(flags) == 4 && ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END;
	o.digest = verdict_digest(nested(element, NFTA_SET_ELEM_DATA));
	return nft_ledger_adopt(r->ledger, &o);
}

static int read_elements(struct nft_reading *r, const struct nlmsghdr *h)
{
	const char *set = text(attr(h, NFTA_SET_ELEM_LIST_SET));
	const struct nlattr *list = attr(h, NFTA_SET_ELEM_LIST_ELEMENTS), *a;
	int e = 0;

	if (!set || !list)
		return 0;
	mnl_attr_for_each_nested(a, list)
		if (!e)
			e = read_element(r, set, a);
	return e;
}

int nft_read_message(void *reading, const struct nlmsghdr *h)
{
	struct nft_reading *r = reading;

	/* The first attribute type of all of them is the table's name. */
	if (h->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) || h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    !text_is(attr(h, NFTA_TABLE_NAME), NFT_TABLE))
		return 0;
	switch (h->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		read_table(r, h);
		return 0;
	case NFT_MSG_NEWSET:
		return read_set(r, h);
	case NFT_MSG_NEWCHAIN:
		return read_chain(r, h);
	case NFT_MSG_NEWRULE:
		return read_rule(r, h);
	case NFT_MSG_NEWSETELEM:
		return read_elements(r, h);
	default:
		return 0;
	}
}

void nft_reading_done(struct nft_reading *r)
{
	for (size_t i = 0; i < r->sets.n; i++)
		free(r->sets.v[i]);
	xb_vec_done(&r->sets);
}

/* --- requests */
static int ask(struct xb_netlink *n, int family, uint16_t type, uint16_t flags, const char *set, struct nft_reading *r)
{
	char buf[1024] __attribute__((aligned(8)));
	struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buf, type, xb_nft_proto(family), flags, 0);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, NFT_TABLE);
	if (set)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	return xb_netlink_ask(n, h, nft_read_message, r);
}

int nft_read_table(struct xb_netlink *n, int family, enum nft_found *ret)
{
	struct nft_reading reading = {};
	int r = ask(n, family, NFT_MSG_GETTABLE, 0, NULL, &reading);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = reading.found;
	return 0;
}

static int read_once(struct xb_netlink *n, struct nft_ledger *l)
{
	_cleanup_(nft_reading_done) struct nft_reading reading = { .ledger = l };
	int r = ask(n, l->family, NFT_MSG_GETSET, NLM_F_DUMP, NULL, &reading);

	if (!r)
		r = ask(n, l->family, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, &reading);
	if (!r)
		r = ask(n, l->family, NFT_MSG_GETRULE, NLM_F_DUMP, NULL, &reading);
	for (size_t i = 0; !r && i < reading.sets.n; i++)
		r = ask(n, l->family, NFT_MSG_GETSETELEM, NLM_F_DUMP, reading.sets.v[i], &reading);
	return r;
}

int nft_read_ledger(struct xb_netlink *n, struct nft_ledger *l)
{
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < TRIES; i++) {
		nft_ledger_done(l);
		r = nft_ledger_init(l, l->family);
		if (!r)
			r = read_once(n, l);
	}
	return r;
}
