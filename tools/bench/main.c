/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "command.h"
#include "xb/macro.h"

static const struct command commands[] = {
	{ "service", "connections and round trips through a service address, beside the pod's own", cmd_service },
	{ "connect", "open connections at a steady rate and count those that fail", cmd_connect },
	{ "api", "bounded load on an API server: create, get, update, list, watch", cmd_api },
	{ "hollow", "nodes that exist in the API alone, and the pods bound to them", cmd_hollow },
	{ "sched", "make pods and measure how soon a scheduler has bound them", cmd_sched },
	{ "serve", "answer HTTP, TCP and UDP echo: the far end of the others", cmd_serve },
};

struct endpoint parse_endpoint(const char *flag, const char *text)
{
	struct endpoint e = {};
	struct sockaddr_in *v4 = (void *)&e.addr;
	struct sockaddr_in6 *v6 = (void *)&e.addr;
	const char *colon = strrchr(text, ':');
	char host[64] = {};
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (colon && colon - text < (long)sizeof(host) && port > 0 && port < 65536) {
		memcpy(host, text, colon - text);
		if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
			v4->sin_family = AF_INET;
			v4->sin_port = htons(port);
			e.length = sizeof(*v4);
			return e;
		}
		if (host[0] == '[' && host[strlen(host) - 1] == ']') {
			host[strlen(host) - 1] = 0;
			if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1) {
				v6->sin6_family = AF_INET6;
				v6->sin6_port = htons(port);
				e.length = sizeof(*v6);
				return e;
			}
		}
	}
	fprintf(stderr, "xebec-bench: %s: \"%s\" is not ADDRESS:PORT, such as 10.96.0.10:80 or [fd00::1]:80\n", flag, text);
	exit(EXIT_FAILURE);
}

double parse_number(const char *flag, const char *text, double least, double most)
{
	char *end;
	double v = strtod(text, &end);

	if (*text && !*end && v >= least && v <= most)
		return v;
	fprintf(stderr, "xebec-bench: %s: \"%s\" is not a number from %g to %g\n", flag, text, least, most);
	exit(EXIT_FAILURE);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct sample sample_of(double *values, unsigned n)
{
	if (!n)
		return (struct sample){};
	qsort(values, n, sizeof(*values), compare);
	return (struct sample){ values[n / 2], values[n / 4], values[n * 3 / 4], values[(size_t)((n - 1) * 0.99)] };
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(argc > 1 ? stderr : stdout, "usage: xebec-bench COMMAND [--help]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(argc > 1 ? stderr : stdout, "  %-9s %s\n", commands[i].name, commands[i].summary);
	return argc > 1 ? EXIT_FAILURE : EXIT_SUCCESS;
}
