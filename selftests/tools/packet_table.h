/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PACKET_TABLE_H
#define PACKET_TABLE_H
/*
 * Services, packets that come, and what must become of them. Each vector begins with empty tables of flows. A packet without a
 * digit behind its protocol stands for both families.
 */
#include "packet_text.h"
#include "xb/abi/event.h"

/* On each port of these, all three protocols; port 8080 of the backends. */
static const struct service_row {
	const char *name, *at;          /* at: host and port; without a host a node port */
	enum xb_frontend_kind kind;
	const char *backends;           /* hosts */
	bool silent, dsr, maglev;
	__u32 affinity;
	const char *range[2];           /* of the load balancer's clients, IPv4 and IPv6 */
} services[] = {
	{ "here", "v:80", XB_FRONTEND_CLUSTER_IP, "b" },
	{ "there", "v:81", XB_FRONTEND_CLUSTER_IP, "r" },
	{ "none", "v:82", XB_FRONTEND_CLUSTER_IP, "" },
	{ "silent", "v:83", XB_FRONTEND_CLUSTER_IP, "", .silent = true },
	{ "sticky", "v:84", XB_FRONTEND_CLUSTER_IP, "b", .affinity = 100 },
	{ "broken", "v:85", XB_FRONTEND_CLUSTER_IP, "b" },
	{ "far", "x:80", XB_FRONTEND_EXTERNAL_IP, "r" },
	{ "near", "x:81", XB_FRONTEND_EXTERNAL_IP, "b" },
	{ "maglev", "x:82", XB_FRONTEND_EXTERNAL_IP, "r", .maglev = true },
	{ "itself", "x:83", XB_FRONTEND_EXTERNAL_IP, "n" },
	{ "dsr", "x:86", XB_FRONTEND_EXTERNAL_IP, "r", .dsr = true },
	{ "dsrend", "x:87", XB_FRONTEND_EXTERNAL_IP, "b", .dsr = true },
	{ "dsrgone", "x:88", XB_FRONTEND_EXTERNAL_IP, "", .dsr = true },
	{ "range", "l:80", XB_FRONTEND_LOAD_BALANCER, "r", .range = { "198.51.100.0/24", "2001:db9::/32" } },
	{ "node", "30080", XB_FRONTEND_NODE_PORT, "r" },
};

/* What a table or setting is before a vector. */
enum arrangement {
	AS_IT_IS,
	NO_SUCH_SERVICE,                /* frontends of "broken" lead nowhere */
	NO_NODE_ADDRESS,
	ONE_NAT_PORT,
	FLOWS_FULL,
	NO_MORE_FLOWS,                  /* in this tick */
	NO_SUCH_BACKEND,                /* nor do its sets of backends */
	BACKEND_GONE,                   /* before the second packet, "there" goes to b */
	BACKEND_JOINED,                 /* before that, "there" goes to b, too */
	MASQUERADE_ALL,
};

enum action {
	UP,                             /* to the stack, as it is or translated */
	ON,                             /* redirected to its next hop */
	BACK,                           /* sent back by where it came from */
	DROP,
};

enum {
	OUT = 1,                        /* the node itself sends it */
	FAST = 2,                       /* XDP does all of it */
};

struct step {
	const char *in;
	enum action action;
	enum xb_reason reason;
	const char *out;                /* NULL: as it came */
	unsigned how;
};

