/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef MODEL_PACKET_H
#define MODEL_PACKET_H
/* A packet of the model: bytes in memory, its network header first. What packet.h wants of who includes it. */
#include <stddef.h>
#include <linux/types.h>

#define CTX struct model_packet

struct model_packet {
	__u8 *bytes;
	__u32 len;
};

static inline void *header(CTX *ctx, __u32 offset, __u32 size)
{
	return offset <= ctx->len && size <= ctx->len - offset ? ctx->bytes + offset : NULL;
}

static inline __u32 length(CTX *ctx)
{
	return ctx->len;
}

#endif
