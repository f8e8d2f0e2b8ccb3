/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_LAYER_H
#define XEBEC_LAYER_H
/* An image's one layer: files of this host and others, each once, in a tar archive. */
#include "xb/map.h"
#include "xb/str.h"

struct layer;
struct layer *layer_new(void);
struct layer *layer_free(struct layer *l);
XB_DEFINE_CLEANUP(struct layer *, layer_free)
/* Paths are absolute, as they will be in the container; folders on the way are made. -errno with reterr_why naming the file. */
int layer_folder(struct layer *l, const char *path, unsigned mode, char **reterr_why);
int layer_text(struct layer *l, const char *path, const char *text, char **reterr_why);
int layer_link(struct layer *l, const char *path, const char *to, char **reterr_why);
/* The host's file from (symbolic links followed). */
int layer_copy(struct layer *l, const char *path, const char *from, char **reterr_why);
/* The same of a program, with its interpreter and all the shared objects that it and they need, where the host has them. */
int layer_program(struct layer *l, const char *path, const char *from, char **reterr_why);
/* The finished archive; borrowed. -ENOMEM. */
int layer_end(struct layer *l, struct xb_sv *ret);

#endif
