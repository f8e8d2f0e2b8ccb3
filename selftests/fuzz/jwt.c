/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A token from outside: never accepted, whatever it says; what is decoded encodes to the same text. */
#include <stdint.h>

#include "../../control/apiserver/jwt.h"
#include "xb/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct jwt_keys *keys(void)
{
	static struct jwt_keys *k;
	char file[] = "/tmp/xebec-fuzz-jwt-XXXXXX", public_file[sizeof(file) + 4];

	if (k)
		return k;
	if (!mkdtemp(file))
		abort();
	rmdir(file);
	strcpy(public_file, file);
	strcat(public_file, ".pub");
	if (jwt_key_make(file, public_file, NULL) || jwt_keys_new(file, NULL, &k, NULL))
		abort();
	unlink(file);
	unlink(public_file);
	return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv text = { (const char *)bytes, n };
	_cleanup_(xb_json_unrefp) struct xb_json *claims = NULL, *peeked = NULL;
	_cleanup_buf_ struct xb_buf raw = {}, again = {};

	if (!jwt_verify(keys(), text, &claims))
		abort();
	if (!jwt_peek(text, &peeked) && (!jwt_is(text) || xb_jv_type(xb_json_root(peeked)) != XB_JSON_OBJECT))
		abort();
	if (!xb_base64url_decode(text, &raw)) {
		xb_base64url_encode(xb_buf_sv(&raw), &again);
		if (!xb_sv_eq(xb_buf_sv(&again), text))
			abort();
	}
	return 0;
}
