/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/base64.h"

/* last: the digits that stand for 62 and 63 */
static int value_of(char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == last[0] ? 62 : c == last[1] ? 63 : -1;
}

int xb_base64_digit(char c)
{
	return value_of(c, "+/");
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
			int value = k < 4 - skip ? xb_base64_digit(text.p[i + k]) : 0;

			if (value < 0)
				return -EINVAL;
			bits = bits << 6 | (unsigned)value;
		}
		xb_buf_add(out, (unsigned char[]){ bits >> 16, bits >> 8, bits }, 3 - skip);
	}
	return out->err;
}

void xb_base64url_encode(struct xb_sv bytes, struct xb_buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = (const unsigned char *)bytes.p;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6;) {
			have -= 6;
			xb_buf_addc(out, digits[bits >> have & 63]);
		}
	}
	if (have)
		xb_buf_addc(out, digits[bits << (6 - have) & 63]);
}

int xb_base64url_decode(struct xb_sv text, struct xb_buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < text.n; i++) {
		int value = value_of(text.p[i], "-_");

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			xb_buf_addc(out, (char)(bits >> have & 0xff));
		}
	}
	if (have >= 6)
		return -EINVAL;
	return out->err ? out->err : (bits & ((1u << have) - 1)) != 0;
}
