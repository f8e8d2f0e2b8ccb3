#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kube-proxy's nftables mode over time: restarts that nobody notices, tables that somebody else takes away, flows of UDP whose endpoint
# goes, another mode before and after, a kernel that allows no BPF, and what --cleanup leaves.
. "$(dirname "$0")/../lib.sh"

node_up
in_ns node ip link add out type dummy 2>/dev/null || in_ns node ip link add out type veth peer name nowhere
in_ns node ip link set out up
in_ns node ip addr add 198.51.100.1/24 dev out
# as nodes have one: what is for a Service must have some way out before it is rewritten
in_ns node ip route add default via 198.51.100.2 dev out onlink
web_up a; a=$POD_IP
web_up b; b=$POD_IP
apiserver_start
proxy_start --proxy-mode=nftables

answers() { on_node curl -fsS --max-time 3 "http://$1/" 2>/dev/null; }
is_answer() { [ "$(answers "$1")" = "$2" ]; }
silent() { ! answers "$@"; }
metric() { on_node curl -fsS --max-time 3 http://127.0.0.1:10249/metrics | awk -v m="$1" '$1 == m { print $2 }'; }
mode() { on_node curl -fsS --max-time 3 http://127.0.0.1:10249/proxyMode; }
# nft.py add|delete|list [NAME]: tables of the family ip. nft.py set NAME: a set of addresses in kube-proxy's
cat >"$TMP/nft.py" <<'EOF'
import socket, struct, sys
def attr(t, b): return struct.pack("HH", len(b) + 4, t) + b + b"\0" * (-len(b) % 4)
def msg(t, flags, family, body, res=0): b = struct.pack(">BBH", family, 0, res) + body; return struct.pack("IHHII", 16 + len(b), t, flags, 1, 0) + b
def attrs(b):
    while len(b) >= 4:
        n, t = struct.unpack_from("HH", b); yield t, b[4:n]; b = b[n + 3 & ~3:]
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12); s.bind((0, 0))
if sys.argv[1] == "list":
    s.send(msg(10 << 8 | 1, 0x301, 2, b"")); done = False
    while not done:
        d = s.recv(65536)
        while d:
            n, t = struct.unpack_from("IH", d)
            if t == 3: done = True
            else: print(next(v for k, v in attrs(d[20:n]) if k == 1)[:-1].decode())
            d = d[n + 3 & ~3:]
else:
    what, name = sys.argv[1], sys.argv[2].encode() + b"\0"
    number = lambda t, n: attr(t, struct.pack(">I", n))
    body = attr(1, b"kube-proxy\0") + attr(2, name) + number(3, 0) + number(4, 7) + number(5, 4) + number(10, 1) if what == "set" else attr(1, name)
    s.send(msg(16, 1, 0, b"", 10) + msg(10 << 8 | {"add": 0, "delete": 2, "set": 9}[what], 0x405, 2, body) + msg(17, 1, 0, b"", 10))
    e = struct.unpack_from("i", s.recv(4096), 16)[0]; sys.exit(e and "error %d" % e)
EOF
nft() { in_ns node python3 "$TMP/nft.py" "$@"; }
tables() { nft list | sort | tr '\n' ' '; }
nft add somebody

service web 80:80 "$a"
vip=$(cluster_ip web)
ok 'the cluster IP answers' busywait 8 is_answer "$vip" a
is "$(tables)" 'kube-proxy somebody ' 'there is one table more'

# a client that goes on from the same port
cat >"$TMP/flow.py" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5353)); s.connect((sys.argv[1], 53)); s.settimeout(.3)
for line in sys.stdin:
    try: s.send(b"x"); print(s.recv(99).decode().strip(), flush=True)
    except OSError: print("-", flush=True)
EOF
PROTO=UDP service dns 53:5201 "$a"
PROTO=UDP service other 53:5201 "$a"
dns=$(cluster_ip dns) other=$(cluster_ip other)
coproc FLOW { XB_EXEC=exec in_ns node python3 "$TMP/flow.py" "$dns"; }
ask() { echo >&"${FLOW[1]}"; read -r said <&"${FLOW[0]}"; [ "$said" = "$1" ]; }
ok 'UDP: answered' busywait 8 ask a
flows() { grep -c "udp.*dst=$1 .*src=$2 " <(in_ns node cat /proc/net/nf_conntrack); }
cat >"$TMP/once.py" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.sendto(b"x", (sys.argv[1], 53)); print(s.recv(99).decode().strip())
EOF
is "$(on_node python3 "$TMP/once.py" "$other")" a 'UDP: the same endpoint by another Service'
is "$(flows "$other" "$a")" 1 'UDP: conntrack has that flow'
PROTO=UDP slice dns 5201 "$b" | k apply -f - >/dev/null 2>&1
ok 'UDP: its endpoint goes, and the same client is sent to another' busywait 8 ask b
is "$(flows "$other" "$a")" 1 'UDP: who asked another Service for that endpoint keeps its flow'

