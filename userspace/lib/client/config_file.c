/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/vec.h"
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

int xb_config_file_read_kind(const char *path, const char *kind, const char *version, struct xb_json **ret, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	int r = xb_config_file_read(path, &doc, reterr_why);

	if (r < 0)
		return r;
	if (!xb_jv_streq(xb_jv_get(xb_json_root(doc), "kind"), xb_sv(kind)) ||
	    !xb_jv_streq(xb_jv_get(xb_json_root(doc), "apiVersion"), xb_sv(version)))
		return xb_why(reterr_why, -EINVAL, "%s: not a %s of %s", path, kind, version);
	*ret = TAKE_PTR(doc);
	return 0;
}

void xb_config_text(struct xb_jv value, struct xb_buf *out)
{
	if (xb_jv_type(value) == XB_JSON_STRING)
		xb_json_unescape(xb_jv_text(value), out);
	else
		xb_buf_addsv(out, xb_jv_bytes(value));
}

int xb_config_flags_add(struct xb_config_flags *f, struct xb_buf *flag)
{
	char *whole = xb_buf_steal(flag);

	if (!whole || xb_vec_push(f, whole) < 0) {
		free(whole);
		return -ENOMEM;
	}
	return 0;
}

void xb_config_flags_done(struct xb_config_flags *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i]);
	xb_vec_done(f);
}

int xb_config_flags_steal(struct xb_config_flags *f, char ***ret)
{
	int r = xb_vec_push(f, NULL);

	if (r < 0)
		return r;
	*ret = f->v;
	*f = (struct xb_config_flags){};
	return 0;
}

char **xb_config_flags_free(char **flags)
{
	for (size_t i = 0; flags && flags[i]; i++)
		free(flags[i]);
	free(flags);
	return NULL;
}
