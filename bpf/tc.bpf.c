/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/pkt_cls.h>
#include "lib/tables.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int xb_ingress(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int xb_egress(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int xb_ingress_l3(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int xb_egress_l3(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}
