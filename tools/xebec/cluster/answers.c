/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "supervise.h"
#include "../xalloc.h"

#define WAIT_MS 50

static bool connects(const struct sockaddr *addr, socklen_t n)
{
	_cleanup_close_ int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int err = 0;

	if (fd < 0)
		return false;
	if (!connect(fd, addr, n))
		return true;
	if (errno != EINPROGRESS || poll(&p, 1, WAIT_MS) != 1)
		return false;
	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) && !err;
}

bool answers_at(const char *where)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *port = strrchr(where, ':');
	_cleanup_free_ char *ip = NULL;

	if (!strncmp(where, "unix:", 5)) {
		if (strlen(where + 5) >= sizeof(un.sun_path))
			return false;
		strcpy(un.sun_path, where + 5);
		return connects((const struct sockaddr *)&un, sizeof(un));
	}
	ip = xprintf("%.*s", (int)(port - where), where);
	in.sin_port = htons(atoi(port + 1));
	return inet_pton(AF_INET, ip, &in.sin_addr) == 1 && connects((const struct sockaddr *)&in, sizeof(in));
}
