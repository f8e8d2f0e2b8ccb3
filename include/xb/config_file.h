/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CONFIG_FILE_H
#define XB_CONFIG_FILE_H
/* A configuration file of one document, YAML or JSON, of at most 8 MiB: kubeconfig, a component's --config. */
#include "xb/json.h"

/* The first document. reterr_why: sentence naming the file, the caller's to free. -errno of the file, -EINVAL for its content,
 * -ENOMEM. */
int xb_config_file_read(const char *path, struct xb_json **ret, char **reterr_why);
/* The same, of a component's configuration; -EINVAL also for what is none of that kind and version. */
int xb_config_file_read_kind(const char *path, const char *kind, const char *version, struct xb_json **ret, char **reterr_why);
void xb_config_text(struct xb_jv value, struct xb_buf *out); /* appended: a string itself, anything else as it is written */

/* Its fields, as the flags that they stand for ("--v=2"). */
struct xb_config_flags {
	char **v;
	size_t n, cap;
};
int xb_config_flags_add(struct xb_config_flags *f, struct xb_buf *flag); /* flag is empty afterwards. -ENOMEM, also flag's own */
void xb_config_flags_done(struct xb_config_flags *f);
int xb_config_flags_steal(struct xb_config_flags *f, char ***ret); /* ended by NULL; f is empty then. -ENOMEM */
char **xb_config_flags_free(char **flags);

#endif
