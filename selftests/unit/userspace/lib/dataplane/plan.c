/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of cases: a Service and its EndpointSlices, and in one line of text what should be in the data plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include "xb/plan.h"

#define NODE "here"
#define ZONE "z1"

/* quotes in the JSON are written as ' */
struct test_case {
	const char *name;
	const char *spec;               /* the Service's spec; status after a '|', annotations after another */
	const char *slices[3];          /* without metadata */
	/* "name family/proto [maglev] [dsr] frontends [from source ranges] > internal [| external, when it is another than internal]
	 * [|| outside, when it is another than external] [serving all that serve, when that is another than external]"; ports separated
	 * by "; ", and then " check port/local" where there is a port for health checks. frontends: C cluster IP, N node port,
	 * E external IP, L load balancer. A backend of this node ends in '!'; an empty set is "refuse" or "drop". */
	const char *plan;
};

#define SLICE4(ports, endpoints) "{'addressType':'IPv4','ports':[" ports "],'endpoints':[" endpoints "]}"
#define SLICE6(ports, endpoints) "{'addressType':'IPv6','ports':[" ports "],'endpoints':[" endpoints "]}"
#define P "{'name':'','port':8080,'protocol':'TCP'}"
#define EP(addr) "{'addresses':['" addr "'],'conditions':{'ready':true}}"
#define EP_AT(addr, node) "{'addresses':['" addr "'],'conditions':{'ready':true},'nodeName':'" node "'}"
#define EP_IS(addr, node, conditions) "{'addresses':['" addr "'],'conditions':{" conditions "},'nodeName':'" node "'}"
#define ZONE_HINT(zone) "'forZones':[{'name':'" zone "'}]"
#define NODE_HINT(node) "'forNodes':[{'name':'" node "'}]"
#define EP_FOR(addr, node, hints) "{'addresses':['" addr "'],'conditions':{'ready':true},'nodeName':'" node "','hints':{" hints "}}"
#define EP_DRAINING_FOR(addr, node, hints) "{'addresses':['" addr "'],'conditions':{" DRAINING "},'nodeName':'" node "','hints':{" hints "}}"
#define NODE_PORT(more) "'type':'NodePort','clusterIP':'10.96.0.1','ports':[{'port':80,'nodePort':30080}]" more
#define ONE_NODE_PORT "ns/web 4/6 C10.96.0.1:80 N0.0.0.0:30080"
#define LB_LOCAL(more) "'type':'LoadBalancer','externalTrafficPolicy':'Local','clusterIP':'10.96.0.1','ports':[{'port':80}]" more
#define LB(more) SPEC(",'type':'LoadBalancer'" more) "|'loadBalancer':{'ingress':[{'ip':'5.5.5.5'}]}"
#define DRAINING "'ready':false,'serving':true,'terminating':true"
#define DEAD "'ready':false,'serving':false,'terminating':true"
#define NOT_READY "'ready':false,'serving':false,'terminating':false"
#define SPEC(more) "'clusterIP':'10.96.0.1','clusterIPs':['10.96.0.1'],'ports':[{'port':80,'protocol':'TCP'}]" more
#define ONE "ns/web 4/6 C10.96.0.1:80"

