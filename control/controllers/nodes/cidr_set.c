/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "cidr_set.h"

enum { MAX_BITS = 22, MAX_BITS_V6 = 16 };       /* of the number of a range; for IPv6 it is upstream's */

struct cidr_set {
	struct cidr range;
	unsigned bits;                          /* of the prefix of each */
	uint32_t n, n_free, next;
	uint32_t takers[];                      /* of each; 0: it is free */
};

static unsigned width(const struct cidr *c)
{
	return c->v6 ? 128 : 32;
}

static unsigned __int128 cut(unsigned __int128 ip, unsigned host_bits)
{
	return host_bits >= 128 ? 0 : ip >> host_bits << host_bits;
}

int cidr_parse(struct xb_sv text, struct cidr *ret)
{
	struct cidr c = { .v6 = text.n && memchr(text.p, ':', text.n) };
	struct xb_sv ip = {};
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	uint64_t bits;

	if (!xb_sv_split(&text, '/', &ip) || xb_sv_u64(text, &bits) || bits > width(&c) || ip.n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, ip.p, ip.n);
	copy[ip.n] = '\0';
	if (inet_pton(c.v6 ? AF_INET6 : AF_INET, copy, bytes) != 1)
		return -EINVAL;
	for (unsigned i = 0; i < width(&c) / 8; i++)
		c.first = c.first << 8 | bytes[i];
	c.bits = (unsigned)bits;
	c.first = cut(c.first, width(&c) - c.bits);
	*ret = c;
	return 0;
}

void cidr_write(const struct cidr *c, struct xb_buf *out)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	for (unsigned i = 0; i < width(c) / 8; i++)
		bytes[i] = (unsigned char)(c->first >> (width(c) - 8 * (i + 1)));
	inet_ntop(c->v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
	xb_buf_addf(out, "%s/%u", text, c->bits);
}

bool cidr_overlap(const struct cidr *a, const struct cidr *b)
{
	unsigned host_bits = width(a) - MIN(a->bits, b->bits);

	return a->v6 == b->v6 && cut(a->first, host_bits) == cut(b->first, host_bits);
}

/* --- the set --- */
int cidr_set_new(const struct cidr *range, unsigned bits, struct cidr_set **ret)
{
	struct cidr_set *s;
	uint32_t n;

	if (!bits || bits < range->bits || bits > width(range))
		return -EINVAL;
	if (bits - range->bits > (range->v6 ? MAX_BITS_V6 : MAX_BITS))
		return -E2BIG;
	n = UINT32_C(1) << (bits - range->bits);
	s = calloc(1, sizeof(*s) + n * sizeof(*s->takers));
	if (!s)
		return -ENOMEM;
	s->range = *range;
	s->bits = bits;
	s->n = s->n_free = n;
	*ret = s;
	return 0;
}

struct cidr_set *cidr_set_free(struct cidr_set *s)
{
	free(s);
	return NULL;
}

static unsigned __int128 size_of_each(const struct cidr_set *s)
{
	return (unsigned __int128)1 << (width(&s->range) - s->bits);
}

static void take(struct cidr_set *s, uint32_t i)
{
	s->n_free -= !s->takers[i];
	s->takers[i]++;
}

static void give(struct cidr_set *s, uint32_t i)
{
	s->n_free += s->takers[i] == 1;
	s->takers[i] -= s->takers[i] > 0;
}

int cidr_set_next(struct cidr_set *s, struct cidr *ret)
{
	uint32_t i = s->next;

	if (!s->n_free)
		return -ENOSPC;
	while (s->takers[i])
		i = (i + 1) % s->n;
	take(s, i);
	s->next = (i + 1) % s->n;
	*ret = (struct cidr){ s->range.v6, s->bits, s->range.first + i * size_of_each(s) };
	return 0;
}

/* The numbers of those that c overlaps. */
static bool find(const struct cidr_set *s, const struct cidr *c, uint32_t *ret_from, uint32_t *ret_to)
{
	if (!cidr_overlap(&s->range, c))
		return false;
	if (c->bits <= s->range.bits) {
		*ret_from = 0;
		*ret_to = s->n;
		return true;
	}
	*ret_from = (uint32_t)((c->first - s->range.first) / size_of_each(s));
	*ret_to = *ret_from + (c->bits < s->bits ? UINT32_C(1) << (s->bits - c->bits) : 1);
	return true;
}

int cidr_set_take(struct cidr_set *s, const struct cidr *c)
{
	uint32_t from, to;

	if (!find(s, c, &from, &to))
		return -ERANGE;
	for (uint32_t i = from; i < to; i++)
		take(s, i);
	return 0;
}

void cidr_set_give(struct cidr_set *s, const struct cidr *c)
{
	uint32_t from, to;

	if (!find(s, c, &from, &to))
		return;
	for (uint32_t i = from; i < to; i++)
		give(s, i);
}
