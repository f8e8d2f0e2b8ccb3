/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "xb/macro.h"
#include "xb/random.h"

enum { UUIDS = 32, UUID_BYTES = 16 };

void xb_random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n) {
		ssize_t r = getrandom(at, n, 0);

		if (r < 0 && errno != EINTR)
			abort();
		if (r > 0) {
			at += r;
			n -= r;
		}
	}
}

void xb_uuid(char ret[37])
{
	/* a request of the API server each: a system call less */
	static _Thread_local unsigned char pool[UUIDS][UUID_BYTES];
	static _Thread_local unsigned left;
	static const char hex[] = "0123456789abcdef";
	unsigned char *bytes;

	if (!left) {
		xb_random_bytes(pool, sizeof(pool));
		left = UUIDS;
	}
	bytes = pool[--left];
	bytes[6] = 0x40 | (bytes[6] & 0x0f);
	bytes[8] = 0x80 | (bytes[8] & 0x3f);
	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*ret++ = '-';
		*ret++ = hex[bytes[i] >> 4];
		*ret++ = hex[bytes[i] & 0x0f];
	}
	*ret = '\0';
}

void xb_random_suffix(char ret[6])
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* without vowels, 0, 1 and 3: no words, no mistaken digits */
	enum { LETTERS = sizeof(letters) - 1, FAIR = 256 / LETTERS * LETTERS };
	unsigned char bytes[16];
	size_t at = sizeof(bytes);

	for (int n = 0; n < 5;) {
		if (at == sizeof(bytes)) {
			xb_random_bytes(bytes, sizeof(bytes));
			at = 0;
		}
		if (bytes[at] < FAIR)
			ret[n++] = letters[bytes[at] % LETTERS];
		at++;
	}
	ret[5] = '\0';
}

bool xb_secret_eq(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b; /* volatile: the compiler may not leave the loop early */
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= x[i] ^ y[i];
	return !differ;
}
