/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A container's log, which it may fill with anything: what is taken from its end for a message is no longer than is promised. */
#include <stdint.h>
#include <stdlib.h>

#include "../../userspace/kubelet/volumes/termination.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_buf_ struct xb_buf out = {};
	unsigned lines = 0;

	termination_log_text((struct xb_sv){ (const char *)bytes, n }, &out);
	for (size_t i = 0; i < out.n; i++)
		lines += out.p[i] == '\n';
	if (out.n > 2048 || lines > 80)
		abort();
	return 0;
}
