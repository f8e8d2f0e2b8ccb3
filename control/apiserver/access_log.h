/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_ACCESS_LOG_H
#define APISERVER_ACCESS_LOG_H
/*
 * A line for each answered request, from -v=3 on, with the fields of upstream's httplog. Of the request it has the method,
 * the URI and the user agent: no other header, so no credentials, and no body.
 */
#include "request.h"

void access_log(const struct request *q, int code);

#endif
