/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is a quantity has one canonical text, which means the same and stays as it is. */
#include <stdint.h>

#include "xb/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_buf_ struct xb_buf once = {}, twice = {};
	struct xb_quantity q, again;

	if (xb_quantity_parse((struct xb_sv){ (const char *)bytes, n }, &q) < 0)
		return 0;
	xb_quantity_write(&q, &once);
	if (xb_quantity_parse(xb_buf_sv(&once), &again) < 0 || xb_quantity_cmp(&q, &again))
		abort();
	xb_quantity_write(&again, &twice);
	if (!xb_sv_eq(xb_buf_sv(&once), xb_buf_sv(&twice)))
		abort();
	if (xb_quantity_value(&q) > 0 && xb_quantity_milli(&q) < xb_quantity_value(&q))
		abort();
	return 0;
}
