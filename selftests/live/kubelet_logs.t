#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Logs of containers: what kubectl logs shows of them, followed until they are over and over rotations; and a kubelet that is killed.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --kubelet-preferred-address-types=InternalIP
containerd_start
cni_none
FLAGS=(--container-log-max-size=100Ki --container-log-max-files=3 --container-log-monitor-interval=3s)
kubelet_start "${FLAGS[@]}"
pod talk '"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","command":["sh","-c","trap \"exit 0\" TERM; for i in 1 2 3; do echo line $i; done; sleep 1.2; echo line 4; echo line 5; while ! test -e /go; do sleep 0.1; done; echo went; rm /go; exit 3"]}]'
pod wait '"containers":[{"name":"c","image":"localhost/none:1","imagePullPolicy":"Never"}]'
pod many '"containers":[{"name":"c","image":"'"$BUSYBOX_IMAGE"'","command":["sh","-c","trap \"exit 0\" TERM; while ! test -e /go; do sleep 0.1; done; for i in $(seq 7); do head -c 50000 /dev/zero | tr \"\\\\0\" \"a\" | fold -w 100; echo; sleep 1; done; echo end; sleep 1000 & wait"]}]'

# asks PATH: the kubelet itself: the body, then the status code on a line of its own
asks() { in_ns node curl -ksS --max-time 20 -w '\n%{http_code}\n' "https://192.0.2.1:10250$1"; }

# touch_go POD: what it waits for
touch_go() { ctr tasks exec --exec-id go "$(status "$1" '.containerStatuses[0].containerID' | tr -d '"' | sed 's,.*//,,')" touch /go; }
becomes many .phase '"Running"' 'pods run'
XB_EXEC=exec in_ns node "$KUBECTL" logs -f many >"$TMP/many" & many=$!
touch_go many

# --- logs ---
becomes talk .phase '"Running"' 'pods run'
logs() { k logs "$@" 2>&1; }
has_log() { logs "$1" | grep -q "$2"; }
busywait 5 has_log talk 'line 5'
is "$(logs talk)" $'line 1\nline 2\nline 3\nline 4\nline 5' 'logs'
is "$(logs talk --tail=2)" $'line 4\nline 5' 'the last two lines'
is "$(logs talk --limit-bytes=9)" $'line 1\nli' 'so many bytes'
like "$(logs talk --timestamps --tail=1)" '^20[0-9-]+T[0-9:.]+Z line 5$' 'with their times'
since=$(logs talk --timestamps | sed -n 4s/\ .*//p)
is "$(logs talk --since-time="$since")" $'line 4\nline 5' 'since then'
is "$(logs talk --since=1h --tail=1)" 'line 5' 'not older than an hour'
is "$(k120 logs talk --tail=1)" 'line 5' 'kubectl 1.20'
like "$(logs talk --previous)" 'previous terminated container "c" in pod "talk" not found' 'there was none before'
like "$(logs wait)" 'container "c" in pod "wait" is waiting to start: ErrImageNeverPull' 'one that waits'
is "$(asks /containerLogs/default/none/c)" $'pod "none" does not exist\n404' 'no such pod'
is "$(asks /containerLogs/default/talk/d)" $'container "d" not found in pod "talk"\n404' 'no such container'
is "$(asks '/containerLogs/default/talk/c?tailLines=x')" $'{"message": "Unable to decode query."}\n400' 'no number'
is "$(asks '/containerLogs/default/talk/c?tailLines=-1')" $'{"message": "Invalid request."}\n422' 'a wrong one'
XB_EXEC=exec in_ns node "$KUBECTL" logs -f talk >"$TMP/follow" & follow=$!
busywait 5 grep -q 'line 5' "$TMP/follow"
touch_go talk
ok 'followed: what is written comes' busywait 5 grep -q went "$TMP/follow"
ok 'and with the container it ends' busywait 5 eval "! kill -0 $follow"
wait $follow 2>/dev/null
becomes talk '.containerStatuses[0].restartCount' 1 'it starts again'
ok 'the log before' busywait 5 eval '[ "$(logs talk --previous | tail -1)" = went ]'
ok 'is another than the present one' busywait 5 eval '[ "$(logs talk | tail -1)" = "line 5" ]'

# --- rotation goes on ---
ok 'a log that is followed over its rotations' busywait 15 grep -q '^end$' "$TMP/many"
kill $many; wait $many 2>/dev/null
is "$(grep -c '^a\{100\}$' "$TMP/many")" 3500 'is whole'
log=$(echo "$TMP"/logs/default_many_*/c)
ok 'two old ones stay' busywait 8 eval '[ "$(find "$log" -name "0.log.*" | wc -l)" = 2 ]'
is "$(find "$log" -name '0.log.*.gz' | wc -l)" 1 'one of them compressed'
ok 'and can be read' gzip -t "$log"/0.log.*.gz

# --- killed ---
XB_EXEC=exec in_ns node "$KUBECTL" logs -f many >"$TMP/follow" 2>&1 & follow=$!
busywait 5 test -s "$TMP/follow"
{ kill -9 "$KUBELET_PID"; wait "$KUBELET_PID"; } 2>/dev/null
ok 'a kubelet that is killed ends what is followed' busywait 5 eval "! kill -0 $follow"
mv "$log/0.log" "$log/0.log.20200101-000000" # as if it had been killed between renaming and telling
kubelet_start "${FLAGS[@]}"
ok 'a log that was renamed and not told of is opened again' busywait 8 test -e "$log/0.log"
XB_EXEC=exec in_ns node "$KUBECTL" logs -f many >"$TMP/follow" 2>&1 & follow=$!
ok 'a kubelet that is stopped goes at once' timeout 5 bash -c "kill $KUBELET_PID; while kill -0 $KUBELET_PID; do sleep 0.05; done" 2>/dev/null
done_testing
