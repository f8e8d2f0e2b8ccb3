/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A network configuration on the CNI plugin's standard input: it is taken with ranges that can be walked, or its fault is said. */
#include <stdint.h>
#include <stdlib.h>

#include "../../userspace/cni/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_(cni_config_done) struct cni_config c = {};
	_cleanup_(cni_fault_done) struct cni_fault f = {};
	int code = cni_config_read((struct xb_sv){ (const char *)bytes, n }, CNI_ADD, &c, &f);

	if (code ? code != f.code || !f.why : !c.version || !c.name || (!c.loopback && (!c.data_dir || !(c.sets[0].n + c.sets[1].n))))
		abort();
	for (int i = 0; !code && i < 2; i++)
		for (unsigned j = 0; j < c.sets[i].n; j++)
			if (c.sets[i].v[j].first.family != (i ? AF_INET6 : AF_INET) ||
			    xb_ip_cmp(&c.sets[i].v[j].first, &c.sets[i].v[j].last) > 0)
				abort();
	return 0;
}
