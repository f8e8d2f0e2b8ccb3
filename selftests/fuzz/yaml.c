/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every document that is accepted is JSON, and one that is not has a text. */
#include <stdint.h>

#include "xb/json.h"
#include "xb/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_json_limits limits = { .max_bytes = 1 << 28, .max_depth = 1000 };
	_cleanup_(xb_yaml_freep) struct xb_yaml *y = NULL;
	_cleanup_buf_ struct xb_buf out = {}, text = {};
	int r;

	if (xb_yaml_new((struct xb_sv){ (const char *)bytes, n }, NULL, &y) < 0)
		return 0;
	while ((r = xb_yaml_next(y, &out, &text)) > 0) {
		_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

		r = xb_json_parse(xb_buf_sv(&out), &limits, &d, NULL);
		if (r == -EBADMSG)
			abort();
		xb_buf_clear(&out);
	}
	if (r < 0 && !xb_sv_starts(xb_buf_sv(&text), "yaml: "))
		abort();
	return 0;
}
