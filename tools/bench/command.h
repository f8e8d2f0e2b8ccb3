/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H
/*
 * xebec-bench: one file a command. To add one: write cmd_x() with its usage text in x.c, declare it here, add a row to
 * commands[] in main.c and the object to Kbuild. Every measuring command prints words, and one JSON object with -o json.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns EXIT_SUCCESS or EXIT_FAILURE */
};
int cmd_api(int argc, char **argv);
int cmd_hollow(int argc, char **argv);
int cmd_sched(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_service(int argc, char **argv);
int cmd_connect(int argc, char **argv);

/* "10.0.0.1:80" or "[fd00::1]:80". Says what is wrong with flag on stderr and exits when it is not one. */
struct endpoint {
	struct sockaddr_storage addr;
	socklen_t length;
};
struct endpoint parse_endpoint(const char *flag, const char *text);
double parse_number(const char *flag, const char *text, double least, double most);

uint64_t now_ns(void); /* CLOCK_MONOTONIC */

/* Samples and what is said of them. Sorts in place. */
struct sample {
	double median, low, high; /* low and high: the quartiles */
	double p99;
};
struct sample sample_of(double *values, unsigned n);

#endif
