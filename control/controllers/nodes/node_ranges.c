/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node_ranges.h"
#include "../options.h"
#include "xb/why.h"

enum { DEFAULT_BITS = 24, DEFAULT_BITS_V6 = 64 };

static int read_list(const char *flag, const char *text, struct cidr ret[2], unsigned *ret_n, char **reterr_why)
{
	struct xb_sv rest = xb_sv(text), one;
	unsigned n = 0;

	while (rest.n && xb_sv_split(&rest, ',', &one)) {
		struct cidr c;

		if (cidr_parse(xb_sv_trim(one), &c))
			return xb_why(reterr_why, -EINVAL, "--%s: \"%.*s\" is not a CIDR", flag, XB_SV_ARG(one));
		if (n == 2 || (n == 1 && ret[0].v6 == c.v6))
			return xb_why(reterr_why, -EINVAL, "--%s: \"%s\" is more than one CIDR of each family", flag, text);
		ret[n++] = c;
	}
	*ret_n = n;
	return 0;
}

static int read_bits(const struct kcm_options *o, struct node_ranges *r, char **reterr_why)
{
	bool v6 = r->cluster[0].v6;

	if (o->node_cidr_mask_size && r->n == 2)
		return xb_why(reterr_why, -EINVAL, "--node-cidr-mask-size is not allowed with two families: use --node-cidr-mask-size-ipv4 and -ipv6");
	if (o->node_cidr_mask_size && (o->node_cidr_mask_size_ipv4 || o->node_cidr_mask_size_ipv6))
		return xb_why(reterr_why, -EINVAL, "--node-cidr-mask-size is not allowed beside --node-cidr-mask-size-ipv4 and -ipv6");
	if (r->n == 1 && (v6 ? o->node_cidr_mask_size_ipv4 : o->node_cidr_mask_size_ipv6))
		return xb_why(reterr_why, -EINVAL, "--node-cidr-mask-size-ipv%d is not allowed: --cluster-cidr is of the other family", v6 ? 4 : 6);
	for (unsigned i = 0; i < r->n; i++) {
		int own = r->cluster[i].v6 ? o->node_cidr_mask_size_ipv6 : o->node_cidr_mask_size_ipv4;
		int bits = o->node_cidr_mask_size ? o->node_cidr_mask_size : own;

		r->bits[i] = bits ? (unsigned)bits : r->cluster[i].v6 ? DEFAULT_BITS_V6 : DEFAULT_BITS;
	}
	return 0;
}

/* What is in the way shows when a set is made. */
static int try_sets(const struct node_ranges *r, char **reterr_why)
{
	for (unsigned i = 0; i < r->n; i++) {
		_cleanup_(cidr_set_freep) struct cidr_set *set = NULL;
		_cleanup_buf_ struct xb_buf text = {};
		int error = cidr_set_new(&r->cluster[i], r->bits[i], &set);

		cidr_write(&r->cluster[i], &text);
		if (error == -EINVAL)
			return xb_why(reterr_why, error, "--cluster-cidr: \"%s\" holds no range with a mask of %u bits", text.p, r->bits[i]);
		if (error == -E2BIG)
			return xb_why(reterr_why, -EINVAL, "--cluster-cidr: \"%s\" holds too many ranges with a mask of %u bits", text.p, r->bits[i]);
		if (error)
			return error;
	}
	return 0;
}

int node_ranges_read(const struct kcm_options *o, struct node_ranges *ret, char **reterr_why)
{
	struct node_ranges ranges = {};
	int r = read_list("cluster-cidr", o->cluster_cidr, ranges.cluster, &ranges.n, reterr_why);

	if (!r && !ranges.n)
		r = xb_why(reterr_why, -EINVAL, "--allocate-node-cidrs needs --cluster-cidr");
	if (!r)
		r = read_list("service-cluster-ip-range", o->service_cluster_ip_range, ranges.services, &ranges.n_services, reterr_why);
	if (!r)
		r = read_bits(o, &ranges, reterr_why);
	if (!r)
		r = try_sets(&ranges, reterr_why);
	if (!r)
		*ret = ranges;
	return r;
}
