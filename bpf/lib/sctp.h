/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCTP_H
#define SCTP_H
/*
 * SCTP's checksum is a CRC32c over the whole packet (RFC 9260, appendix A), so another port changes it by all that follows: it is
 * computed twice at once, over what came and over what goes on. Only what was right is made right: a sum that the device
 * adds later is not there yet, and a damaged packet stays so. Besides what packet.h wants:
 *   int load(CTX *ctx, __u32 offset, void *to, __u32 n)    copies bytes of the packet; negative when they are not there
 */
#include "lib/packet.h"

#define CRC_CHUNK 32
#define SCTP_BYTES 12

struct crc_pair {
	CTX *ctx;
	__u32 at, end;                  /* offsets */
	__u32 was, now;
};

/* Half a byte at a time: a table of 64 bytes. */
static const __u32 crc_table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static __always_inline __u32 crc_byte(__u32 crc, __u8 byte)
{
	crc ^= byte;
	crc = crc >> 4 ^ crc_table[crc & 15];
	return crc >> 4 ^ crc_table[crc & 15];
}

static long crc_step(__u32 step, struct crc_pair *c)
{
	__u32 left = c->end - c->at;
	__u8 bytes[CRC_CHUNK] = {};

	if (c->at >= c->end)
		return 1;
	/* the tail is shorter than the buffer, and a constant length is all that the verifier is told */
	if (left >= CRC_CHUNK ? load(c->ctx, c->at, bytes, CRC_CHUNK) < 0 : load(c->ctx, c->at, bytes, 1) < 0) {
		c->at = c->end + 1;
		return 1;
	}
	for (__u32 i = 0; i < CRC_CHUNK; i++) {
		if (i && left < CRC_CHUNK)
			break;
		c->was = crc_byte(c->was, bytes[i]);
		c->now = crc_byte(c->now, bytes[i]);
	}
	c->at += left >= CRC_CHUNK ? CRC_CHUNK : 1;
	return 0;
}

/* After the ports were put. The field is little-endian, as both kinds of processor that Kubernetes nodes have are. */
static __always_inline void sctp_fix(CTX *ctx, const struct packet *p)
{
	__u8 was[SCTP_BYTES], now[SCTP_BYTES];
	struct crc_pair c = { .ctx = ctx, .at = p->l4 + SCTP_BYTES, .end = p->l3 + p->len, .was = ~0u, .now = ~0u };
	__u32 *check;

	if (p->first || load(ctx, p->l4, now, SCTP_BYTES) < 0)
		return;
	__builtin_memcpy(was, now, SCTP_BYTES);
	was[0] = p->t.sport >> 8;
	was[1] = p->t.sport;
	was[2] = p->t.dport >> 8;
	was[3] = p->t.dport;
	for (int i = 0; i < SCTP_BYTES; i++) {
		c.was = crc_byte(c.was, i < 8 ? was[i] : 0);
		c.now = crc_byte(c.now, i < 8 ? now[i] : 0);
	}
	bpf_loop(65536 / CRC_CHUNK + CRC_CHUNK, crc_step, &c, 0);
	check = header_at(ctx, p->l4 + 8, sizeof(*check));
	if (c.at == c.end && check && *check == ~c.was)
		*check = ~c.now;
}

#endif
