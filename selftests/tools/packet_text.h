/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PACKET_TEXT_H
#define PACKET_TEXT_H
/*
 * Packets from a line of text, every checksum made here from nothing: "tcp c:1000>v:80 S data=10 ttl=64".
 *
 * First the protocol: tcp udp sctp ping pong gre, unreach big time (ICMP errors), ipip; behind '|' stands the packet that an error is
 * about, or that a tunnel carries. A digit behind it is the family; without one it is text_v6. Hosts are letters (hosts[]). Port '?'
 * is text_nat, which the test learns. Then, as it may be:
 *   SAFRP        flags of TCP                    seq= ack= win=     of TCP
 *   ttl= id= df  id is the flow label of IPv6    data=              bytes of payload
 *   tag= chunk= flag=  of SCTP; the type of its first chunk, which is empty but for INIT and INIT ACK, and a flag of that
 *   addrs= pads=  of INIT and INIT ACK: so many parameters that are addresses, of IPv4 and IPv6 in turns, or that were
 *   opt= tcpopt= bytes of options, of IPv4, TCP  nosum badsum       UDP without checksum; a wrong one
 *   hbh= rt= ext=  bytes of hop-by-hop options; a routing header with so many segments left; bytes of destination options
 *   frag=OFFSET frag=OFFSET+  a fragment, more follow; one with an offset is payload alone
 *   cut=         only so many bytes of layer 4 are quoted in an error
 *   mtu=         of an error
 *   short= pad=  bytes that the frame lacks, or has more of
 *   says=        what the IP header says of its length, in place of the truth
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 2048
#define TEXT_ETH 14

enum { TEXT_ICMP = 1, TEXT_IPIP = 4, TEXT_TCP = 6, TEXT_UDP = 17, TEXT_IPV6 = 41, TEXT_GRE = 47, TEXT_ICMPV6 = 58, TEXT_SCTP = 132 };

static bool text_v6;
static uint16_t text_nat;

static const struct host {
	char letter;
	const char *v4, *v6;
} hosts[] = {
	{ 'c', "198.51.100.7", "2001:db9::7" },         /* a client outside */
	{ 'd', "203.0.114.9", "2001:dba::9" },          /* another */
	{ 'p', "10.244.1.2", "fd00:244:1::2" },         /* a pod here, a client */
	{ 'b', "10.244.1.9", "fd00:244:1::9" },         /* a pod here, a backend */
	{ 'r', "10.244.2.5", "fd00:244:2::5" },         /* a backend on the other node */
	{ 'n', "192.0.2.1", "2001:db8::1" },            /* this node */
	{ 'm', "192.0.2.2", "2001:db8::2" },            /* the other one */
	{ 'z', "192.0.2.254", "2001:db8::fe" },         /* the router */
	{ 'v', "10.96.0.10", "fd00:96::10" },           /* a cluster IP */
	{ 'u', "10.96.0.99", "fd00:96::99" },           /* one that no service has */
	{ 'x', "203.0.113.1", "2001:dbb::1" },          /* an external IP */
	{ 'l', "203.0.113.2", "2001:dbb::2" },          /* a load balancer's */
	{ 'o', "127.0.0.1", "::1" },
	{ '0', "0.0.0.0", "::" },
};

struct text_packet {
	uint8_t bytes[TEXT_MAX];
	size_t n, l4;                   /* l4: of the outermost */
	struct {
		size_t at;
		bool udp;               /* zero says that there is none */
	} sum[8];                       /* where checksums are */
	int n_sums;
};

struct text_item {
	int proto, icmp_type, icmp_code;
	bool v6, df, nosum, badsum, later, more;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	int ttl, id, data, opt, tcpopt, hbh, rt, ext, frag, cut, mtu, cut_off, pad, says;
	uint32_t seq, ack;
	int win, flags, chunk, flag, addrs, pads;
	uint32_t tag;
};

static inline void text_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void text_put32(uint8_t *p, uint32_t v)
{
	text_put16(p, v >> 16);
	text_put16(p + 2, v & 0xffff);
}

/* --- checksums, as the RFCs have them: one's complement sum of 16-bit words (1071), CRC32c bit by bit (9260) */

static inline uint32_t text_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static inline uint16_t text_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint32_t text_pseudo(const struct text_item *t, size_t n)
{
	uint32_t sum = (uint32_t)t->proto + (uint32_t)n;

	sum = text_sum(t->src, t->v6 ? 16 : 4, sum);
	return text_sum(t->dst, t->v6 ? 16 : 4, sum);
}

static inline uint32_t text_crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

/* --- reading */

static inline int text_die(const char *what, const char *word)
{
	printf("Bail out! packet text: %s '%s'\n", what, word);
	exit(1);
}

