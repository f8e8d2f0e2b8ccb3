/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "names.h"

bool names_find(struct names names, struct xb_sv name, unsigned *ret_index)
{
	size_t n = strlen(names.prefix);
	struct xb_sv digits;
	uint64_t number;

	if (!xb_sv_starts(name, names.prefix))
		return false;
	digits = (struct xb_sv){ name.p + n, name.n - n };
	if (xb_sv_u64(digits, &number) || (digits.n > 1 && *digits.p == '0') || number < names.first || number - names.first >= names.n)
		return false;
	*ret_index = number - names.first;
	return true;
}
