/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCTP_INIT_H
#define SCTP_INIT_H
/*
 * INIT and INIT ACK name further addresses of who sends them (RFC 9260, 3.3.2.1). They are the host's own and not the service's, so
 * what is sent to them or from them is of no association that the other end has: it answers with ABORT, and the association
 * ends. Each becomes padding, and so an association through a service has the one address at each end that its packets have. For tc only.
 */
#include "lib/refuse.h"

#define SCTP_PARAMETERS_MAX 64          /* that are looked at */
#define SCTP_INIT_BYTES 20              /* before its parameters */

enum sctp_parameter {
	SCTP_IPV4_ADDRESS = 5,
	SCTP_IPV6_ADDRESS = 6,
	SCTP_PADDING = 0x8005,          /* RFC 4820; who does not know it skips it */
};

struct sctp_parameters {
	CTX *ctx;
	__u32 at, end;                  /* offsets */
	__u32 diff;                     /* of the CRC, as if the packet ended at at */
};

static long parameter_step(__u32 step, struct sctp_parameters *s)
{
	struct {
		__be16 type, len;
	} was = {};
	__be16 type = bpf_htons(SCTP_PADDING);
	__u32 len;

	if (s->at + sizeof(was) > s->end || bpf_skb_load_bytes(s->ctx, s->at, &was, sizeof(was)) < 0)
		return 1;
	len = (bpf_ntohs(was.len) + 3) & ~3u;
	if (len < sizeof(was) || s->at + len > s->end)
		return 1;
	/* zero or not: Linux 6.1 goes through this once, and leaves out for all steps what it does not see in the first */
	s->diff = crc_of(s->diff, len);
	if (was.type == bpf_htons(SCTP_IPV4_ADDRESS) || was.type == bpf_htons(SCTP_IPV6_ADDRESS)) {
		if (bpf_skb_store_bytes(s->ctx, s->at, &type, sizeof(type), 0) < 0)
			return 1;
		s->diff ^= crc_of(was.type ^ type, len);
	}
	s->at += len;
	return 0;
}

SUBPROG int name_no_addresses(CTX *ctx, const struct packet *p)
{
	struct sctp_parameters s = { .ctx = ctx };
	struct sctp_header *sctp;
	bool later;

	if (!p || p->first)
		return 0;
	later = summed_later(ctx, p);
	s.at = p->l4 + SCTP_BYTES + SCTP_INIT_BYTES;
	s.end = p->l3 + p->len;
	bpf_loop(SCTP_PARAMETERS_MAX, parameter_step, &s, 0);
	sctp = header_at(ctx, p->l4, SCTP_BYTES);
	if (sctp && s.diff && !later)
		sctp->check ^= crc_of(s.diff, s.end - s.at);
	return 0;
}

#endif
