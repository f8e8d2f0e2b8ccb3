/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_CGROUPS_LIMITS_H
#define KUBELET_CGROUPS_LIMITS_H
/* What a pod's cgroup is given: upstream's ResourceConfigForPod. Pure. */
#include "../spec/spec.h"

#define CPU_PERIOD_US 100000
struct pod_limits {
	uint64_t cpu_milli;             /* requested */
	uint64_t shares;                /* 2 to 262144 */
	int64_t quota_us;               /* of CPU_PERIOD_US; -1: not limited */
	int64_t memory_bytes;           /* -1: not limited */
};
void pod_limits(struct xb_jv pod, enum spec_qos qos, bool cfs_quota, struct pod_limits *ret);
uint64_t milli_to_shares(uint64_t milli);
int64_t milli_to_quota_us(uint64_t milli);              /* at least 1000, the least the kernel takes; 0: -1 */
uint64_t shares_to_weight(uint64_t shares);             /* cpu.weight of cgroup v2, 1 to 10000 */

#endif
