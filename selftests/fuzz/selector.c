/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A selector's text form parses again, to the same text and the same choice; a refusal has a message. */
#include <stdint.h>

#include "xb/kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char object[] =
	"{\"a\":\"b\",\"b\":\"5\",\"app\":\"web\",\"in\":\"notin\",\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"},\"spec\":{\"nodeName\":\"\\u0061\","
	"\"hostNetwork\":true},\"status\":{\"phase\":\"Running\"}}";

static void labels(struct xb_sv text, struct xb_jv v)
{
	_cleanup_(xb_selector_freep) struct xb_selector *s = NULL, *again = NULL;
	_cleanup_buf_ struct xb_buf once = {}, twice = {};
	_cleanup_status_ struct xb_status status = {};

	if (xb_selector_parse(text, &s, &status) < 0) {
		if (status.code != 400 || !status.message)
			abort();
		return;
	}
	xb_selector_write(s, &once);
	if (xb_selector_parse(xb_buf_sv(&once), &again, NULL) < 0)
		abort();
	xb_selector_write(again, &twice);
	if (!xb_sv_eq(xb_buf_sv(&once), xb_buf_sv(&twice)) || xb_selector_matches(s, v) != xb_selector_matches(again, v))
		abort();
}

static void field_labels(struct xb_sv text, struct xb_jv v)
{
	const struct xb_kind *pod = xb_kind_by_name(XB_SV(""), XB_SV("v1"), XB_SV("Pod"));
	_cleanup_(xb_field_selector_freep) struct xb_field_selector *s = NULL;
	_cleanup_status_ struct xb_status status = {};

	if (xb_field_selector_parse(text, pod->field_labels, &s, &status) < 0 && (status.code != 400 || !status.message))
		abort();
	xb_field_selector_matches(s, v);
	xb_field_selector_name(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const struct xb_sv text = { (const char *)bytes, n };
	_cleanup_(xb_json_unrefp) struct xb_json *d = NULL;

	if (xb_json_parse(XB_SV(object), NULL, &d, NULL) < 0)
		abort();
	labels(text, xb_json_root(d));
	field_labels(text, xb_json_root(d));
	return 0;
}
