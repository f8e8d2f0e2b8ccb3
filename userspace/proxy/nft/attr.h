/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_NFT_ATTR_H
#define PROXY_NFT_ATTR_H
/* Reading messages of nfnetlink, which the kernel has checked: the first attribute of a type, which stays the message's; NULL when there
 * is none. */
#include <stddef.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

static inline const struct nlattr *nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (mnl_attr_get_type(a) == type)
				return a;
	return NULL;
}

static inline const struct nlattr *attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

#endif
