/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_WATCH_H
#define APISERVER_WATCH_H
/*
 * Watches: each is a cursor on the store's history. Nothing is buffered for a slow client beyond its window; when it falls
 * behind the history it is told so (410) and lists again.
 */
#include <uv.h>

/* A timer's callback, once a second while there are watches; its data is the server. Sends the bookmarks and ends that are due. */
void watch_tick(uv_timer_t *t);
/* A callback of each turn while a watch has news; its data is the server. */
void watch_pump(uv_idle_t *idle);

#endif
