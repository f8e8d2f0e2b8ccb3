/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>

#include "alloc.h"
#include "xb/random.h"
#include "xb/why.h"

enum { MAX_HOST_BITS = 20, MIN_HOST_BITS = 3, WORD = 64 };

/* --- a set of small numbers */

struct bits {
	uint64_t *words;
	uint32_t n, n_set;
};

static int bits_init(struct bits *b, uint32_t n)
{
	*b = (struct bits){ .words = calloc((n + WORD - 1) / WORD, sizeof(uint64_t)), .n = n };
	return b->words ? 0 : -ENOMEM;
}

static bool bits_test(const struct bits *b, uint32_t i)
{
	return b->words[i / WORD] >> (i % WORD) & 1;
}

static void bits_set(struct bits *b, uint32_t i)
{
	b->n_set += !bits_test(b, i);
	b->words[i / WORD] |= UINT64_C(1) << (i % WORD);
}

static void bits_clear(struct bits *b, uint32_t i)
{
	b->n_set -= bits_test(b, i);
	b->words[i / WORD] &= ~(UINT64_C(1) << (i % WORD));
}

static int bits_take(struct bits *b, uint32_t i)
{
	if (bits_test(b, i))
		return -EEXIST;
	bits_set(b, i);
	return 0;
}

/* The first clear bit at or after from, going round. There is one. */
static uint32_t bits_next_clear(const struct bits *b, uint32_t from)
{
	uint32_t n_words = (b->n + WORD - 1) / WORD;
	uint64_t free_here = ~b->words[from / WORD] & (~UINT64_C(0) << (from % WORD));

	for (uint32_t word = from / WORD;; free_here = ~b->words[word]) {
		uint32_t i = word * WORD + (free_here ? (uint32_t)__builtin_ctzll(free_here) : WORD);

		if (free_here && i < b->n)
			return i;
		word = (word + 1) % n_words;
	}
}

static int bits_take_any(struct bits *b, uint32_t *ret)
{
	uint32_t from;

	if (b->n_set == b->n)
		return -ENOSPC;
	xb_random_bytes(&from, sizeof(from));
	*ret = bits_next_clear(b, from % b->n);
	bits_set(b, *ret);
	return 0;
}

/* --- addresses */

struct ip_range {
	int family;
	unsigned char net[16]; /* in network order; the last MAX_HOST_BITS are in its last four bytes */
	uint32_t size;
	struct bits taken;
	char text[INET6_ADDRSTRLEN + 4], first[INET6_ADDRSTRLEN];
};

static unsigned family_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

static int parse_ip(struct xb_sv text, int *ret_family, unsigned char ret[16])
{
	int family = text.n && memchr(text.p, ':', text.n) ? AF_INET6 : AF_INET;
	char copy[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(family, copy, ret) != 1)
		return -EINVAL;
	*ret_family = family;
	return 0;
}

static uint32_t low_word(const unsigned char *ip, int family)
{
	uint32_t be;

	memcpy(&be, ip + family_len(family) - sizeof(be), sizeof(be));
	return ntohl(be);
}

static void put_low_word(unsigned char *ip, int family, uint32_t word)
{
	uint32_t be = htonl(word);

	memcpy(ip + family_len(family) - sizeof(be), &be, sizeof(be));
}

static int parse_range(struct ip_range *r, struct xb_sv cidr, char **reterr_why)
{
	unsigned width, host_bits;
	struct xb_sv ip = {};
	uint64_t prefix;

	if (!xb_sv_split(&cidr, '/', &ip) || xb_sv_u64(cidr, &prefix) < 0 || parse_ip(ip, &r->family, r->net) < 0)
		return xb_why(reterr_why, -EINVAL, "it is not a CIDR");
	width = family_len(r->family) * 8;
	if (prefix > width)
		return xb_why(reterr_why, -EINVAL, "it is not a CIDR");
	host_bits = width - (unsigned)prefix;
	if (host_bits > MAX_HOST_BITS)
		return xb_why(reterr_why, -EINVAL, "it is too large; for %u-bit addresses, the mask must be >= %u",
			      width, width - MAX_HOST_BITS);
	if (host_bits < MIN_HOST_BITS)
		return xb_why(reterr_why, -EINVAL, "the service cluster IP range must be at least 8 IP addresses");
	r->size = UINT32_C(1) << host_bits;
	put_low_word(r->net, r->family, low_word(r->net, r->family) & ~(r->size - 1));
	inet_ntop(r->family, r->net, r->text, sizeof(r->text));
	snprintf(r->text + strlen(r->text), 5, "/%u", (unsigned)prefix);
	return 0;
}