# a connection that stays
cat >"$TMP/hold.py" <<'EOF'
import socket, sys, time
s = socket.create_connection((sys.argv[1], 7), 5); s.settimeout(5)
while True: s.sendall(b"x"); assert s.recv(1); print(flush=True); time.sleep(.02)
EOF
service echo 7:5201 "$a"
echoes() { in_pod b bash -c "exec 3<>/dev/tcp/$(cluster_ip echo)/7"; }
busywait 8 echoes
XB_EXEC=exec in_pod b python3 "$TMP/hold.py" "$(cluster_ip echo)" >"$TMP/held" &
held=$!
goes_on() { local n; n=$(wc -l <"$TMP/held"); busywait 3 eval '[ "$(wc -l <"$TMP/held")" -gt '$((n + 3))' ]'; }
ok 'a connection is held' busywait 8 goes_on
kill -9 "$PROXY_PID"; wait "$PROXY_PID" 2>/dev/null
ok 'killed: new connections are made' is_answer "$vip" a
proxy_start --proxy-mode=nftables
ok 'started again: the same' busywait 8 is_answer "$vip" a
is "$(metric xebec_proxy_publishes_total)" 0 'nothing is sent to the kernel, as nothing differs'
ok 'and the connection never ended' goes_on

stop "$PROXY_PID"
k delete service echo >/dev/null
slice web 80 "$b" | k apply -f - >/dev/null 2>&1
service new 80:80 "$a"
proxy_start --proxy-mode=nftables
ok 'what was changed meanwhile is followed' busywait 8 is_answer "$vip" b
ok 'what was made as well' is_answer "$(cluster_ip new)" a
ok 'a connection to what is deleted ends by itself alone' goes_on
kill $held

# somebody else's hands
nft delete kube-proxy
ok 'somebody deletes the table' silent "$vip"
slice new 80 "$b" | k apply -f - >/dev/null 2>&1
ok 'with the next change of anything all of it is there again' busywait 8 is_answer "$vip" b
ok 'and the change' is_answer "$(cluster_ip new)" b
like "$(cat "$TMP/proxy.log")" 'the kernel refuses a change of the nftables table kube-proxy: .*; setting all Services anew' 'the log says what happened'
nft delete kube-proxy
ok 'it does so again' silent "$vip"
in_ns node ip addr add 198.51.100.9/32 dev out
ok 'an address of the node is such a change too' busywait 8 is_answer "$vip" b
# a set of another kind, in the way of one Service
nft set "affinity-default/clients/tcp/p__$a/80"
{ SPEC='"sessionAffinity":"ClientIP",' service clients 80:80 "$a"; service plain 80:80 "$a"; }
ok 'what somebody put into the table goes: a Service that it is in the way of' busywait 8 is_answer "$(cluster_ip clients)" a
ok 'and others' busywait 8 is_answer "$(cluster_ip plain)" a
is "$(metric xebec_proxy_unprogrammed_services)" 0 'no Service has a fault'
stop "$PROXY_PID"
nft delete kube-proxy; nft add kube-proxy
proxy_start --proxy-mode=nftables
ok 'a table of that name that is not ours is replaced' busywait 8 is_answer "$vip" b
like "$(cat "$TMP/proxy.log")" 'was made by another program or version: it is replaced' 'with a warning'

# other modes
stop "$PROXY_PID"
proxy_start --proxy-mode=ebpf
ok 'mode ebpf: the table goes' busywait 8 eval '[ "$(tables)" = "somebody " ]'
ok 'and Services are there' is_answer "$vip" b
stop "$PROXY_PID"
proxy_start --proxy-mode=nftables
ok 'mode nftables again: what was pinned goes' busywait 8 eval '[ ! -e "$BPFFS/xebec/v3/maps" ]'
ok 'and Services are there' is_answer "$vip" b
# unprivileged PLACE...: kube-proxy without leave to load BPF, and without --proxy-mode
unprivileged() {
	stop "$PROXY_PID"
	: >"$TMP/proxy.log"
	XB_EXEC=exec on_node setpriv --bounding-set=-bpf,-sys_admin,-perfmon "$BIN/kube-proxy" --kubeconfig="$TMP/admin.conf" --hostname-override=node \
		"$@" >>"$TMP/proxy.log" 2>&1 &
	PROXY_PID=$!
	busywait 8 eval '[ "$(mode)" = nftables ]'
}
ok 'no leave to load BPF, no --proxy-mode: nftables' unprivileged --cgroup-path="$CG/node" --bpffs-path="$BPFFS"
is "$(grep -c 'Services are made by nftables' "$TMP/proxy.log")" 1 'with a warning'
ok 'nor where BPF would have its files' unprivileged --cgroup-path="$TMP" --bpffs-path="$TMP"
is "$(grep -c '^W' "$TMP/proxy.log")" 1 'with one warning'
slice web 80 "$a" | k apply -f - >/dev/null 2>&1
ok 'and Services follow' busywait 8 is_answer "$vip" a

stop "$PROXY_PID"
ok 'after a stop everything stays' is_answer "$vip" a
ok 'kube-proxy --cleanup' on_node "$BIN/kube-proxy" --cleanup --bpffs-path="$BPFFS" --cgroup-path="$CG/node"
is "$(tables)" 'somebody ' 'only that of somebody else is left'
ok 'nothing answers' silent "$vip"
done_testing
