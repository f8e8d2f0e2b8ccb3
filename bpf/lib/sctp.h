/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SCTP_H
#define SCTP_H
/*
 * SCTP's checksum is a CRC32c over the whole packet (RFC 9260, appendix A). A CRC is linear: another word changes it by the difference
 * times x^8 for each byte from there to the end, modulo the polynomial. So it follows by difference, as other checksums do: a packet
 * that was damaged stays so, and only the bytes that change are read. It costs 160 instructions for each bit of that number of
 * bytes. The field is little-endian, as both kinds of processor that Kubernetes nodes have are.
 */
#include "lib/packet.h"

#define CRC_POLYNOMIAL 0x82f63b78       /* the bit of x^31 is the last, as in all of these */

enum sctp_chunk {
	SCTP_INIT = 1,
	SCTP_INIT_ACK = 2,
	SCTP_ABORT = 6,
	SCTP_SHUTDOWN_COMPLETE = 14,
};

/* A packet's header, and what its first chunk begins with. */
struct sctp_header {
	__be16 src, dst;
	__be32 tag;
	__le32 check;
	__u8 type, flags;
	__be16 len;                     /* of the chunk */
	__be32 init_tag;                /* of INIT and INIT ACK */
};
#define SCTP_BYTES 12
#define SCTP_CHUNK_BYTES 4

/* x^8, and each the square of the one before */
static const __u32 crc_powers[16] = {
	0x00800000, 0x00008000, 0x82f63b78, 0x6ea2d55c, 0x18b8ea18, 0x510ac59a, 0xb82be955, 0xb8fdb1e7,
	0x88e56f72, 0x74c360a4, 0xe4172b16, 0x0d65762a, 0x35d73a62, 0x28461564, 0xbf455269, 0xe2ea32dc,
};

/* Not in line, nor is crc_of(): they are much for the verifier. */
SUBPROG __u32 crc_times(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int i = 0; i < 32; i++) {
		product ^= b & -(a >> 31);
		a <<= 1;
		b = b >> 1 ^ (CRC_POLYNOMIAL & -(b & 1));
	}
	return product;
}

/* What the word, as it lies in memory, makes in the CRC of a packet that has so many bytes (below 65536) from it on to its end. */
SUBPROG __u32 crc_of(__u32 word, __u32 bytes)
{
	for (int i = 0; i < 16; i++)
		if (bytes >> i & 1)
			word = crc_times(word, crc_powers[i]);
	return word;
}

/* After the ports were put. A fragment does not say where the packet ends. */
static __always_inline void sctp_fix(CTX *ctx, const struct packet *p)
{
	union {
		struct ports_header ports;
		__u32 word;
	} was = { .ports = { bpf_htons(p->t.sport), bpf_htons(p->t.dport) } }, now;
	struct sctp_header *sctp = header_at(ctx, p->l4, SCTP_BYTES);

	if (!sctp || p->first)
		return;
	now.ports = (struct ports_header){ sctp->src, sctp->dst };
	sctp->check ^= crc_of(was.word ^ now.word, p->l3 + p->len - p->l4);
}

#endif
