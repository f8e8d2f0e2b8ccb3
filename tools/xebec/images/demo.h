/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_DEMO_H
#define XEBEC_DEMO_H
/* Images made of this host's own files, so that a cluster works without a registry: one archive each, NAME.tar. */
#define IMAGES_FOLDER "/var/lib/xebec/images" /* "xebec up" gives each node what lies there */
#define PAUSE_IMAGE   "registry.k8s.io/pause:3.10"

/* bin: the folder of our programs, pause among them. */
int demo_pause(const char *bin, const char *folder, char **reterr_why);
int demo_busybox(const char *folder, char **reterr_why);        /* package busybox-static */
int demo_nginx(const char *folder, char **reterr_why);          /* packages nginx-light, nginx-common; with busybox's tools */

#endif