#define STEPS 6
static const struct vector {
	const char *what;
	struct step step[STEPS];
	enum arrangement arranged;
	int only;                       /* family 4 or 6; 0: both */
} vectors[] = {
	/* --- no service */
	{ "another's packet", { { "tcp c:1000>p:80 S", UP } } },
	{ "a port of the node", { { "tcp c:1000>n:22 S", UP } } },
	{ "another port of an external address", { { "tcp c:1000>x:22 S", UP } } },
	{ "a ping to an external address", { { "ping c>x", UP } } },
	{ "another protocol", { { "gre c>v data=20", UP } } },
	{ "loopback", { { "udp o:1000>o:80", UP } } },
	{ "no address", { { "udp c:1000>0:80", UP } } },
	{ "a pong", { { "pong c>v", UP } } },
	{ "a ping to the node", { { "ping c>n", UP } } },
	{ "a redirect", { { "redirect z>c | udp c:1000>v:80 data=8", UP } } },
	{ "an error about nothing known", { { "unreach z>c | udp c:1000>d:80 data=8 nosum", UP } } },
	{ "an error about a later fragment", { { "time z>n | udp n:1000>r:8080 frag=1480 data=8", UP } } },

	/* --- flows */
	{ "a backend here keeps the client's address", {
		{ "tcp c:1000>v:80 S", ON, XB_FLOW_MADE, "tcp c:1000>b:8080 S ttl=63" },
		{ "tcp b:8080>c:1000 SA", ON, 0, "tcp v:80>c:1000 SA ttl=63" },
		{ "tcp c:1000>v:80 A data=100", ON, 0, "tcp c:1000>b:8080 A data=100 ttl=63" },
		{ "tcp b:8080>c:1000 FA data=33", ON, 0, "tcp v:80>c:1000 FA data=33 ttl=63" },
		{ "tcp c:1000>v:80 RA", ON, 0, "tcp c:1000>b:8080 RA ttl=63" } } },
	{ "a backend elsewhere sees the node", {
		{ "tcp c:1000>x:80 S ttl=30 tcpopt=20", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=29 tcpopt=20", FAST },
		{ "tcp r:8080>n:? SA", ON, 0, "tcp x:80>c:1000 SA ttl=63", FAST },
		{ "tcp c:1000>x:80 PA data=1000", ON, 0, "tcp n:?>r:8080 PA data=1000 ttl=63", FAST } } },
	{ "UDP", {
		{ "udp c:1000>x:80 data=11", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=11 ttl=63", FAST },
		{ "udp r:8080>n:? data=700", ON, 0, "udp x:80>c:1000 data=700 ttl=63", FAST },
		{ "udp c:1000>x:80", ON, 0, "udp n:?>r:8080 ttl=63", FAST } } },
	{ "UDP without a checksum", {
		{ "udp c:1000>x:80 data=11 nosum", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=11 nosum ttl=63", FAST },
		{ "udp r:8080>n:? data=7 nosum", ON, 0, "udp x:80>c:1000 data=7 nosum ttl=63", FAST } } },
	{ "a damaged packet stays so", {
		{ "udp c:1000>x:80 data=11 badsum", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=11 badsum ttl=63", FAST } } },
	{ "SCTP, a chunk of 3 bytes", {
		{ "sctp c:1000>x:80 data=3", ON, XB_FLOW_MADE, "sctp n:?>r:8080 data=3 ttl=63", FAST },
		{ "sctp r:8080>n:? data=20", ON, 0, "sctp x:80>c:1000 data=20 ttl=63", FAST } } },
	{ "SCTP, addresses in INIT and INIT ACK", {
		{ "sctp c:1000>x:80 chunk=1 tag=0 addrs=5", ON, XB_FLOW_MADE, "sctp n:?>r:8080 chunk=1 tag=0 pads=5 ttl=63" },
		{ "sctp r:8080>n:? chunk=2 addrs=2", ON, 0, "sctp x:80>c:1000 chunk=2 pads=2 ttl=63" } } },
	{ "SCTP, an INIT without addresses", {
		{ "sctp c:1000>x:80 chunk=1 tag=0", ON, XB_FLOW_MADE, "sctp n:?>r:8080 chunk=1 tag=0 ttl=63" } } },
	{ "SCTP, no chunk", { { "sctp c:1000>v:80", ON, XB_FLOW_MADE, "sctp c:1000>b:8080 ttl=63" } } },
	{ "SCTP, 31 bytes", { { "sctp c:1000>v:80 data=31", ON, XB_FLOW_MADE, "sctp c:1000>b:8080 data=31 ttl=63" } } },
	{ "SCTP, 32 bytes", { { "sctp c:1000>v:80 data=32", ON, XB_FLOW_MADE, "sctp c:1000>b:8080 data=32 ttl=63" } } },
	{ "SCTP, 33 bytes", { { "sctp c:1000>v:80 data=33 pad=5", ON, XB_FLOW_MADE, "sctp c:1000>b:8080 data=33 pad=5 ttl=63" } } },
	{ "SCTP, 1200 bytes", { { "sctp c:1000>v:80 data=1200", ON, XB_FLOW_MADE, "sctp c:1000>b:8080 data=1200 ttl=63" } } },
	{ "a pod to a backend elsewhere keeps its address", {
		{ "tcp p:1000>v:81 S", ON, XB_FLOW_MADE, "tcp p:1000>r:8080 S ttl=63" },
		{ "tcp r:8080>p:1000 SA", ON, 0, "tcp v:81>p:1000 SA ttl=63" } } },
	{ "unless all is masqueraded", { { "tcp p:1000>v:81 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63" } }, MASQUERADE_ALL },
	{ "a client outside to a cluster IP", { { "tcp c:1000>v:81 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST } } },
	{ "a backend that is its own client", {
		{ "tcp b:1000>v:80 S", ON, XB_FLOW_MADE, "tcp n:?>b:8080 S ttl=63" },
		{ "tcp b:8080>n:? SA", ON, 0, "tcp v:80>b:1000 SA ttl=63" } } },
	{ "a node port", { { "tcp c:1000>n:30080 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST } } },
	{ "a node port that is no service's", { { "tcp c:1000>n:30081 S", UP } } },
	{ "the same backend by two services from one port", {
		{ "tcp c:1000>v:80 S", ON, XB_FLOW_MADE, "tcp c:1000>b:8080 S ttl=63" },
		{ "tcp c:1000>x:81 S", ON, XB_FLOW_MADE, "tcp c:?>b:8080 S ttl=63" },
		{ "tcp b:8080>c:? SA", ON, 0, "tcp x:81>c:1000 SA ttl=63" },
		{ "tcp b:8080>c:1000 SA", ON, 0, "tcp v:80>c:1000 SA ttl=63" } } },
	{ "a backend that is this node, though nobody says so", {
		{ "tcp c:1000>x:83 S", UP, XB_FLOW_MADE, "tcp c:1000>n:8080 S" },
		{ "tcp n:8080>c:1000 SA", UP, 0, "tcp x:83>c:1000 SA", OUT } } },
	{ "what the node itself sends", {
		{ "tcp n:1000>v:81 S", ON, XB_FLOW_MADE, "tcp n:1000>r:8080 S ttl=63", OUT },
		{ "tcp r:8080>n:1000 SA", UP, 0, "tcp v:81>n:1000 SA" } } },
	{ "Maglev", { { "udp c:1000>x:82", ON, XB_FLOW_MADE, "udp n:?>r:8080 ttl=63", FAST } } },
	{ "session affinity", {
		{ "udp c:1000>v:84", ON, XB_FLOW_MADE, "udp c:1000>b:8080 ttl=63" },
		{ "udp c:1001>v:84", ON, XB_FLOW_MADE, "udp c:1001>b:8080 ttl=63" } } },
	{ "in its source ranges", { { "udp c:1000>l:80", ON, XB_FLOW_MADE, "udp n:?>r:8080 ttl=63", FAST } } },
	{ "in none of its source ranges", { { "udp d:1000>l:80", DROP, XB_DROPPED_SOURCE_RANGE, NULL, FAST } } },
	{ "the end of a connection that is unknown", { { "tcp c:1000>v:80 R", DROP, 0, NULL, FAST } } },
	{ "a backend that is gone", {
		{ "udp p:1000>v:81", ON, XB_FLOW_MADE, "udp p:1000>r:8080 ttl=63" },
		{ "udp p:1000>v:81", ON, XB_FLOW_RESELECTED, "udp p:1000>b:8080 ttl=63" } }, BACKEND_GONE },
	{ "SCTP, a backend that is gone: an association drains", {
		{ "sctp p:1000>v:81 chunk=1", ON, XB_FLOW_MADE, "sctp p:1000>r:8080 chunk=1 ttl=63" },
		{ "sctp p:1000>v:81 data=8", ON, 0, "sctp p:1000>r:8080 data=8 ttl=63" },
		{ "sctp p:1000>v:81 chunk=1", ON, XB_FLOW_RESELECTED, "sctp p:1000>b:8080 chunk=1 ttl=63" } }, BACKEND_GONE },
	{ "SCTP, an association that ended, and another from the same port", {
		{ "sctp p:1000>v:81 chunk=1", ON, XB_FLOW_MADE, "sctp p:1000>r:8080 chunk=1 ttl=63" },
		{ "sctp r:8080>p:1000 chunk=14", ON, 0, "sctp v:81>p:1000 chunk=14 ttl=63" },
		{ "sctp p:1000>v:81 chunk=1", ON, XB_FLOW_MADE, "sctp p:1000>r:8080 chunk=1 ttl=63" } } },
	{ "SCTP, the end of an association that is unknown", { { "sctp c:1000>v:80 chunk=6", DROP, 0, NULL, FAST } } },
	{ "a backend that another joins", {
		{ "udp p:1000>v:81", ON, XB_FLOW_MADE, "udp p:1000>r:8080 ttl=63" },
		{ "udp p:1000>v:81", ON, 0, "udp p:1000>r:8080 ttl=63" },
		{ "udp r:8080>p:1000", ON, 0, "udp v:81>p:1000 ttl=63" },
		{ "udp p:1000>v:81", ON, 0, "udp p:1000>r:8080 ttl=63" } }, BACKEND_JOINED },
	{ "a connection outlives its backend's place", {
		{ "tcp p:1000>v:81 S", ON, XB_FLOW_MADE, "tcp p:1000>r:8080 S ttl=63" },
		{ "tcp p:1000>v:81 A", ON, 0, "tcp p:1000>r:8080 A ttl=63" } }, BACKEND_GONE },

	/* --- headers */
	{ "hop limit 2", { { "udp c:1000>x:80 ttl=2", ON, XB_FLOW_MADE, "udp n:?>r:8080 ttl=1", FAST } } },
	{ "hop limit 1", { { "udp c:1000>x:80 ttl=1", UP, XB_FLOW_MADE, "udp n:?>r:8080 ttl=1" } } },
	{ "hop limit 0", { { "udp c:1000>x:80 ttl=0", UP, XB_FLOW_MADE, "udp n:?>r:8080 ttl=0" } } },
	{ "IPv4 options", { { "tcp c:1000>x:80 S opt=40 data=5", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S opt=40 data=5 ttl=63", FAST } }, .only = 4 },
	{ "extension headers", {
		{ "tcp c:1000>x:80 S hbh=16 ext=24", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S hbh=16 ext=24 ttl=63", FAST } }, .only = 6 },
	{ "a routing header at its end", { { "udp c:1000>x:80 rt=0", ON, XB_FLOW_MADE, "udp n:?>r:8080 rt=0 ttl=63", FAST } }, .only = 6 },
	{ "a routing header that leads on", { { "udp c:1000>x:80 rt=1", UP } }, .only = 6 },
	{ "extension headers up to where programs look", {
		{ "tcp c:1000>x:80 S ext=400", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ext=400 ttl=63", FAST } }, .only = 6 },
	{ "extension headers longer than that", { { "tcp c:1000>x:80 S ext=512", UP } }, .only = 6 },
	{ "extension headers, each long", { { "udp c:1000>x:80 hbh=480 ext=480", UP } }, .only = 6 },
	{ "padding of Ethernet", { { "udp c:1000>x:80 data=1 pad=17", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=1 pad=17 ttl=63", FAST } } },

	/* --- shorter than it says */
	{ "no length", { { "udp4 c:1000>v:80 says=0", DROP, XB_DROPPED_MALFORMED } } },
	{ "a length that ends in the network header", { { "udp4 c:1000>v:80 says=19", DROP, XB_DROPPED_MALFORMED } } },
	{ "no whole TCP header", { { "tcp c:1000>v:80 S short=1", DROP, XB_DROPPED_MALFORMED } } },
	{ "no whole UDP header, not to a service", { { "udp c:1000>p:80 short=1", UP } } },
	{ "less data than the IP header says", { { "udp c:1000>v:80 data=20 short=1", DROP, XB_DROPPED_MALFORMED } } },
	{ "the same, to an address that is not of services alone", { { "udp c:1000>x:80 data=20 short=1", UP } } },
	{ "a length that ends in the transport header", {
		{ "udp4 c:1000>v:80 says=27 pad=18", DROP, XB_DROPPED_MALFORMED }, { "udp6 c:1000>v:80 says=47 pad=18", DROP, XB_DROPPED_MALFORMED } } },
	{ "an error without its packet", { { "unreach z>n | udp n:1000>r:8080 cut=7", UP } } },

	/* --- fragments */
	{ "fragments", {
		{ "udp c:1000>x:80 data=1400 frag=0+", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=1400 frag=0+ ttl=63" },
		{ "udp c>x data=100 frag=1408", ON, 0, "udp n>r data=100 frag=1408 ttl=63" } } },
	{ "a fragment without its first", { { "udp c>v data=100 frag=1480", DROP, XB_DROPPED_FRAGMENT } } },
	{ "a fragment of another's", { { "udp c>p data=100 frag=1480", UP } } },
	{ "the only fragment", { { "udp c:1000>x:80 data=14 frag=0", ON, XB_FLOW_MADE, "udp n:?>r:8080 data=14 frag=0 ttl=63", FAST } } },
	{ "no answer to a fragment", {
		{ "tcp c:1000>v:82 S data=1400 frag=0+", DROP, XB_REFUSED_NO_BACKEND },
		{ "ping c>u data=100 frag=0+", DROP, XB_REFUSED_NO_SERVICE }, { "ping c>u data=100 frag=104", DROP, XB_REFUSED_NO_SERVICE } } },
	{ "a ping in fragments", {
		{ "ping c>v data=1400 frag=0+", DROP, XB_DROPPED_FRAGMENT }, { "ping c>v data=100 frag=1408", DROP, XB_DROPPED_FRAGMENT } } },

	/* --- no */
	{ "no backend, TCP", {
		{ "tcp c:1000>v:82 S seq=77 id=9", BACK, XB_REFUSED_NO_BACKEND, "tcp v:82>c:1000 RA seq=0 ack=78 win=0 df id=9" } } },
	{ "a SYN with data", {
		{ "tcp c:1000>v:82 S seq=0xffffffff data=20 tcpopt=12", BACK, XB_REFUSED_NO_BACKEND, "tcp v:82>c:1000 RA seq=0 ack=20 win=0 df" } } },
	{ "the middle of a connection", {
		{ "tcp c:1000>v:82 PA data=5 ack=99", BACK, XB_REFUSED_NO_BACKEND, "tcp v:82>c:1000 R seq=99 ack=0 win=0 df" } } },
	{ "a SYN with options", {
		{ "tcp c:1000>v:82 S opt=8", BACK, XB_REFUSED_NO_BACKEND, "tcp v:82>c:1000 RA opt=8 seq=0 ack=1001 win=0 df" } }, .only = 4 },
	{ "a SYN with extension headers", {
		{ "tcp c:1000>v:82 S ext=8 hbh=8", BACK, XB_REFUSED_NO_BACKEND, "tcp v:82>c:1000 RA ext=8 hbh=8 seq=0 ack=1001 win=0" } }, .only = 6 },
	{ "no backend, UDP", {
		{ "udp c:1000>v:82 data=30", BACK, XB_REFUSED_NO_BACKEND, "unreach v>c df id=0 | udp c:1000>v:82 data=30 cut=8" } } },
	{ "no backend, UDP without a checksum", {
		{ "udp c:1000>v:82 data=3 nosum", BACK, XB_REFUSED_NO_BACKEND, "unreach v>c df id=0 | udp c:1000>v:82 data=3 nosum cut=8" } } },
	{ "no backend, SCTP", {
		{ "sctp c:1000>v:82 chunk=1 tag=0", BACK, XB_REFUSED_NO_BACKEND, "sctp v:82>c:1000 chunk=6 tag=0x01080f16 df" },
		{ "sctp c:1000>v:82 data=20", BACK, XB_REFUSED_NO_BACKEND, "sctp v:82>c:1000 chunk=6 flag=1 df" },
		{ "sctp c:1000>v:82 chunk=11", BACK, XB_REFUSED_NO_BACKEND, "sctp v:82>c:1000 chunk=6 flag=1 df" },
		{ "sctp c:1000>v:82 chunk=6", DROP, 0, NULL, FAST },
		{ "sctp c:1000>v:82 chunk=14", DROP, XB_REFUSED_NO_BACKEND } } },
	{ "no backend, UDP with options", {
		{ "udp c:1000>v:82 opt=40", BACK, XB_REFUSED_NO_BACKEND, "unreach v>c df id=0 | udp c:1000>v:82 opt=40 cut=8" } }, .only = 4 },
	{ "no such port", {
		{ "udp c:1000>v:9", BACK, XB_REFUSED_NO_PORT, "unreach v>c df id=0 | udp c:1000>v:9 cut=8" },
		{ "tcp c:1000>v:9 S", BACK, XB_REFUSED_NO_PORT, "tcp v:9>c:1000 RA seq=0 ack=1001 win=0 df" } } },
	{ "no such service", {
		{ "udp c:1000>u:80", BACK, XB_REFUSED_NO_SERVICE, "unreach u>c df id=0 | udp c:1000>u:80 cut=8" },
		{ "ping c>u", BACK, XB_REFUSED_NO_SERVICE, "unreach u>c df id=0 | ping c>u cut=8" } } },
	{ "a node's own client is refused", {
		{ "udp n:1000>v:82", BACK, XB_REFUSED_NO_BACKEND, "unreach v>n df id=0 | udp n:1000>v:82 cut=8", OUT } } },
	{ "none here, by policy", { { "udp c:1000>v:83", DROP, XB_DROPPED_NO_LOCAL_BACKEND, NULL, FAST } } },
	{ "no answer to a reset", { { "tcp c:1000>v:9 R", DROP, XB_REFUSED_NO_PORT } } },
	{ "an index that leads nowhere", { { "tcp c:1000>v:85 S", UP, XB_TABLE_ERROR } }, NO_SUCH_SERVICE },
	{ "a set that leads nowhere", { { "tcp c:1000>v:85 S", UP, XB_TABLE_ERROR } }, NO_SUCH_BACKEND },
	{ "no address to masquerade to", { { "tcp c:1000>x:80 S", DROP, XB_DROPPED_NO_NAT_ADDRESS, NULL, FAST } }, NO_NODE_ADDRESS },
	{ "no port to masquerade to", {
		{ "tcp c:1000>x:80 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST },
		{ "tcp r:8080>n:? SA", ON, 0, "tcp x:80>c:1000 SA ttl=63", FAST },
		{ "tcp c:1000>x:80 A", ON, 0, "tcp n:?>r:8080 A ttl=63", FAST },
		{ "tcp c:1001>x:80 S", DROP, XB_DROPPED_NO_NAT_PORT, NULL, FAST } }, ONE_NAT_PORT },
	{ "that of a flow which is not open", {
		{ "tcp c:1000>x:80 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST },
		{ "tcp c:1001>x:80 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST },
		{ "tcp r:8080>n:? SA", ON, 0, "tcp x:80>c:1001 SA ttl=63", FAST },
		{ "tcp c:1001>x:80 A", ON, 0, "tcp n:?>r:8080 A ttl=63", FAST },
		{ "tcp c:1001>x:80 RA", ON, 0, "tcp n:?>r:8080 RA ttl=63", FAST },
		{ "tcp c:1000>x:80 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST } }, ONE_NAT_PORT },
	{ "no room for a flow", { { "tcp c:1000>v:80 S", DROP, XB_DROPPED_FLOWS_FULL, NULL, FAST } }, FLOWS_FULL },
	{ "no room for a tunnel's flow", { { "tcp c:1000>x:86 S", DROP, XB_DROPPED_FLOWS_FULL, NULL, FAST } }, FLOWS_FULL },
	{ "no room for a masqueraded flow", { { "tcp c:1000>x:80 S", DROP, XB_DROPPED_FLOWS_FULL, NULL, FAST } }, FLOWS_FULL },
	{ "no more flows in this tick", { { "tcp c:1000>v:80 S", DROP, XB_DROPPED_FLOW_RATE, NULL, FAST } }, NO_MORE_FLOWS },

	/* --- pings */
	{ "a ping", { { "ping c>v data=56", BACK, XB_ECHO_ANSWERED, "pong v>c data=56" } } },
	{ "a ping at the end of its way", { { "ping c>v ttl=1", BACK, XB_ECHO_ANSWERED, "pong v>c ttl=64" } } },
	{ "a ping with options", { { "ping c>v data=5 opt=12", BACK, XB_ECHO_ANSWERED, "pong v>c data=5 opt=12" } }, .only = 4 },
	{ "a ping with extension headers", { { "ping c>v data=5 ext=16", BACK, XB_ECHO_ANSWERED, "pong v>c data=5 ext=16" } }, .only = 6 },

	/* --- too large */
	{ "longer than its way out takes", {
		{ "tcp c:1000>v:80 S data=1400 df", BACK, XB_FLOW_MADE, "big v>c mtu=1400 df id=0 | tcp c:1000>v:80 S data=1400 df cut=20" } } },
	{ "SCTP, longer than its way out takes", {
		{ "sctp c:1000>v:80 data=1400 df", BACK, XB_FLOW_MADE, "big v>c mtu=1400 df id=0 | sctp c:1000>v:80 data=1400 df cut=12" } } },
	{ "with headers that an error does not repeat", {
		{ "udp c:1000>v:80 ext=8", ON, XB_FLOW_MADE, "udp c:1000>b:8080 ext=8 ttl=63" },
		{ "udp c:1000>v:80 ext=8 data=1400", DROP, XB_DROPPED_NO_ROUTE } }, .only = 6 },
	{ "and may be divided", { { "udp c:1000>v:80 data=1400", UP, XB_FLOW_MADE, "udp c:1000>b:8080 data=1400" } }, .only = 4 },

	/* --- errors about flows */
	{ "errors about what a client sent", {
		{ "udp c:1000>v:80 data=60 nosum", ON, XB_FLOW_MADE, "udp c:1000>b:8080 data=60 nosum ttl=63" },
		{ "unreach b>c | udp c:1000>b:8080 data=60 nosum ttl=60", ON, XB_ERROR_TRANSLATED,
		  "unreach v>c ttl=63 | udp c:1000>v:80 data=60 nosum ttl=60" },
		{ "time z>c | udp c:1000>b:8080 data=60 nosum ttl=1 cut=8", ON, XB_ERROR_TRANSLATED,
		  "time z>c ttl=63 | udp c:1000>v:80 data=60 nosum ttl=1 cut=8" } } },
	{ "errors about what a backend elsewhere was sent", {
		{ "tcp c:1000>x:80 S", ON, XB_FLOW_MADE, "tcp n:?>r:8080 S ttl=63", FAST },
		{ "big z>n mtu=1300 | tcp n:?>r:8080 A data=1400 cut=8", ON, XB_ERROR_TRANSLATED,
		  "big z>c mtu=1300 ttl=63 | tcp c:1000>x:80 A data=1400 cut=8" },
		{ "unreach r>n | tcp n:?>r:8080 S cut=8", ON, XB_ERROR_TRANSLATED, "unreach x>c ttl=63 | tcp c:1000>x:80 S cut=8" } } },
	{ "errors about answers", {
		{ "udp c:1000>x:80 nosum", ON, XB_FLOW_MADE, "udp n:?>r:8080 nosum ttl=63", FAST },
		{ "unreach c>x | udp x:80>c:1000 nosum data=9", ON, XB_ERROR_TRANSLATED, "unreach n>r ttl=63 | udp r:8080>n:? nosum data=9" },
		{ "big z>x mtu=1280 | udp x:80>c:1000 nosum data=9", ON, XB_ERROR_TRANSLATED,
		  "big z>r mtu=1280 ttl=63 | udp r:8080>n:? nosum data=9" } } },
	{ "with IPv4 options", {
		{ "udp c:1000>x:80 nosum", ON, XB_FLOW_MADE, "udp n:?>r:8080 nosum ttl=63", FAST },
		{ "unreach r>n opt=40 | udp n:?>r:8080 nosum opt=40", ON, XB_ERROR_TRANSLATED,
		  "unreach x>c opt=40 ttl=63 | udp c:1000>x:80 nosum opt=40" } }, .only = 4 },
	{ "with extension headers", {
		{ "udp c:1000>x:80 nosum", ON, XB_FLOW_MADE, "udp n:?>r:8080 nosum ttl=63", FAST },
		{ "unreach r>n ext=8 | udp n:?>r:8080 nosum hbh=8 ext=16", ON, XB_ERROR_TRANSLATED,
		  "unreach x>c ext=8 ttl=63 | udp c:1000>x:80 nosum hbh=8 ext=16" } }, .only = 6 },
	{ "about a first fragment", {
		{ "udp c:1000>x:80 nosum", ON, XB_FLOW_MADE, "udp n:?>r:8080 nosum ttl=63", FAST },
		{ "time r>n | udp n:?>r:8080 nosum frag=0+ data=24", ON, XB_ERROR_TRANSLATED,
		  "time x>c ttl=63 | udp c:1000>x:80 nosum frag=0+ data=24" } } },
	{ "an error of the node's own", {
		{ "udp c:1000>v:80 nosum", ON, XB_FLOW_MADE, "udp c:1000>b:8080 nosum ttl=63" },
		{ "time n>c | udp c:1000>b:8080 nosum ttl=1", UP, XB_ERROR_TRANSLATED, "time n>c | udp c:1000>v:80 nosum ttl=1", OUT } } },

	/* --- tunnels */
	{ "to the backend's node, as it is", {
		{ "tcp c:1000>x:86 S ttl=9", ON, XB_FLOW_MADE, "ipip n>r df id=0 | tcp c:1000>x:86 S ttl=9" },
		{ "tcp c:1000>x:86 A data=1000", ON, 0, "ipip n>r df id=0 | tcp c:1000>x:86 A data=1000" } } },
	{ "a tunnel is no hop", {
		{ "udp c:1000>x:86 ttl=1", ON, XB_FLOW_MADE, "ipip n>r df id=0 | udp c:1000>x:86 ttl=1" } } },
	{ "with no room for another header", {
		{ "tcp4 c:1000>x:86 S", ON, XB_FLOW_MADE, "ipip4 n>r df id=0 | tcp4 c:1000>x:86 S" },
		{ "tcp4 c:1000>x:86 A data=1441 df", BACK, 0, "big4 x>c mtu=1480 df id=0 | tcp4 c:1000>x:86 A data=1441 df cut=20" },
		{ "tcp6 c:1000>x:86 A data=1401", BACK, XB_FLOW_MADE, "big6 x>c mtu=1460 df id=0 | tcp6 c:1000>x:86 A data=1401 cut=20" } } },
	{ "the end of a tunnel", {
		{ "ipip m>b df id=0 | tcp c:1000>x:87 S ttl=9", ON, XB_FLOW_MADE, "tcp c:1000>b:8080 S ttl=8" },
		{ "tcp b:8080>c:1000 SA", ON, 0, "tcp x:87>c:1000 SA ttl=63" } } },
	{ "what comes out of a tunnel has its own hop limit", {
		{ "ipip m>b ttl=1 | udp c:1000>x:87 ttl=9", ON, XB_FLOW_MADE, "udp c:1000>b:8080 ttl=8" },
		{ "ipip m>b | udp c:1000>x:87 ttl=1", UP, 0, "udp c:1000>b:8080 ttl=1" },
		{ "ipip m>b | udp c:1000>x:87 ttl=0", UP, 0, "udp c:1000>b:8080 ttl=0" } } },
	{ "and its own wish to be divided", {
		{ "ipip m>b df | udp c:1000>x:87 data=1390", UP, XB_FLOW_MADE, "udp c:1000>b:8080 data=1390" } }, .only = 4 },
	{ "somebody else's tunnel", { { "ipip m>b | tcp c:1000>p:80 S", UP }, { "ipip m>p | tcp c:1000>x:87 S", UP } } },
	{ "somebody else's tunnel to a flow", {
		{ "ipip m>b | tcp c:1000>x:87 S ttl=9", ON, XB_FLOW_MADE, "tcp c:1000>b:8080 S ttl=8" },
		{ "ipip m>p | tcp c:1000>x:87 A", UP },
		{ "ipip m>p | tcp b:8080>c:1000 A", UP } } },
	{ "a tunnel that led on, and now ends here", {
		{ "udp c:1000>x:86", ON, XB_FLOW_MADE, "ipip n>r df id=0 | udp c:1000>x:86" },
		{ "ipip m>b | unreach z>x | udp x:86>c:1000 nosum", UP },
		{ "ipip m>r | udp c:1000>x:86", UP } } },
	{ "a packet and a tunnel that say different lengths", { { "ipip m>b says=60 pad=40 | udp c:1000>x:87 data=40", UP } } },
	{ "a packet in a tunnel that says no length", { { "ipip m>b pad=40 | udp c:1000>x:87 says=0", UP } }, .only = 4 },
	{ "somebody else's tunnel to a service", {
		{ "ipip m>p | tcp c:1000>v:80 S", UP }, { "ipip m>p | tcp c:1000>v:82 S", UP }, { "ipip m>p | tcp c:1000>v:9 S", UP },
		{ "ipip m>p | udp d:1000>l:80", UP }, { "ipip m>p | udp c:1000>v:83", UP }, { "ipip m>b | tcp c:1000>v:80 S", UP } } },
	{ "a tunnel whose backend is gone", { { "ipip m>b | udp c:1000>x:88", UP } } },
	{ "fragments into a tunnel", {
		{ "udp c:1000>x:86 data=1000 frag=0+", ON, XB_FLOW_MADE, "ipip n>r df id=0 | udp c:1000>x:86 data=1000 frag=0+" },
		{ "udp c>x data=100 frag=1008", ON, 0, "ipip n>r df id=0 | udp c>x data=100 frag=1008" } } },
	{ "fragments out of a tunnel", {
		{ "ipip m>b | udp c:1000>x:87 data=1000 frag=0+", ON, XB_FLOW_MADE, "udp c:1000>b:8080 data=1000 frag=0+ ttl=63" },
		{ "ipip m>b | udp c>x data=100 frag=1008", ON, 0, "udp c>b data=100 frag=1008 ttl=63" } } },
	{ "errors about answers that did not come this way", {
		{ "udp c:1000>x:86 nosum", ON, XB_FLOW_MADE, "ipip n>r df id=0 | udp c:1000>x:86 nosum" },
		{ "big z>x mtu=1300 | udp x:86>c:1000 nosum data=1400 cut=8", ON, XB_ERROR_TRANSLATED,
		  "ipip n>r df id=0 | big z>x mtu=1300 | udp x:86>c:1000 nosum data=1400 cut=8" } } },
	{ "errors out of a tunnel", {
		{ "ipip m>b | udp c:1000>x:87 nosum", ON, XB_FLOW_MADE, "udp c:1000>b:8080 nosum ttl=63" },
		{ "ipip m>b | big z>x mtu=1300 | udp x:87>c:1000 nosum data=1400 cut=8", ON, XB_ERROR_TRANSLATED,
		  "big z>b mtu=1300 ttl=63 | udp b:8080>c:1000 nosum data=1400 cut=8" } } },
};

#endif
