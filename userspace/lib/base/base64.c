/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/base64.h"

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int xb_base64_decode(struct xb_sv text, struct xb_buf *out)
{
	unsigned pad = 0;

	if (text.n % 4)
		return -EINVAL;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	if (xb_buf_reserve(out, text.n / 4 * 3))
		return out->err;
	for (size_t i = 0; i < text.n; i += 4) {
		unsigned skip = i + 4 == text.n ? pad : 0, bits = 0;

		for (size_t k = 0; k < 4; k++) {
			int value = k < 4 - skip ? digit(text.p[i + k]) : 0;

			if (value < 0)
				return -EINVAL;
			bits = bits << 6 | (unsigned)value;
		}
		xb_buf_add(out, (unsigned char[]){ bits >> 16, bits >> 8, bits }, 3 - skip);
	}
	return out->err;
}
