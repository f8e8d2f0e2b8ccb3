/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A request and a certificate from outside: a request that is read has a key, its names are text, and its fault is said. */
#include <stdint.h>
#include <stdlib.h>

#include "xb/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv text = { (const char *)bytes, n };
	_cleanup_csr_ struct xb_csr c = {};
	const char *fault = NULL;
	time_t end;
	int r = xb_csr_read(text, &c, &fault);

	if (r ? r == -EINVAL && !fault : !c.common_name || !c.organizations || !c.request)
		abort();
	fault = NULL;
	if (xb_csr_check_issued(text, &end, &fault) == -EINVAL && !fault)
		abort();
	return 0;
}