static inline void text_host(char letter, bool v6, uint8_t ret[16])
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (hosts[i].letter != letter)
			continue;
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? hosts[i].v6 : hosts[i].v4, ret);
		return;
	}
	text_die("no such host", (char[2]){ letter });
}

static inline uint16_t text_port(const char *s)
{
	return *s != ':' ? 0 : s[1] == '?' ? text_nat : (uint16_t)atoi(s + 1);
}

static inline void text_proto(struct text_item *t, char *word)
{
	static const struct {
		const char *name;
		int proto, proto6, type, type6, code, code6;
	} protos[] = {
		{ "tcp", TEXT_TCP, TEXT_TCP }, { "udp", TEXT_UDP, TEXT_UDP }, { "sctp", TEXT_SCTP, TEXT_SCTP }, { "gre", TEXT_GRE, TEXT_GRE },
		{ "ipip", TEXT_IPIP, TEXT_IPV6 }, { "ping", TEXT_ICMP, TEXT_ICMPV6, 8, 128 }, { "pong", TEXT_ICMP, TEXT_ICMPV6, 0, 129 },
		{ "unreach", TEXT_ICMP, TEXT_ICMPV6, 3, 1, 3, 4 }, { "big", TEXT_ICMP, TEXT_ICMPV6, 3, 2, 4, 0 },
		{ "time", TEXT_ICMP, TEXT_ICMPV6, 11, 3 }, { "redirect", TEXT_ICMP, TEXT_ICMPV6, 5, 137 },
	};
	char *end = word + strlen(word) - 1;

	t->v6 = *end == '6' || (*end != '4' && text_v6);
	if (*end == '4' || *end == '6')
		*end = '\0';
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strcmp(protos[i].name, word))
			continue;
		t->proto = t->v6 ? protos[i].proto6 : protos[i].proto;
		t->icmp_type = t->v6 ? protos[i].type6 : protos[i].type;
		t->icmp_code = t->v6 ? protos[i].code6 : protos[i].code;
		return;
	}
	text_die("no such protocol", word);
}

static inline void text_word(struct text_item *t, const char *word)
{
	const struct {
		const char *name;
		int *to;
	} numbers[] = {
		{ "ttl=", &t->ttl }, { "id=", &t->id }, { "data=", &t->data }, { "opt=", &t->opt }, { "tcpopt=", &t->tcpopt }, { "hbh=", &t->hbh }, { "rt=", &t->rt },
		{ "ext=", &t->ext }, { "cut=", &t->cut }, { "mtu=", &t->mtu }, { "short=", &t->cut_off }, { "pad=", &t->pad }, { "says=", &t->says },
		{ "win=", &t->win }, { "chunk=", &t->chunk }, { "flag=", &t->flag }, { "addrs=", &t->addrs }, { "pads=", &t->pads },
	};
	const char *to = strchr(word, '>'), *letters = "FSRPA";  /* from bit 0 on */

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strncmp(word, numbers[i].name, strlen(numbers[i].name))) {
			*numbers[i].to = atoi(strchr(word, '=') + 1);
			return;
		}
	if (to) {
		text_host(word[0], t->v6, t->src);
		text_host(to[1], t->v6, t->dst);
		t->sport = text_port(word + 1);
		t->dport = text_port(to + 2);
	} else if (!strncmp(word, "seq=", 4)) {
		t->seq = (uint32_t)strtoul(word + 4, NULL, 0);
	} else if (!strncmp(word, "tag=", 4)) {
		t->tag = (uint32_t)strtoul(word + 4, NULL, 0);
	} else if (!strncmp(word, "ack=", 4)) {
		t->ack = (uint32_t)strtoul(word + 4, NULL, 0);
	} else if (!strncmp(word, "frag=", 5)) {
		t->frag = atoi(word + 5);
		t->later = t->frag;
		t->more = strchr(word, '+');
	} else if (!strcmp(word, "df")) {
		t->df = true;
	} else if (!strcmp(word, "nosum")) {
		t->nosum = true;
	} else if (!strcmp(word, "badsum")) {
		t->badsum = true;
	} else if (strspn(word, letters) == strlen(word)) {
		for (; *word; word++)
			t->flags |= 1 << (strchr(letters, *word) - letters);
	} else {
		text_die("no such word", word);
	}
}

/* One item; *text is behind it. */
static inline struct text_item text_read(char **text)
{
	struct text_item t = {
		.ttl = 64, .id = 0x1234, .rt = -1, .frag = -1, .cut = -1, .says = -1, .seq = 1000, .ack = 2000, .win = 512,
		.tag = 0xabcd1234,
	};
	char *word = strsep(text, " ");

	text_proto(&t, word);
	while ((word = strsep(text, " ")) && strcmp(word, "|"))
		if (*word)
			text_word(&t, word);
	return t;
}

