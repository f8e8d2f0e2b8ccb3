/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NETD_RULESET_H
#define NETD_RULESET_H
/* The messages of one nftables transaction, appended to a buffer: begin, what is in it, end. Errors stay in the buffer. */
#include "masq.h"

enum ruleset_set {                  /* IPv4's; that behind each is IPv6's */
	RULESET_LOCAL = 0, RULESET_PODS = 2, RULESET_NODES = 4, RULESET_SETS = 6,
};
void ruleset_begin(struct xb_buf *batch);
void ruleset_end(struct xb_buf *batch);
void ruleset_table(struct xb_buf *batch);    /* in place of the one that is there, if any: with its sets, empty, and chain */
void ruleset_no_table(struct xb_buf *batch); /* no fault when there is none */
void ruleset_rules(struct xb_buf *batch);
void ruleset_elements(struct xb_buf *batch, enum ruleset_set set, bool add, const struct xb_net *nets, size_t n);

#endif
