#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The kubelet's runtime interface against a real containerd: sandboxes, containers, what is told when they end, words of
# refusal, large replies, and a containerd that is killed and comes back.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/selftests/node.sh"

cri() { "$TOOLS/tools/runtime_calls" "unix://$CONTAINERD_SOCKET" "$@"; }
create() { local s=$1 name=$2 memory=$3; shift 3; cri create "$s" "$name" "$PODS_CGROUP" "$TMP/logs" "$BUSYBOX_IMAGE" "$memory" "$@"; }
says() { grep -q "$1" < <(cri "$2"); }
hinted() { grep -qx "$1" "$TMP/hints"; }
count() { grep -cx "$1" "$TMP/hints"; }
times() { [ "$(count "$1")" -ge "$2" ]; }

mkdir -p "$TMP/logs"
cri watch >"$TMP/hints" &
busywait 5 hinted blind
is "$(cat "$TMP/hints")" blind 'without a containerd the watch says that it sees nothing'
like "$(cri version)" '^Unavailable: connection error: desc = "transport: Error while dialing: dial unix .*: no such file or directory"$' 'and a call says why'
containerd_start
like "$(cri version)" '^containerd 1\.' 'Version'
busywait 15 hinted relist
is "$(uniq "$TMP/hints")" $'blind\nrelist' 'the watch goes on by itself'
like "$(cri status)" 'RuntimeReady=true.*NetworkReady=false NetworkPluginNotReady' 'Status, without a CNI configuration'
cni_none
busywait 10 says NetworkReady=true status
like "$(cri status)" 'NetworkReady=true' 'and with one'
like "$(cri image $BUSYBOX_IMAGE)" "^sha256:[0-9a-f]{64} $BUSYBOX_IMAGE" 'ImageStatus'
is "$(cri image localhost/none:1)" 'none ' 'of an image that is not there'
like "$(cri pull 127.0.0.1:1/not-found:1)" '^(Unknown|Unavailable|NotFound): failed to pull and unpack image "127.0.0.1:1/not-found:1": ' 'PullImage of what cannot be reached'

host=$(cri run host "$PODS_CGROUP" "$TMP/logs" host) || note "$host"
pod=$(cri run pod "$PODS_CGROUP" "$TMP/logs") || note "$pod"
is "$(cri sandbox "$host")" 'host READY -' "a sandbox on the host's network"
is "$(cri sandbox "$pod")" 'pod READY 10.88.0.2' 'a sandbox with an address of its own'
like "$(cri run pod "$PODS_CGROUP" "$TMP/logs")" "^Unknown: failed to reserve sandbox name \"pod_default_uid_0\": name \"pod_default_uid_0\" is reserved for \"$pod\"" 'a name is taken once'

c=$(create "$pod" main 0 sh -c 'echo hello; sleep 1000')
is "$(cri container "$c")" 'main CONTAINER_CREATED 0 -' 'a container is made'
is "$(cri start "$c"; cri container "$c")" 'main CONTAINER_RUNNING 0 -' 'and started'
is "$(cri exec "$c" sh -c 'echo out; echo err >&2; exit 3')" $'3 out\nerr' 'ExecSync: both outputs and the code'
is "$(cri exec "$c" sh -c 'dd if=/dev/zero bs=1M count=12 2>/dev/null' | wc -c)" $((2 + 12 * 1048576)) 'ExecSync of 12 MB'
busywait 5 grep -q hello "$TMP/logs/main.log"
like "$(cat "$TMP/logs/main.log")" '^[0-9-]+T[0-9:.]+Z stdout F hello$' 'its log is where it was told'
mv "$TMP/logs/main.log" "$TMP/logs/rotated"
ok 'ReopenContainerLog' cri reopen "$c"
ok 'makes a new one' test -e "$TMP/logs/main.log"
like "$(cri exec-url "$c" sh)" '^http://127\.0\.0\.1:[0-9]+/exec/' 'Exec tells an address'
ok 'UpdateContainerResources' cri update "$c" 67108864 512
limit=$(cat "/sys/fs/cgroup/memory$PODS_CGROUP/$c/memory.limit_in_bytes" 2>/dev/null || cat "$CGROUP2$PODS_CGROUP/$c/memory.max")
is "$limit" 67108864 'are what the container has'
busywait 15 says '^main cpu=some memory=some disk=/' stats
busywait 15 says ' used$' image-fs
like "$(cri stats)" "main cpu=some memory=some disk=$TMP/containerd/root/" 'ListContainerStats'
like "$(cri sandbox-stats)" 'pod containers=[1-9]' 'ListPodSandboxStats'
like "$(cri image-fs)" "^$TMP/containerd/root/.* used" 'ImageFsInfo'
like "$(cri start "$c")" '^Unknown: .*container is (already )?in CONTAINER_RUNNING state' 'started twice'

e=$(create "$pod" ends 0 sh -c 'exit 5')
cri start "$e"
busywait 10 hinted "$e"
is "$(cri container "$e")" 'ends CONTAINER_EXITED 5 Error' 'when its end is told, the status has it'
# a child of it is killed: of one that ends at once containerd may see the end before the reason
o=$(create "$pod" oom 8000000 sh -c 'sleep 0.2; dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000')
cri start "$o"
busywait 10 hinted "$o"
is "$(cri container "$o")" 'oom CONTAINER_RUNNING 0 OOMKilled' 'when it is told that memory ran out, the status has it'
b=$(create "$pod" broken 0 /no/such/command)
like "$(cri start "$b")" '^Unknown: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such/command": stat /no/such/command: no such file or directory: unknown$' 'a command that is not there'
is "$(cri container none)" 'NotFound: an error occurred when try to find container "none": not found' 'a container that is not there'
is "$(cri sandbox none)" 'NotFound: an error occurred when try to find sandbox: not found' 'a sandbox that is not there'

{ kill -9 "$CONTAINERD_PID"; wait "$CONTAINERD_PID"; } 2>/dev/null
busywait 5 times blind 2
r=$(count relist)
containerd_start
busywait 15 times relist $((r + 1))
is "$(cri container "$c")" 'main CONTAINER_RUNNING 0 -' 'containerd killed and back: the container runs on'
is "$(cri exec "$c" echo there)" '0 there' 'and can be used'
n=$(count "$c")
ok 'StopContainer' cri stop "$c" 1
busywait 10 times "$c" $((n + 1))
is "$(cri container "$c")" 'main CONTAINER_EXITED 143 Error' 'its end is told by the new connection'
ok 'RemoveContainer' cri remove "$c"
ok 'and again' cri remove "$c"
for s in "$pod" "$host"; do
	ok 'StopPodSandbox' cri stop-sandbox "$s"
	busywait 10 hinted "$s"
	like "$(cri sandbox "$s")" 'NOTREADY -$' 'has ended'
	ok 'RemovePodSandbox' cri remove-sandbox "$s"
done
is "$(cri containers)" '' 'nothing is left'
is "$(pgrep -fc "containerd-shim.*$TMP" || true)" 0 'nor a shim'
done_testing
