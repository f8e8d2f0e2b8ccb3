/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_YAML_H
#define XB_YAML_H
/*
 * YAML to JSON by the rules of sigs.k8s.io/yaml, that is of go-yaml v2: YAML 1.1 scalars (y, yes, on and their kin are
 * booleans, 0o17 and 017 are 15, 1_000 is 1000, a date stays a string), keys become strings, anchors are expanded, <<
 * merges. It differs in two points, both on purpose: a key given twice is a fault, as in its strict mode; and a key
 * beside << wins wherever it stands, as YAML says. Documents beyond a limit are refused before they take memory.
 */
#include "xb/str.h"

struct xb_yaml;
struct xb_yaml_limits {
	size_t max_bytes;      /* of the whole input; 0: 3 MiB */
	unsigned max_depth;    /* 0: 128 */
	uint32_t max_values;   /* a document, without those from aliases; 0: 500 000, about 50 MB while it is read */
	uint32_t max_aliased;  /* values that aliases may add to a document; 0: 50 000 */
};

/* A stream of documents. Borrows bytes until it is freed. 0, -E2BIG, -ENOMEM. */
int xb_yaml_new(struct xb_sv bytes, const struct xb_yaml_limits *limits, struct xb_yaml **ret);
struct xb_yaml *xb_yaml_free(struct xb_yaml *y);
XB_DEFINE_CLEANUP(struct xb_yaml *, xb_yaml_free)

/*
 * The next document, appended to out as JSON; an empty one is null. 1, or 0 at the end of the stream. -EBADMSG (not YAML, or
 * not to be said in JSON), -E2BIG (a limit), each with a text in go-yaml's words ("yaml: line 3: did not find expected
 * key") appended to reterr, -ENOMEM. out is unchanged on failure, and the stream then ends.
 */
int xb_yaml_next(struct xb_yaml *y, struct xb_buf *out, struct xb_buf *reterr);

#endif
