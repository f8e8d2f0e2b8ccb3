/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flood tcp|udp ADDRESS PORT CLIENTS: from so many clients that there are not, in 198.18.0.0/15 (RFC 2544), by a raw socket. Each sends
 * a datagram; or a SYN, and every third a FIN or an ACK after it. Prints how many packets were sent, how many a second, and what each
 * cost in processor time of this thread, in which a veth's other end takes it too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FIRST_CLIENT 0xc6120000u
#define CLIENTS      (1u << 17)
#define FIRST_PORT   1024

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
};
struct datagram {
	struct iphdr ip;
	struct udphdr udp;
};

static const struct sockaddr_in *to;
static int fd;
static unsigned sent;

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* RFC 1071, over whole 16-bit words. */
static unsigned sum(unsigned sum, const void *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2) {
		unsigned short word;

		memcpy(&word, (const char *)from + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static struct iphdr ip_header(unsigned client, unsigned char proto, unsigned short bytes)
{
	return (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = proto, .tot_len = htons(bytes),
		.saddr = htonl(FIRST_CLIENT + client % CLIENTS), .daddr = to->sin_addr.s_addr,
	};
}

static unsigned short port_of(unsigned client)
{
	return htons((unsigned short)(FIRST_PORT + client / CLIENTS));
}

static void send_packet(const void *packet, size_t bytes)
{
	if (sendto(fd, packet, bytes, 0, (const struct sockaddr *)to, sizeof(*to)) == (ssize_t)bytes) {
		sent++;
	} else if (errno != ENOBUFS) {
		perror("flood: sendto");
		exit(EXIT_FAILURE);
	}
}

static void send_segment(unsigned client, bool syn, bool fin, bool ack)
{
	struct segment s = { .ip = ip_header(client, IPPROTO_TCP, sizeof(s)) };
	unsigned c = htons(IPPROTO_TCP) + htons(sizeof(s.tcp));

	s.tcp = (struct tcphdr){
		.source = port_of(client), .dest = to->sin_port, .seq = htonl(client * 2654435761u + !syn), .doff = 5, .syn = syn,
		.fin = fin, .ack = ack, .window = htons(64000),
	};
	c = sum(sum(c, &s.ip.saddr, 2 * sizeof(s.ip.saddr)), &s.tcp, sizeof(s.tcp));
	c = (c & 0xffff) + (c >> 16);
	s.tcp.check = (unsigned short)~((c & 0xffff) + (c >> 16));
	send_packet(&s, sizeof(s));
}

/* Without a checksum, as IPv4 lets it. */
static void send_datagram(unsigned client)
{
	struct datagram d = {
		.ip = ip_header(client, IPPROTO_UDP, sizeof(d)),
		.udp = { .source = port_of(client), .dest = to->sin_port, .len = htons(sizeof(d.udp)) },
	};

	send_packet(&d, sizeof(d));
}

int main(int argc, char *argv[])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	bool tcp = argc > 1 && !strcmp(argv[1], "tcp");
	unsigned clients;
	double wall, own;

	if (argc != 5 || (!tcp && strcmp(argv[1], "udp")) || inet_pton(AF_INET, argv[2], &at.sin_addr) != 1) {
		fputs("usage: flood tcp|udp ADDRESS PORT CLIENTS\n", stderr);
		return EXIT_FAILURE;
	}
	at.sin_port = htons((unsigned short)strtoul(argv[3], NULL, 10));
	clients = (unsigned)strtoul(argv[4], NULL, 10);
	to = &at;
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	wall = seconds(CLOCK_MONOTONIC);
	own = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < clients; i++) {
		if (!tcp) {
			send_datagram(i);
			continue;
		}
		send_segment(i, true, false, false);
		if (i % 3)
			send_segment(i, false, i % 3 == 1, i % 3 == 2);
	}
	wall = seconds(CLOCK_MONOTONIC) - wall;
	own = seconds(CLOCK_THREAD_CPUTIME_ID) - own;
	printf("%u packets, %.0f a second, %.0f ns of a processor each\n", sent, sent / wall, own * 1e9 / sent);
	return EXIT_SUCCESS;
}
