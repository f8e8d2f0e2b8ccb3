/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What nftables and conntrack answer: nothing beyond a message's end is touched, and what is read of one holds together. */
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../userspace/proxy/nft/flows.h"
#include "../../userspace/proxy/nft/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_all(const void *bytes, size_t n, int family)
{
	struct nft_ledger ledger;
	struct nft_reading reading = { .ledger = &ledger };
	struct xb_plan_backend b;
	struct nft_flow f;
	int left = (int)n;

	if (nft_ledger_init(&ledger, family) < 0)
		return;
	/* libmnl takes a length beyond INT_MAX for a negative one; the kernel sends none. */
	for (const struct nlmsghdr *h = bytes; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (unsigned)left; h = mnl_nlmsg_next(h, &left)) {
		if (nft_read_message(&reading, h) < 0)
			abort();
		if (nft_flow_read(h, family, &f) && f.to.port == f.by.port && !memcmp(&f.to.addr, &f.by.addr, sizeof(f.to.addr)))
			abort();
	}
	for (struct xb_map_it it = {}; xb_map_next(ledger.entries, &it);) {
		const struct nft_entry *e = it.value;

		if (!e->digest || strlen(nft_entry_name(e)) + 1 != e->name_bytes)
			abort();
		if (nft_name_backend(nft_entry_name(e), family, &b) && !b.port)
			abort();
	}
	nft_reading_done(&reading);
	nft_ledger_done(&ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	void *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	read_all(copy, n, AF_INET);
	read_all(copy, n, AF_INET6);
	free(copy);
	return 0;
}
