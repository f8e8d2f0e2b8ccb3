/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "steps.h"

/* Another number here makes every chain new: for when the same steps are to become other rules. */
#define TRANSLATION 1

void nft_step(struct nft_steps *s, struct nft_step step)
{
	if (!s->err)
		s->err = xb_vec_push(s, step);
}

uint64_t nft_digest(uint64_t digest, const void *bytes, size_t n)
{
	for (const unsigned char *b = bytes; n--; b++)
		digest = (digest ^ *b) * 0x100000001b3ULL;
	return digest;
}

uint64_t nft_steps_digest(const struct nft_step *v, size_t n)
{
	uint64_t digest = NFT_DIGEST + TRANSLATION;

	for (size_t i = 0; i < n; i++) {
		__u32 numbers[] = { v[i].kind, v[i].number, v[i].net.bits };

		digest = nft_digest(digest, numbers, sizeof(numbers));
		digest = nft_digest(digest, &v[i].net.addr, sizeof(v[i].net.addr));
		digest = nft_digest(digest, v[i].name ? v[i].name : "", v[i].name ? strlen(v[i].name) + 1 : 1);
	}
	return digest ? digest : 1;
}