static const struct test_case cases[] = {
	{ "cluster IP", SPEC(), { SLICE4(P, EP("10.1.0.2") "," EP("10.1.0.1")) }, ONE " > 10.1.0.1:8080 10.1.0.2:8080" },
	{ "no slice: refused", SPEC(), {}, ONE " > refuse" },
	{ "slice without endpoints: refused", SPEC(), { SLICE4(P, "") }, ONE " > refuse" },
	{ "slice of null members", SPEC(), { "{'addressType':'IPv4','ports':null,'endpoints':null}" }, ONE " > refuse" },
	{ "clusterIP without clusterIPs", "'clusterIP':'10.96.0.1','ports':[{'port':80}]", { SLICE4(P, EP("10.1.0.1")) },
	  ONE " > 10.1.0.1:8080" },

	/* what has no plan */
	{ "headless", "'clusterIP':'None','clusterIPs':['None'],'ports':[{'port':80}]", { SLICE4(P, EP("10.1.0.1")) }, "" },
	{ "no cluster IP yet", "'ports':[{'port':80}]", {}, "" },
	{ "ExternalName", "'type':'ExternalName','externalName':'a.b','clusterIP':'10.96.0.1','ports':[{'port':80}]", {}, "" },
	{ "no ports", "'clusterIP':'10.96.0.1'", {}, "" },
	{ "address that is none", "'clusterIP':'10.96.0.300','ports':[{'port':80}]", {}, "" },
	{ "protocol that is none", "'clusterIP':'10.96.0.1','ports':[{'port':80,'protocol':'XTP'},{'port':81}]", {},
	  "ns/web 4/6 C10.96.0.1:81 > refuse" },
	{ "port that is none", "'clusterIP':'10.96.0.1','ports':[{'port':70000},{'port':0},{'port':81}]", {},
	  "ns/web 4/6 C10.96.0.1:81 > refuse" },

	/* ports */
	{ "ports are matched by name", "'clusterIP':'10.96.0.1','ports':[{'name':'a','port':80},{'name':'b','port':81}]",
	  { SLICE4("{'name':'b','port':2},{'name':'a','port':1}", EP("10.1.0.1")) },
	  "ns/web:a 4/6 C10.96.0.1:80 > 10.1.0.1:1; ns/web:b 4/6 C10.96.0.1:81 > 10.1.0.1:2" },
	{ "and by protocol", "'clusterIP':'10.96.0.1','ports':[{'name':'dns','port':53,'protocol':'UDP'},{'name':'dns-tcp','port':53}]",
	  { SLICE4("{'name':'dns','port':5353,'protocol':'UDP'},{'name':'dns-tcp','port':5353,'protocol':'TCP'},"
		   "{'name':'dns-tcp','port':9,'protocol':'UDP'}", EP("10.1.0.1")) },
	  "ns/web:dns 4/17 C10.96.0.1:53 > 10.1.0.1:5353; ns/web:dns-tcp 4/6 C10.96.0.1:53 > 10.1.0.1:5353" },
	{ "SCTP", "'clusterIP':'10.96.0.1','ports':[{'port':80,'protocol':'SCTP'}]",
	  { SLICE4("{'name':'','port':7,'protocol':'SCTP'}", EP("10.1.0.1")) }, "ns/web 4/132 C10.96.0.1:80 > 10.1.0.1:7" },
	{ "a port nobody serves", "'clusterIP':'10.96.0.1','ports':[{'name':'a','port':80}]", { SLICE4("{'name':'b','port':1}", EP("10.1.0.1")) },
	  "ns/web:a 4/6 C10.96.0.1:80 > refuse" },
	{ "named target port: another number in each slice", SPEC(),
	  { SLICE4("{'name':'','port':1}", EP("10.1.0.1")), SLICE4("{'name':'','port':2}", EP("10.1.0.2")) },
	  ONE " > 10.1.0.1:1 10.1.0.2:2" },
	{ "two ports of one pod behind one port", SPEC(), { SLICE4("{'name':'','port':1}", EP("10.1.0.1")), SLICE4("{'name':'','port':2}", EP("10.1.0.1")) },
	  ONE " > 10.1.0.1:1 10.1.0.1:2" },
	{ "slice port without a number is passed over", SPEC(), { SLICE4("{'name':''}", EP("10.1.0.1")) }, ONE " > refuse" },
	{ "slice port without a name is the unnamed one", SPEC(), { SLICE4("{'port':5}", EP("10.1.0.1")) }, ONE " > 10.1.0.1:5" },

	/* endpoints */
	{ "not ready", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", NOT_READY) "," EP("10.1.0.2")) }, ONE " > 10.1.0.2:8080" },
	{ "all not ready: refused", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", NOT_READY)) }, ONE " > refuse" },
	{ "conditions not said count as ready", SPEC(), { SLICE4(P, "{'addresses':['10.1.0.1']}") }, ONE " > 10.1.0.1:8080" },
	{ "conditions null", SPEC(), { SLICE4(P, "{'addresses':['10.1.0.1'],'conditions':{'ready':null}}") }, ONE " > 10.1.0.1:8080" },
	{ "publishNotReadyAddresses: the slice says ready", SPEC(",'publishNotReadyAddresses':true"),
	  { SLICE4(P, EP_IS("10.1.0.1", "x", "'ready':true,'serving':false,'terminating':false")) }, ONE " > 10.1.0.1:8080" },
	{ "ready goes before draining", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", DRAINING) "," EP("10.1.0.2")) },
	  ONE " > 10.1.0.2:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "nothing ready: draining ones serve on", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", DRAINING) "," EP_IS("10.1.0.2", "x", DEAD)) },
	  ONE " > 10.1.0.1:8080" },
	{ "terminating and not serving: refused", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", DEAD)) }, ONE " > refuse" },
	{ "serving, not terminating, not ready: not used", SPEC(),
	  { SLICE4(P, EP_IS("10.1.0.1", "x", "'ready':false,'serving':true,'terminating':false")) }, ONE " > refuse" },
	{ "only the first address counts", SPEC(), { SLICE4(P, "{'addresses':['10.1.0.1','10.1.0.2']}") }, ONE " > 10.1.0.1:8080" },
	{ "bad addresses are passed over", SPEC(), { SLICE4(P, EP("nonsense") "," EP("fd00::1") "," EP("10.1.0.1") ",{'addresses':[]},{}") },
	  ONE " > 10.1.0.1:8080" },
	{ "the same endpoint in two slices", SPEC(), { SLICE4(P, EP("10.1.0.1") "," EP("10.1.0.2")), SLICE4(P, EP("10.1.0.2") "," EP("10.1.0.3")) },
	  ONE " > 10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8080" },
	{ "twice, ready in one slice", SPEC(), { SLICE4(P, EP_IS("10.1.0.1", "x", NOT_READY)), SLICE4(P, EP("10.1.0.1")) }, ONE " > 10.1.0.1:8080" },
	{ "twice, local in one slice", SPEC(), { SLICE4(P, EP("10.1.0.1")), SLICE4(P, EP_AT("10.1.0.1", NODE)) }, ONE " > 10.1.0.1:8080!" },
	{ "slice of names is passed over", SPEC(), { "{'addressType':'FQDN','ports':[" P "],'endpoints':[{'addresses':['a.b']}]}" }, ONE " > refuse" },
	{ "local ones are marked", SPEC(), { SLICE4(P, EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", "there")) },
	  ONE " > 10.1.0.1:8080! 10.1.0.2:8080" },

	/* frontends */
	{ "node port", "'type':'NodePort','clusterIP':'10.96.0.1','ports':[{'port':80,'nodePort':30080}]", { SLICE4(P, EP("10.1.0.1")) },
	  "ns/web 4/6 C10.96.0.1:80 N0.0.0.0:30080 > 10.1.0.1:8080" },
	{ "external IPs, of the family only", SPEC(",'externalIPs':['1.2.3.4','fd00::9','x','1.2.3.5']"), {},
	  ONE " E1.2.3.4:80 E1.2.3.5:80 > refuse" },
	{ "load balancer", SPEC(",'type':'LoadBalancer'") "|'loadBalancer':{'ingress':[{'ip':'5.5.5.5'},{'hostname':'a.b'},{'ip':'5.5.5.6','ipMode':'VIP'}]}",
	  {}, ONE " L5.5.5.5:80 L5.5.5.6:80 > refuse" },
	{ "ipMode Proxy is left to the load balancer", SPEC(",'type':'LoadBalancer'") "|'loadBalancer':{'ingress':[{'ip':'5.5.5.5','ipMode':'Proxy'}]}", {},
	  ONE " > refuse" },
	{ "the same address twice", SPEC(",'externalIPs':['1.2.3.4','1.2.3.4','10.96.0.1']") "|'loadBalancer':{'ingress':[{'ip':'1.2.3.4'}]}", {},
	  ONE " E1.2.3.4:80 > refuse" },

	/* source ranges */
	{ "source ranges: sorted, trimmed, without what is behind the prefix, once",
	  LB(",'loadBalancerSourceRanges':[' 192.168.7.9/16 ','10.0.0.0/8\\n','10.0.0.0/9','192.168.0.0/16']"), {},
	  ONE " L5.5.5.5:80 from 10.0.0.0/8 10.0.0.0/9 192.168.0.0/16 > refuse" },
	{ "source ranges: what is none is passed over", LB(",'loadBalancerSourceRanges':['10.0.0.0','10.0.0.0/33','x/8','','1.2.3.4/32']"), {},
	  ONE " L5.5.5.5:80 from 1.2.3.4/32 > refuse" },
	{ "source ranges: none that is one lets nobody in", LB(",'loadBalancerSourceRanges':['x']"), {}, ONE " L5.5.5.5:80 from > refuse" },
	{ "source ranges: by family",
	  "'clusterIP':'10.96.0.1','clusterIPs':['10.96.0.1','fd00::9'],'ports':[{'port':80}],'loadBalancerSourceRanges':['10.0.0.0/8','fd01::1/16','::/0']", {},
	  ONE " from 10.0.0.0/8 > refuse; ns/web 10/6 Cfd00::9:80 from ::/0 fd01::/16 > refuse" },
	{ "source ranges: of the other family only", LB(",'loadBalancerSourceRanges':['fd00::/8']"), {}, ONE " L5.5.5.5:80 from > refuse" },
	{ "source ranges: an empty list is none", LB(",'loadBalancerSourceRanges':[]"), {}, ONE " L5.5.5.5:80 > refuse" },

	/* health checks of load balancers */
	{ "health check: ready endpoints here, each once", LB_LOCAL(",'healthCheckNodePort':31000"),
	  { SLICE4("{'name':'','port':1},{'name':'x','port':2}", EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", NODE) "," EP_AT("10.1.0.3", "there")),
	    SLICE4("{'name':'','port':1}", EP_AT("10.1.0.1", NODE)) },
	  ONE " > 10.1.0.1:1! 10.1.0.2:1! 10.1.0.3:1 || 10.1.0.1:1! 10.1.0.2:1! check 31000/2" },
	{ "health check: draining ones do not count", LB_LOCAL(",'healthCheckNodePort':31000"), { SLICE4(P, EP_IS("10.1.0.1", NODE, DRAINING)) },
	  ONE " > 10.1.0.1:8080! check 31000/0" },
	{ "health check: a pod of both families counts once", LB_LOCAL(",'healthCheckNodePort':31000"),
	  { SLICE4(P, EP_AT("10.1.0.1", NODE)), SLICE6(P, EP_AT("fd00::1", NODE)) }, ONE " > 10.1.0.1:8080! check 31000/1" },
	{ "health check: with policy Local alone", "'type':'LoadBalancer','clusterIP':'10.96.0.1','ports':[{'port':80}],'healthCheckNodePort':31000",
	  {}, ONE " > refuse" },
	{ "health check: of load balancers alone", NODE_PORT(",'externalTrafficPolicy':'Local','healthCheckNodePort':31000"), {}, ONE_NODE_PORT " > refuse" },

	/* annotations */
	{ "maglev and dsr", SPEC() "||'xebec.io/maglev':'true','xebec.io/dsr':'true'", {}, "ns/web 4/6 maglev dsr C10.96.0.1:80 > refuse" },
	{ "maglev alone", SPEC() "||'xebec.io/maglev':'true','xebec.io/dsr':'false'", {}, "ns/web 4/6 maglev C10.96.0.1:80 > refuse" },
	{ "annotations that say something else", SPEC() "||'xebec.io/maglev':'yes','xebec.io/dsr':'True'", {}, ONE " > refuse" },

	/* families */
	{ "dual stack", "'clusterIP':'10.96.0.1','clusterIPs':['10.96.0.1','fd00:10:96::1'],'ports':[{'port':80}]",
	  { SLICE4(P, EP("10.1.0.1")), SLICE6(P, EP("fd00::1")) },
	  ONE " > 10.1.0.1:8080; ns/web 10/6 Cfd00:10:96::1:80 > fd00::1:8080" },
	{ "IPv6 first", "'clusterIP':'fd00:10:96::1','clusterIPs':['fd00:10:96::1','10.96.0.1'],'ports':[{'port':80}]",
	  { SLICE4(P, EP("10.1.0.1")) }, ONE " > 10.1.0.1:8080; ns/web 10/6 Cfd00:10:96::1:80 > refuse" },
	{ "IPv6 alone", "'clusterIP':'fd00:10:96::1','clusterIPs':['fd00:10:96::1'],'externalIPs':['fd00::9','1.2.3.4'],'ports':[{'port':80,'nodePort':30080}]",
	  { SLICE4(P, EP("10.1.0.1")), SLICE6(P, EP("fd00::1")) },
	  "ns/web 10/6 Cfd00:10:96::1:80 N:::30080 Efd00::9:80 > fd00::1:8080" },

	/* affinity */
	{ "affinity", SPEC(",'sessionAffinity':'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':60}}"), {}, "ns/web 4/6 a60 C10.96.0.1:80 > refuse" },
	{ "affinity by default for three hours", SPEC(",'sessionAffinity':'ClientIP'"), {}, "ns/web 4/6 a10800 C10.96.0.1:80 > refuse" },
	{ "no affinity", SPEC(",'sessionAffinity':'None','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':60}}"), {}, ONE " > refuse" },

	/* policies */
	{ "internal Local: those of this node", SPEC(",'internalTrafficPolicy':'Local'"), { SLICE4(P, EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", "there")) },
	  ONE " > 10.1.0.1:8080! | 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "internal Local, endpoints elsewhere: silence", SPEC(",'internalTrafficPolicy':'Local'"), { SLICE4(P, EP_AT("10.1.0.2", "there")) },
	  ONE " > drop | 10.1.0.2:8080" },
	{ "internal Local, no endpoints at all: refused", SPEC(",'internalTrafficPolicy':'Local'"), { SLICE4(P, EP_IS("10.1.0.2", "there", NOT_READY)) },
	  ONE " > refuse" },
	{ "internal Local: draining ones here before ready ones elsewhere", SPEC(",'internalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_IS("10.1.0.1", NODE, DRAINING) "," EP_AT("10.1.0.2", "there")) },
	  ONE " > 10.1.0.1:8080! | 10.1.0.2:8080 serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "internal Cluster", SPEC(",'internalTrafficPolicy':'Cluster'"), { SLICE4(P, EP_AT("10.1.0.2", "there")) }, ONE " > 10.1.0.2:8080" },
	{ "external Local: clients inside the cluster reach all, those outside what is here", NODE_PORT(",'externalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", "there")) },
	  ONE_NODE_PORT " > 10.1.0.1:8080! 10.1.0.2:8080 || 10.1.0.1:8080!" },
	{ "external Local, endpoints elsewhere: silence outside", NODE_PORT(",'externalTrafficPolicy':'Local'"), { SLICE4(P, EP_AT("10.1.0.2", "there")) },
	  ONE_NODE_PORT " > 10.1.0.2:8080 || drop" },
	{ "external Local, no endpoints at all: refused", NODE_PORT(",'externalTrafficPolicy':'Local'"), {}, ONE_NODE_PORT " > refuse" },
	{ "external Local: draining ones here before ready ones elsewhere", NODE_PORT(",'externalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_IS("10.1.0.1", NODE, DRAINING) "," EP_AT("10.1.0.2", "there")) },
	  ONE_NODE_PORT " > 10.1.0.2:8080 || 10.1.0.1:8080! serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "external Local: ready ones here before draining ones here", NODE_PORT(",'externalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_IS("10.1.0.1", NODE, DRAINING) "," EP_AT("10.1.0.2", NODE)) },
	  ONE_NODE_PORT " > 10.1.0.2:8080! serving 10.1.0.1:8080! 10.1.0.2:8080!" },
	{ "external Local: draining ones elsewhere: silence outside", NODE_PORT(",'externalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_IS("10.1.0.2", "there", DRAINING)) }, ONE_NODE_PORT " > 10.1.0.2:8080 || drop" },
	{ "both Local", NODE_PORT(",'externalTrafficPolicy':'Local','internalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", "there")) },
	  ONE_NODE_PORT " > 10.1.0.1:8080! | 10.1.0.1:8080! 10.1.0.2:8080 || 10.1.0.1:8080!" },

	/* hints */
	{ "hints for zones", SPEC(), { SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.1:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "a hint for several zones", SPEC(),
	  { SLICE4(P, EP_FOR("10.1.0.1", "a", "'forZones':[{'name':'z2'},{'name':'" ZONE "'}]") "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.1:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "a ready endpoint without a hint: none holds", SPEC(),
	  { SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))), SLICE4(P, EP_AT("10.1.0.3", "c")) },
	  ONE " > 10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8080" },
	{ "a hint of null is none", SPEC(), { SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", "'forZones':null")) },
	  ONE " > 10.1.0.1:8080 10.1.0.2:8080" },
	{ "no hint for this zone: all", SPEC(), { SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT("z2")) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z3"))) },
	  ONE " > 10.1.0.1:8080 10.1.0.2:8080" },
	{ "hints of endpoints that are not ready do not count", SPEC(),
	  { SLICE4(P, EP_DRAINING_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.2:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "nor does their having none", SPEC(),
	  { SLICE4(P, EP_IS("10.1.0.3", "c", DRAINING) "," EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.1:8080 serving 10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8080" },
	{ "all draining: hints do not matter", SPEC(),
	  { SLICE4(P, EP_DRAINING_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_DRAINING_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.1:8080 10.1.0.2:8080" },
	{ "an endpoint in two slices, with a hint in one", SPEC(),
	  { SLICE4(P, EP_AT("10.1.0.1", "a") "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))), SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE))) },
	  ONE " > 10.1.0.1:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "hints for nodes", SPEC(), { SLICE4(P, EP_FOR("10.1.0.1", NODE, NODE_HINT(NODE)) "," EP_FOR("10.1.0.2", "b", NODE_HINT("b"))) },
	  ONE " > 10.1.0.1:8080! serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "hints for nodes go before those for zones", SPEC(),
	  { SLICE4(P, EP_FOR("10.1.0.1", NODE, NODE_HINT(NODE) "," ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", NODE_HINT("b") "," ZONE_HINT(ZONE))) },
	  ONE " > 10.1.0.1:8080! serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "no hint for this node: those for its zone", SPEC(),
	  { SLICE4(P, EP_FOR("10.1.0.1", "a", NODE_HINT("a") "," ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", NODE_HINT("b") "," ZONE_HINT("z2"))) },
	  ONE " > 10.1.0.1:8080 serving 10.1.0.1:8080 10.1.0.2:8080" },
	{ "not each has a hint for nodes: those for zones", SPEC(),
	  { SLICE4(P, EP_FOR("10.1.0.1", NODE, NODE_HINT(NODE) "," ZONE_HINT("z2")) "," EP_FOR("10.1.0.2", "b", ZONE_HINT(ZONE))) },
	  ONE " > 10.1.0.2:8080 serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "trafficDistribution without hints does nothing", SPEC(",'trafficDistribution':'PreferClose'"),
	  { SLICE4(P, EP_AT("10.1.0.1", NODE) "," EP_AT("10.1.0.2", "there")) }, ONE " > 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "policies Local do not heed hints",
	  NODE_PORT(",'externalTrafficPolicy':'Local','internalTrafficPolicy':'Local'"),
	  { SLICE4(P, EP_FOR("10.1.0.1", NODE, ZONE_HINT("z2")) "," EP_FOR("10.1.0.2", "there", ZONE_HINT(ZONE))) },
	  ONE_NODE_PORT " > 10.1.0.1:8080! | 10.1.0.2:8080 || 10.1.0.1:8080! serving 10.1.0.1:8080! 10.1.0.2:8080" },
	{ "hints are of one port: another may have others", "'clusterIP':'10.96.0.1','ports':[{'name':'a','port':80},{'name':'b','port':81}]",
	  { SLICE4("{'name':'a','port':1}", EP_FOR("10.1.0.1", "a", ZONE_HINT(ZONE)) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))),
	    SLICE4("{'name':'b','port':2}", EP("10.1.0.1") "," EP("10.1.0.2")) },
	  "ns/web:a 4/6 C10.96.0.1:80 > 10.1.0.1:1 serving 10.1.0.1:1 10.1.0.2:1; ns/web:b 4/6 C10.96.0.1:81 > 10.1.0.1:2 10.1.0.2:2" },
};

static struct xb_json *parse(struct xb_buf *text)
{
	struct xb_json *doc = NULL;

	assert_int_equal(text->err, 0);
	for (size_t i = 0; i < text->n; i++)
		if (text->p[i] == '\'')
			text->p[i] = '"';
	if (xb_json_parse(xb_buf_sv(text), NULL, &doc, NULL) < 0)
		fail_msg("not JSON: %s", text->p);
	xb_buf_done(text);
	return doc;
}

static struct xb_json *service_of(const char *spec)
{
	struct xb_buf text = {};
	struct xb_sv rest = xb_sv(spec), part[3] = {};

	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		xb_sv_split(&rest, '|', &part[i]);
	xb_buf_addf(&text, "{'metadata':{'name':'web','namespace':'ns','annotations':{%.*s}},'spec':{%.*s},'status':{%.*s}}",
		    XB_SV_ARG(part[2]), XB_SV_ARG(part[0]), XB_SV_ARG(part[1]));
	return parse(&text);
}

static void print_addr(struct xb_buf *out, int family, const struct xb_plan_addr *a, unsigned port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, a, text, sizeof(text));
	xb_buf_addf(out, "%s:%u", text, port);
}

static void print_set(struct xb_buf *out, int family, const struct xb_plan_set *s)
{
	if (!s->n)
		xb_buf_adds(out, s->drop_when_empty ? " drop" : " refuse");
	for (size_t i = 0; i < s->n; i++) {
		xb_buf_addc(out, ' ');
		print_addr(out, family, &s->backends[i].addr, s->backends[i].port);
		if (s->backends[i].local)
			xb_buf_addc(out, '!');
	}
}

static void print_source_ranges(struct xb_buf *out, const struct xb_plan_port *p)
{
	char text[INET6_ADDRSTRLEN];

	if (p->source_ranges_set)
		xb_buf_adds(out, " from");
	for (size_t i = 0; i < p->n_source_ranges; i++)
		xb_buf_addf(out, " %s/%u", inet_ntop(p->family, &p->source_ranges[i].addr, text, sizeof(text)), p->source_ranges[i].bits);
}

static void print_plan(struct xb_buf *out, const struct xb_plan *plan)
{
	static const char kinds[] = { [XB_FRONTEND_CLUSTER_IP] = 'C', [XB_FRONTEND_NODE_PORT] = 'N', [XB_FRONTEND_EXTERNAL_IP] = 'E',
				      [XB_FRONTEND_LOAD_BALANCER] = 'L' };

	xb_buf_adds(out, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct xb_plan_port *p = &plan->v[i];

		xb_buf_addf(out, "%s%s %d/%d", i ? "; " : "", p->name, p->family == AF_INET ? 4 : 10, p->proto);
		if (p->affinity_seconds)
			xb_buf_addf(out, " a%u", p->affinity_seconds);
		xb_buf_addf(out, "%s%s", p->maglev ? " maglev" : "", p->dsr ? " dsr" : "");
		for (size_t f = 0; f < p->n_frontends; f++) {
			xb_buf_addf(out, " %c", kinds[p->frontends[f].kind]);
			print_addr(out, p->family, &p->frontends[f].addr, p->frontends[f].port);
		}
		print_source_ranges(out, p);
		xb_buf_adds(out, " >");
		print_set(out, p->family, &p->set[XB_SCOPE_INTERNAL]);
		if (!xb_plan_set_equal(&p->set[XB_SCOPE_INTERNAL], &p->set[XB_SCOPE_EXTERNAL])) {
			xb_buf_adds(out, " |");
			print_set(out, p->family, &p->set[XB_SCOPE_EXTERNAL]);
		}
		if (!xb_plan_set_equal(&p->set[XB_SCOPE_EXTERNAL], &p->set[XB_SCOPE_OUTSIDE])) {
			xb_buf_adds(out, " ||");
			print_set(out, p->family, &p->set[XB_SCOPE_OUTSIDE]);
		}
		if (!xb_plan_set_equal(&p->set[XB_SCOPE_EXTERNAL], &p->set[XB_SERVING])) {
			xb_buf_adds(out, " serving");
			print_set(out, p->family, &p->set[XB_SERVING]);
		}
	}
	if (plan->health_port)
		xb_buf_addf(out, " check %u/%u", plan->health_port, plan->local_ready);
}

static struct xb_plan_slice *slice_of(const char *text, const char *node)
{
	struct xb_plan_slice *slice = NULL;
	struct xb_buf json = {};
	struct xb_json *doc;

	xb_buf_adds(&json, text);
	doc = parse(&json);
	assert_int_equal(xb_plan_slice_new(xb_json_root(doc), node, &slice), 0);
	xb_json_unref(doc);
	return slice;
}

static void check_at(const struct test_case *c, const struct xb_plan_here *here)
{
	struct xb_plan_slice *slices[ARRAY_SIZE(c->slices)] = {};
	const struct xb_plan_slice *const *all = (const struct xb_plan_slice *const *)slices;
	struct xb_json *service = service_of(c->spec);
	struct xb_buf text = {};
	struct xb_plan plan = {};
	struct xb_plan_counts counts = {};
	size_t n = 0, frontends = 0, backends = 0;

	for (; n < ARRAY_SIZE(c->slices) && c->slices[n]; n++)
		slices[n] = slice_of(c->slices[n], here->node);
	assert_int_equal(xb_plan_make(xb_json_root(service), all, n, here, &plan), 0);
	print_plan(&text, &plan);
	if (strcmp(text.p ? text.p : "", c->plan))
		fail_msg("%s:\n  expected %s\n  got      %s", c->name, c->plan, text.p ? text.p : "");
	xb_plan_count(xb_json_root(service), all, n, &counts);
	for (size_t i = 0; i < plan.n; i++) {
		frontends += plan.v[i].n_frontends;
		for (int s = 0; s < XB_SCOPES; s++) {
			bool new = true;

			for (int before = 0; before < s; before++)
				new &= !xb_plan_set_equal(&plan.v[i].set[s], &plan.v[i].set[before]);
			backends += new ? plan.v[i].set[s].n : 0;
		}
	}
	assert_true(counts.ports >= plan.n && counts.frontends >= frontends && counts.backends >= backends);
	xb_buf_done(&text);
	xb_plan_done(&plan);
	xb_json_unref(service);
	while (n)
		xb_plan_slice_free(slices[--n]);
}

static void check(const struct test_case *c)
{
	check_at(c, &(struct xb_plan_here){ .node = NODE, .zone = ZONE });
}

static void every_case(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(&cases[i]);
}

/* The tables are compared with the plan, so the same world must give the same plan, whatever the slices' order. */
static void order_of_slices_does_not_matter(void **state)
{
	static const struct test_case both[] = {
		{ "one way", SPEC(), { SLICE4(P, EP("10.1.0.3") "," EP("10.1.0.1")), SLICE4(P, EP("10.1.0.2")) },
		  ONE " > 10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8080" },
		{ "the other", SPEC(), { SLICE4(P, EP("10.1.0.2")), SLICE4(P, EP("10.1.0.1") "," EP("10.1.0.3")) },
		  ONE " > 10.1.0.1:8080 10.1.0.2:8080 10.1.0.3:8080" },
	};

	check(&both[0]);
	check(&both[1]);
}

static void node_without_a_zone(void **state)
{
	static const struct test_case c = { "no zone", SPEC(), { SLICE4(P, EP_FOR("10.1.0.1", "a", ZONE_HINT("")) "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))) },
					    ONE " > 10.1.0.1:8080 10.1.0.2:8080" };

	check_at(&c, &(struct xb_plan_here){ .node = NODE, .zone = "" });
}

static void says_when_the_zone_matters(void **state)
{
	static const struct {
		const char *slice;
		bool zoned;
	} rows[] = {
		{ SLICE4(P, EP("10.1.0.1")), false }, { SLICE4(P, EP_FOR("10.1.0.1", "a", NODE_HINT("a"))), false },
		{ SLICE4(P, EP("10.1.0.1") "," EP_FOR("10.1.0.2", "b", ZONE_HINT("z2"))), true },
	};
	static const struct xb_plan_here here = { .node = NODE, .zone = "" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_plan_slice *slice = slice_of(rows[i].slice, NODE);
		const struct xb_plan_slice *one = slice;
		struct xb_json *service = service_of(SPEC());
		struct xb_plan plan = {};

		assert_int_equal(xb_plan_make(xb_json_root(service), &one, 1, &here, &plan), 0);
		assert_int_equal(plan.zoned, rows[i].zoned);
		xb_plan_done(&plan);
		xb_json_unref(service);
		xb_plan_slice_free(slice);
	}
}

static void slice_knows_its_service_and_its_time(void **state)
{
	static const struct {
		const char *metadata, *service;
		int64_t trigger_us;
	} rows[] = {
		{ "{'namespace':'ns','labels':{'kubernetes.io/service-name':'web'}}", "ns/web", 0 },
		{ "{'namespace':'ns','labels':{}}", "", 0 }, { "{}", "", 0 }, { "null", "", 0 },
		{ "{'namespace':'ns','labels':{'kubernetes.io/service-name':'web'},"
		  "'annotations':{'endpoints.kubernetes.io/last-change-trigger-time':'1970-01-01T00:00:02Z'}}", "ns/web", 2000000 },
		{ "{'annotations':{'endpoints.kubernetes.io/last-change-trigger-time':'now'}}", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xb_plan_slice *slice;
		struct xb_json *doc = NULL;
		char text[512];

		snprintf(text, sizeof(text), "{'addressType':'FQDN','ports':[" P "],'metadata':%s}", rows[i].metadata);
		slice = slice_of(text, NODE);
		assert_true(xb_sv_is(xb_plan_slice_service(slice), rows[i].service));
		assert_int_equal(xb_plan_slice_trigger_us(slice), rows[i].trigger_us);
		assert_int_equal(xb_json_parse(XB_SV("{}"), NULL, &doc, NULL), 0);
		assert_null(xb_plan_slice_of(doc));
		xb_plan_slice_attach(slice, doc);
		assert_ptr_equal(xb_plan_slice_of(doc), slice);
		xb_json_unref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case), cmocka_unit_test(order_of_slices_does_not_matter),
		cmocka_unit_test(node_without_a_zone), cmocka_unit_test(says_when_the_zone_matters),
		cmocka_unit_test(slice_knows_its_service_and_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