static void print_nth(const struct ip_range *r, uint32_t n, char ret[INET6_ADDRSTRLEN])
{
	unsigned char ip[16];

	memcpy(ip, r->net, sizeof(ip));
	put_low_word(ip, r->family, low_word(ip, r->family) + n);
	inet_ntop(r->family, ip, ret, INET6_ADDRSTRLEN);
}

int ip_range_new(struct xb_sv cidr, struct ip_range **ret, char **reterr_why)
{
	_cleanup_(ip_range_freep) struct ip_range *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	err = parse_range(r, cidr, reterr_why);
	if (!err)
		err = bits_init(&r->taken, r->size);
	if (err < 0)
		return err;
	bits_set(&r->taken, 0);
	if (r->family == AF_INET)
		bits_set(&r->taken, r->size - 1);
	print_nth(r, 1, r->first);
	*ret = TAKE_PTR(r);
	return 0;
}

struct ip_range *ip_range_free(struct ip_range *r)
{
	if (r)
		free(r->taken.words);
	free(r);
	return NULL;
}

bool ip_range_is_v6(const struct ip_range *r)
{
	return r->family == AF_INET6;
}

const char *ip_range_text(const struct ip_range *r)
{
	return r->text;
}

const char *ip_range_first(const struct ip_range *r)
{
	return r->first;
}

/* Where in the range; -ERANGE for the range's own first address too (and a v4 range's last), which no Service can have. */
static int offset_of(const struct ip_range *r, struct xb_sv text, uint32_t *ret)
{
	unsigned char ip[16] = {};
	uint32_t offset;
	int family;

	if (parse_ip(text, &family, ip) < 0 || family != r->family)
		return -ERANGE;
	offset = low_word(ip, family) & (r->size - 1);
	put_low_word(ip, family, low_word(ip, family) & ~(r->size - 1));
	if (memcmp(ip, r->net, family_len(family)) || !offset || (family == AF_INET && offset == r->size - 1))
		return -ERANGE;
	*ret = offset;
	return 0;
}

int ip_range_take(struct ip_range *r, struct xb_sv ip)
{
	uint32_t offset;

	if (offset_of(r, ip, &offset) < 0)
		return -ERANGE;
	return bits_take(&r->taken, offset);
}

int ip_range_take_any(struct ip_range *r, char ret[INET6_ADDRSTRLEN])
{
	uint32_t offset;
	int err = bits_take_any(&r->taken, &offset);

	if (err < 0)
		return err;
	print_nth(r, offset, ret);
	return 0;
}

void ip_range_give(struct ip_range *r, struct xb_sv ip)
{
	uint32_t offset;

	if (!offset_of(r, ip, &offset))
		bits_clear(&r->taken, offset);
}

/* --- node ports */

struct port_range {
	int first;
	struct bits taken;
};

int port_range_new(int first, int last, struct port_range **ret)
{
	_cleanup_(port_range_freep) struct port_range *r = NULL;
	int err;

	if (first < 1 || last > 65535 || first > last)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->first = first;
	err = bits_init(&r->taken, (uint32_t)(last - first + 1));
	if (err < 0)
		return err;
	*ret = TAKE_PTR(r);
	return 0;
}

struct port_range *port_range_free(struct port_range *r)
{
	if (r)
		free(r->taken.words);
	free(r);
	return NULL;
}

void port_range_bounds(const struct port_range *r, int *ret_first, int *ret_last)
{
	*ret_first = r->first;
	*ret_last = r->first + (int)r->taken.n - 1;
}

static bool has_port(const struct port_range *r, int64_t port)
{
	return port >= r->first && port < r->first + (int64_t)r->taken.n;
}

int port_range_take(struct port_range *r, int64_t port)
{
	return has_port(r, port) ? bits_take(&r->taken, (uint32_t)(port - r->first)) : -ERANGE;
}

int port_range_take_any(struct port_range *r, int *ret)
{
	uint32_t offset;
	int err = bits_take_any(&r->taken, &offset);

	if (err < 0)
		return err;
	*ret = r->first + (int)offset;
	return 0;
}

void port_range_give(struct port_range *r, int64_t port)
{
	if (has_port(r, port))
		bits_clear(&r->taken, (uint32_t)(port - r->first));
}