/* --- writing */

static inline void text_note_sum(struct text_packet *p, size_t at, bool udp)
{
	if (p->n_sums < 8)
		p->sum[p->n_sums++] = (typeof(p->sum[0])){ at, udp };
}

static inline size_t text_packet_at(struct text_packet *p, size_t l3, char *text);

static inline size_t text_extension(uint8_t *at, uint8_t **next, int type, int n)
{
	**next = (uint8_t)type;
	*next = at;
	at[1] = (uint8_t)(n / 8 - 1);
	if (type != 43) {
		at[2] = 1;              /* PadN */
		at[3] = (uint8_t)(n - 4);
	}
	return (size_t)n;
}

/* Everything before layer 4, but for lengths and checksum. Returns where layer 4 begins. */
static inline size_t text_headers(struct text_packet *p, size_t l3, const struct text_item *t)
{
	uint8_t *ip = p->bytes + l3, *next = ip + 6;
	size_t n = 40;

	if (!t->v6) {
		ip[0] = (uint8_t)(0x45 + t->opt / 4);
		text_put16(ip + 4, (unsigned)t->id);
		text_put16(ip + 6, (t->df ? 0x4000u : 0) | (t->more ? 0x2000u : 0) | (t->frag > 0 ? (unsigned)t->frag / 8 : 0));
		ip[8] = (uint8_t)t->ttl;
		ip[9] = (uint8_t)t->proto;
		memcpy(ip + 12, t->src, 4);
		memcpy(ip + 16, t->dst, 4);
		n = 20;
		while (n < 20u + (unsigned)t->opt)
			ip[n++] = 1;
		return l3 + n;
	}
	ip[0] = 0x60;
	text_put16(ip + 2, (unsigned)t->id);
	ip[7] = (uint8_t)t->ttl;
	memcpy(ip + 8, t->src, 16);
	memcpy(ip + 24, t->dst, 16);
	if (t->hbh)
		n += text_extension(ip + n, &next, 0, t->hbh);
	if (t->rt >= 0) {
		n += text_extension(ip + n, &next, 43, 8);
		ip[n - 5] = (uint8_t)t->rt;
	}
	if (t->frag >= 0) {
		n += text_extension(ip + n, &next, 44, 8);
		ip[n - 7] = 0;
		text_put16(ip + n - 6, (unsigned)t->frag | t->more);
		text_put32(ip + n - 4, (uint32_t)t->id);
	}
	if (t->ext)
		n += text_extension(ip + n, &next, 60, t->ext);
	*next = (uint8_t)t->proto;
	return l3 + n;
}

static inline size_t text_payload(uint8_t *at, int n)
{
	for (int i = 0; i < n; i++)
		at[i] = (uint8_t)(i * 7 + 1);
	return (size_t)n;
}

static inline size_t text_chunk(uint8_t *at, const struct text_item *t)
{
	at[0] = (uint8_t)t->chunk;
	at[1] = (uint8_t)t->flag;
	text_put16(at + 2, 4);
	return 4;
}

/* An INIT or INIT ACK, whose tag is 0x01080f16. */
static inline size_t text_init(uint8_t *at, const struct text_item *t)
{
	size_t n = 20;

	text_payload(at, (int)n);
	at[0] = (uint8_t)t->chunk;
	text_put32(at + 4, 0x01080f16);
	for (int i = 0; i < t->addrs + t->pads; i++) {
		size_t len = i & 1 ? 20 : 8;

		text_payload(at + n, (int)len);
		text_put16(at + n, t->pads ? 0x8005 : i & 1 ? 6 : 5);
		text_put16(at + n + 2, (unsigned)len);
		n += len;
	}
	text_put16(at + 2, (unsigned)n);
	return n;
}

