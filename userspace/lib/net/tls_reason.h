/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TLS_REASON_H
#define TLS_REASON_H
#include <openssl/err.h>

/* OpenSSL's words for what went wrong last in this thread; static text. */
static inline const char *tls_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "out of memory";
}

#endif
