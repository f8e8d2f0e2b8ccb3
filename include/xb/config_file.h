/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_CONFIG_FILE_H
#define XB_CONFIG_FILE_H
/* A configuration file of one document, YAML or JSON, of at most 8 MiB: kubeconfig, a component's --config. */
#include "xb/json.h"

/* The first document. reterr_why: sentence naming the file, the caller's to free. -errno of the file, -EINVAL for its content,
 * -ENOMEM. */
int xb_config_file_read(const char *path, struct xb_json **ret, char **reterr_why);

#endif
