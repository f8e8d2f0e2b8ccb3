/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SERVER_STREAM_URL_H
#define KUBELET_SERVER_STREAM_URL_H
/* Where a runtime says its stream server waits: "http://127.0.0.1:41234/exec/TOKEN". Pure. */

struct stream_url {
	char *host, *path;              /* path with its query */
	int port;
};
/* -EINVAL: not plain HTTP, or not to a loopback address; a name is none. -ENOMEM. */
int stream_url_parse(const char *url, struct stream_url *ret);
void stream_url_done(struct stream_url *u);

#endif