/* Layer 4, all of it. Returns its length. */
static inline size_t text_transport(struct text_packet *p, size_t l4, const struct text_item *t, char *inner)
{
	static const int sum_at[256] = { [TEXT_TCP] = 16, [TEXT_UDP] = 6, [TEXT_ICMP] = 2, [TEXT_ICMPV6] = 2 };
	uint8_t *at = p->bytes + l4;
	int check = sum_at[t->proto & 0xff];
	uint16_t sum;
	size_t n = 8;

	if (t->later)
		return text_payload(at, t->data);
	if (t->proto == TEXT_IPIP || t->proto == TEXT_IPV6)
		return text_packet_at(p, l4, inner);
	if (t->proto == TEXT_ICMP || t->proto == TEXT_ICMPV6) {
		at[0] = (uint8_t)t->icmp_type;
		at[1] = (uint8_t)t->icmp_code;
		if (inner) {
			text_put16(at + 6, (unsigned)t->mtu);
			n += text_packet_at(p, l4 + 8, inner);
		} else {
			text_put16(at + 4, 7);
			text_put16(at + 6, 1);
		}
	} else {
		text_put16(at, t->sport);
		text_put16(at + 2, t->dport);
	}
	if (t->proto == TEXT_TCP) {
		text_put32(at + 4, t->seq);
		text_put32(at + 8, t->ack);
		n = 20u + (unsigned)t->tcpopt;
		memset(at + 20, 1, (unsigned)t->tcpopt);
		at[12] = (uint8_t)(n / 4 << 4);
		at[13] = (uint8_t)t->flags;
		text_put16(at + 14, (unsigned)t->win);
	} else if (t->proto == TEXT_SCTP) {
		text_put32(at + 4, t->tag);
		n = 12;
	}
	n += text_payload(at + n, t->data);
	if (t->proto == TEXT_SCTP && (t->chunk == 1 || t->chunk == 2))
		n += text_init(at + n, t);
	else if (t->proto == TEXT_SCTP && t->chunk)
		n += text_chunk(at + n, t);
	else if (t->proto == TEXT_SCTP && t->data)
		at[12] = 0;
	if (t->proto == TEXT_UDP)
		text_put16(at + 4, (unsigned)n);
	if (t->proto == TEXT_SCTP) {
		uint32_t crc = text_crc32c(at, n);

		for (int i = 0; i < 4; i++)
			at[8 + i] = (uint8_t)(crc >> 8 * i);
	}
	if (!check || t->nosum)
		return n;
	sum = text_checksum(text_sum(at, n, t->proto == TEXT_ICMP ? 0 : text_pseudo(t, n)));
	if (t->badsum)
		sum = text_checksum((uint16_t)~sum + 0x0101u);
	if (t->proto == TEXT_UDP && !sum)
		sum = 0xffff;
	text_put16(at + check, sum);
	text_note_sum(p, l4 + (size_t)check, t->proto == TEXT_UDP);
	return n;
}

/* An IP packet at an offset. Returns how many of its bytes are there. */
static inline size_t text_packet_at(struct text_packet *p, size_t l3, char *text)
{
	struct text_item t = text_read(&text);
	uint8_t *ip = p->bytes + l3;
	size_t l4 = text_headers(p, l3, &t), n = text_transport(p, l4, &t, text), says = t.says >= 0 ? (size_t)t.says : l4 - l3 + n;

	if (l3 == TEXT_ETH)
		p->l4 = l4;
	if (t.v6) {
		text_put16(ip + 4, (unsigned)(says - 40));
	} else {
		text_put16(ip + 2, (unsigned)says);
		text_put16(ip + 10, text_checksum(text_sum(ip, l4 - l3, 0)));
		text_note_sum(p, l3 + 10, false);
	}
	if (t.cut >= 0 && (size_t)t.cut < n) {
		memset(p->bytes + l4 + t.cut, 0, n - (size_t)t.cut);
		n = (size_t)t.cut;
	}
	while (p->n_sums && p->sum[p->n_sums - 1].at >= l4 + n)
		p->n_sums--;
	return l4 - l3 + n - (size_t)t.cut_off + (size_t)t.pad;
}

/* The whole frame, from an Ethernet address that ends with 2 to one that ends with 1. */
static inline void text_build(const char *text, struct text_packet *ret)
{
	char *copy = strdup(text);

	*ret = (struct text_packet){ .bytes = { [0] = 2, [5] = 1, [6] = 2, [11] = 2 } };
	ret->n = TEXT_ETH + text_packet_at(ret, TEXT_ETH, copy);
	text_put16(ret->bytes + 12, ret->bytes[TEXT_ETH] >> 4 == 6 ? 0x86dd : 0x0800);
	free(copy);
}

/* Where two packets differ; -1: they do not. A sum of zero has two ways to be written. */
static inline int text_differ(const struct text_packet *want, const uint8_t *got, size_t n)
{
	struct text_packet p = *want;

	for (int i = 0; i < p.n_sums; i++) {
		uint8_t *sum = p.bytes + p.sum[i].at;
		const uint8_t *other = got + p.sum[i].at;
		bool zero = sum[0] == sum[1] && (sum[0] == 0 || sum[0] == 0xff);

		if (zero && !p.sum[i].udp && p.sum[i].at + 2 <= n && other[0] == other[1] && (other[0] == 0 || other[0] == 0xff))
			memcpy(sum, other, 2);
	}
	for (size_t i = 0; i < MIN(n, p.n); i++)
		if (p.bytes[i] != got[i])
			return (int)i;
	return n == p.n ? -1 : (int)MIN(n, p.n);
}

#endif
