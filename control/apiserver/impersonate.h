/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_IMPERSONATE_H
#define APISERVER_IMPERSONATE_H
/*
 * Acting as somebody else (kubernetes docs "User impersonation"): the headers Impersonate-User, -Group, -Uid and
 * -Extra-KEY. Who may is asked of the authorizer for every one of them, as the user who sends the request.
 */
#include "request.h"

/* q->user becomes the other one, in the arena; nothing happens without such headers. 403, 500, -ENOMEM. */
int impersonate(struct request *q);

#endif
