/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/why.h"
#include "xb/yaml.h"

#define MAX_FILE (8UL << 20)

int xb_config_file_read(const char *path, struct xb_json **ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {}, json = {}, fault = {};
	_cleanup_(xb_yaml_freep) struct xb_yaml *yaml = NULL;
	int r = xb_file_read(path, MAX_FILE, &text);

	if (r < 0) {
		errno = -r;
		return xb_why(reterr_why, r, "cannot read %s: %m", path);
	}
	r = xb_yaml_new(xb_buf_sv(&text), &(struct xb_yaml_limits){ .max_bytes = MAX_FILE }, &yaml);
	if (r < 0)
		return r;
	r = xb_yaml_next(yaml, &json, &fault);
	if (r == -ENOMEM)
		return r;
	if (r <= 0)
		return xb_why(reterr_why, -EINVAL, "%s: %s", path, r && fault.n ? fault.p : "empty");
	r = xb_json_parse(xb_buf_sv(&json), &(struct xb_json_limits){ .max_bytes = 4 * MAX_FILE }, ret, NULL);
	return r < 0 ? xb_why(reterr_why, r == -ENOMEM ? r : -EINVAL, "%s: too large or too deep", path) : 0;
}
