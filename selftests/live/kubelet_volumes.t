#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Volumes of pods: made, kept up to date, mounted in part, given to groups, taken down; by a kubelet that has nothing else, under a
# node's certificate.
. "$(dirname "$0")/../lib.sh"

node_up
apiserver_start --authorization-mode=Node,RBAC
mkdir -p "$TMP"/{keys,root,logs,host/dir}

# --- the node's certificate ---
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/keys/n1.key" -subj /O=system:nodes/CN=system:node:n1 2>/dev/null |
	openssl x509 -req -CA "$TMP/pki/ca.crt" -CAkey "$TMP/pki/ca.key" -CAcreateserial -days 1 -out "$TMP/keys/n1.crt" 2>/dev/null
cat >"$TMP/n1.conf" <<CONF
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "$API", certificate-authority: "$TMP/pki/ca.crt"}}]
users: [{name: n1, user: {client-certificate: "$TMP/keys/n1.crt", client-key: "$TMP/keys/n1.key"}}]
contexts: [{name: n1, context: {cluster: c, user: n1}}]
current-context: n1
CONF
echo '{"metadata":{"name":"n1","labels":{"zone":"a"}}}' >"$TMP/node.json"

# --- the kubelet: its words in $TMP/said ---
POD_ROOT=$TMP/root/pods
kubelet_start() {
	rm -f "$TMP/ask"; mkfifo "$TMP/ask"; : >"$TMP/said"
	XB_EXEC=exec in_ns node "$TOOLS/tools/kubelet_volumes" "$TMP/root" "$TMP/logs" "$TMP/n1.conf" "$TMP/node.json" <"$TMP/ask" >>"$TMP/said" 2>"$TMP/kubelet.log" &
	KUBELET_PID=$!
	exec 5>"$TMP/ask"
	busywait 30 grep -q begun "$TMP/said" || bail "the kubelet does not begin: $(cat "$TMP/kubelet.log")"
}
said() { grep -qE -- "$1" "$TMP/said"; }
# ask WORDS... ; then ANSWER: what it said to that, a line that begins so
ask() { : >"$TMP/said"; echo "$*" >&5; }
answer() { busywait 10 said "$1" || { echo "nothing said: $(cat "$TMP/said" "$TMP/kubelet.log")"; return 1; }; grep -E -- "$1" "$TMP/said" | tail -1; }
# make PATH JSON: what it became
make() { in_ns node curl --fail-with-body -sS --max-time 20 --cacert "$TMP/pki/ca.crt" -H 'Authorization: Bearer admintoken' -H 'Content-Type: application/json' "$API$1" -d "$2"; }
# pod NAME SPEC: made, bound to the node, and in $TMP/NAME.json; sets UID_ and FOLDER
pod() {
	make $CORE/pods '{"metadata":{"name":"'"$1"'","labels":{"app":"'"$1"'"}},"spec":{"nodeName":"n1",'"$2"'}}' >"$TMP/$1.json" || bail "cannot make pod $1: $(cat "$TMP/$1.json")"
	UID_=$(jq -r .metadata.uid "$TMP/$1.json") FOLDER=$POD_ROOT/$UID_
}
mounts() { local m='' v; for v in "$@"; do m="$m${m:+,}{\"name\":\"$v\",\"mountPath\":\"/$v\"}"; done; echo '"containers":[{"name":"c","image":"i","volumeMounts":['"$m"']}]'; }
setup() { ask setup "$TMP/$1.json"; answer "^setup $UID_"; }
why() { setup "$1" | sed 's/^setup [^ ]* [^ ]* //'; }
mode() { stat -c %a:%u:%g "$1"; }
tmpfs() { [ "$(stat -f -c %T "$1")" = tmpfs ]; }
mounted() { grep -c " $POD_ROOT" /proc/self/mountinfo; }

kubelet_start

# --- emptyDir, hostPath ---
pod disk "$(mounts e m d f),"'"securityContext":{"fsGroup":3000},"volumes":[{"name":"e","emptyDir":{"sizeLimit":"600Ki"}},{"name":"m","emptyDir":{"medium":"Memory","sizeLimit":"4Mi"}},
	{"name":"d","hostPath":{"path":"'"$TMP"'/host/made/new","type":"DirectoryOrCreate"}},{"name":"f","hostPath":{"path":"'"$TMP"'/host/file","type":"FileOrCreate"}},
	{"name":"unused","nfs":{"server":"s","path":"/"}}]'
like "$(setup disk)" ' 0 $' 'emptyDir and hostPath; what no container mounts is left alone'
e=$FOLDER/volumes/kubernetes.io~empty-dir
is "$(mode "$e/e") $(mode "$e/m")" '2777:0:3000 2777:0:3000' 'emptyDirs belong to the pod’s group'
ok 'one in memory is a tmpfs' tmpfs "$e/m"
like "$(grep " $e/m " /proc/self/mountinfo)" 'size=4096k.*noswap' 'as large as it says, and never swapped'
is "$(stat -c %F "$TMP/host/made/new") $(stat -c %F "$TMP/host/file")" 'directory regular empty file' 'hostPaths are made'
is "$(stat -c %g "$TMP/host/made/new")" 0 'and not given to the group'
chmod 700 "$e/e"; echo kept >"$e/m/file"
like "$(setup disk)" ' 0 $' 'once more'
is "$(mode "$e/e") $(cat "$e/m/file")" '2700:0:3000 kept' 'what a pod made of them stays'
dd if=/dev/zero of="$e/e/big" bs=1k count=512 2>/dev/null
mkdir -p "$TMP/logs/default_disk_$UID_/c"; dd if=/dev/zero of="$TMP/logs/default_disk_$UID_/c/0.log" bs=1k count=64 2>/dev/null
ask usage "$TMP/disk.json"
like "$(answer '^usage')" '^usage 5[23][0-9]{4} [67][0-9]{4} 5 -$' 'what it takes is counted: emptyDirs on disk, logs'
dd if=/dev/zero of="$e/e/more" bs=1k count=100 2>/dev/null
ask usage "$TMP/disk.json"
like "$(answer '^usage')" ' Usage of EmptyDir volume "e" exceeds the limit "600Ki". $' 'and held against its limit'
DISK_UID=$UID_

wrong() { # TYPE PATH WORD
	pod "wrong-${1,,}" "$(mounts v),"'"volumes":[{"name":"v","hostPath":{"path":"'"$2"'","type":"'"$1"'"}}]'
	is "$(why "wrong-${1,,}")" "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: $2 is not $3" "hostPath $1"
}
wrong Directory "$TMP/host/file" 'a directory'
wrong File "$TMP/host/dir" 'a file'
wrong Socket "$TMP/host/file" 'a socket file'
wrong CharDevice "$TMP/host/file" 'a character device'
wrong BlockDevice /dev/null 'a block device'
pod nfs "$(mounts v),"'"volumes":[{"name":"v","nfs":{"server":"s","path":"/"}}]'
like "$(why nfs)" 'err=no volume plugin matched name: nfs$' 'a kind that is not there is refused'

# --- ConfigMaps, Secrets, fields ---
make_cm() { api PATCH $CORE/configmaps/cm -H 'Content-Type: application/merge-patch+json' -d '{"data":{"a":"'"$1"'"}}' >/dev/null; }
k create configmap cm --from-literal=a=one --from-literal=b=two >/dev/null
k create secret generic s --from-literal=key=hidden >/dev/null
pod files "$(mounts cm s d p),"'"securityContext":{"fsGroup":3000},"volumes":[{"name":"cm","configMap":{"name":"cm","items":[{"key":"a","path":"x/a","mode":256},{"key":"b","path":"b"}]}},
	{"name":"s","secret":{"secretName":"s","defaultMode":256}},{"name":"d","downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}},
	{"name":"p","projected":{"sources":[{"configMap":{"name":"cm"}},{"secret":{"name":"none","optional":true}},{"secret":{"name":"s"}},{"downwardAPI":{"items":[{"path":"uid","fieldRef":{"fieldPath":"metadata.uid"}}]}}]}}]'
like "$(setup files)" ' 0 $' 'configMap, secret, downwardAPI, projected, read under the node’s certificate'
v=$FOLDER/volumes
is "$(cd "$v" && cat kubernetes.io~configmap/cm/x/a kubernetes.io~configmap/cm/b kubernetes.io~secret/s/key kubernetes.io~downward-api/d/labels)" 'onetwohiddenapp="files"' 'their files'
is "$(cd "$v/kubernetes.io~projected/p" && ls -x && cat a b key uid)" "a  b  key  uid
onetwohidden$UID_" 'the projected ones'
is "$(mode "$(readlink -f "$v/kubernetes.io~configmap/cm/x/a")") $(mode "$(readlink -f "$v/kubernetes.io~secret/s/key")")" '440:0:3000 440:0:3000' 'modes and group'
ok 'secrets are in memory' tmpfs "$v/kubernetes.io~secret/s"
ok 'and what is projected' tmpfs "$v/kubernetes.io~projected/p"
ok 'a ConfigMap is on disk' test ! -e "$v/kubernetes.io~configmap/cm/..data_tmp" -a -L "$v/kubernetes.io~configmap/cm/..data"
before=$(readlink "$v/kubernetes.io~configmap/cm/..data")
like "$(setup files)" ' 0 $' 'nothing has changed'
is "$(readlink "$v/kubernetes.io~configmap/cm/..data")" "$before" 'and nothing is written'
make_cm ONE
changed() { [ "$(cat "$v/kubernetes.io~configmap/cm/x/a" "$v/kubernetes.io~projected/p/a")" = ONEONE ]; }
ok 'a change reaches the pod' busywait 10 changed
is "$(ls -A "$v/kubernetes.io~configmap/cm" | wc -l)" 4 'and leaves nothing of what was before'
FILES_UID=$UID_ FILES_FOLDER=$FOLDER

pod early "$(mounts v),"'"volumes":[{"name":"v","configMap":{"name":"later"}}]'
is "$(why early)" 'MountVolume.SetUp failed for volume "v" : configmap "later" not found' 'a ConfigMap that is not there'
: >"$TMP/said"
k create configmap later --from-literal=k=v >/dev/null
like "$(answer "^setup $UID_ 0")" ' 0 $' 'is waited for'
pod nokey "$(mounts v),"'"volumes":[{"name":"v","secret":{"secretName":"s","items":[{"key":"k","path":"k"}]}}]'
is "$(why nokey)" 'MountVolume.SetUp failed for volume "v" : references non-existent secret key: k' 'a key that is not there'
pod nosecret "$(mounts v),"'"volumes":[{"name":"v","secret":{"secretName":"x"}}]'
is "$(why nosecret)" 'MountVolume.SetUp failed for volume "v" : secret "x" not found' 'a Secret that is not there'
pod optional "$(mounts v),"'"volumes":[{"name":"v","secret":{"secretName":"x","optional":true}}]'
like "$(setup optional)" ' 0 $' 'one that need not be there'
jq '.metadata.uid = "11111111-2222-3333-4444-555555555555" | .spec.volumes = [{"name":"v","secret":{"secretName":"foreign"}}]' "$TMP/optional.json" >"$TMP/foreign.json"
k create secret generic foreign --from-literal=k=v >/dev/null
UID_=11111111-2222-3333-4444-555555555555
like "$(why foreign)" 'MountVolume.SetUp failed for volume "v" : secrets "foreign" is forbidden: .*no relationship found between node' 'a Secret that no pod of the node names is refused'
pod foreign "$(mounts v),"'"volumes":[{"name":"v","secret":{"secretName":"foreign"}}]'
ok 'and given soon after one is bound that does' busywait 3 said '^setup 11111111-2222-3333-4444-555555555555 0'

# many objects share few connections, and each is watched
sources=
for i in $(seq 260); do sources="$sources${sources:+,}{\"configMap\":{\"name\":\"many-$i\",\"optional\":true}}"; done
pod many "$(mounts v),"'"volumes":[{"name":"v","projected":{"sources":['"$sources"']}}]'
like "$(setup many)" ' 0 $' '260 objects'
connections=$(in_ns node ss -Htnp state established | grep -c "pid=$KUBELET_PID,")
ok "by few connections ($connections)" test "$connections" -le 5
for i in 1 130 260; do make $CORE/configmaps '{"metadata":{"name":"many-'$i'"},"data":{"k'$i'":"v"}}' >/dev/null; done
there() { (cd "$FOLDER/volumes/kubernetes.io~projected/v" && cat k1 k130 k260); }
ok 'all of them are seen to come' busywait 5 there
ask forget "$UID_"

# --- tokens ---
k create serviceaccount robot >/dev/null
pod token '"serviceAccountName":"robot",'"$(mounts v | sed 's/"image":"i"/"image":"i","securityContext":{"runAsUser":1234}/'),"'"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"token","expirationSeconds":600}},
	{"serviceAccountToken":{"path":"vault","audience":"vault","expirationSeconds":7200}}]}}]'
like "$(setup token)" ' 0 $' 'tokens'
t=$(readlink -f "$FOLDER/volumes/kubernetes.io~projected/v/..data")
claims() { cut -d. -f2 "$t/$1" | tr '_-' '/+' | base64 -d 2>/dev/null | jq -c "$2"; }
is "$(claims token '[.sub, .["kubernetes.io"].pod.uid, .exp - .iat]')" '["system:serviceaccount:default:robot","'"$UID_"'",600]' 'bound to the pod, for as long as it says'
is "$(claims vault '[.aud, .exp - .iat]')" '[["vault"],7200]' 'for another audience'
is "$(mode "$t/token")" 600:1234:0 'for the pod’s user alone'
is "$(in_ns node curl -sS --cacert "$TMP/pki/ca.crt" -H "Authorization: Bearer $(cat "$t/token")" -X POST -H 'Content-Type: application/json' \
	$API/apis/authentication.k8s.io/v1/selfsubjectreviews -d '{}' | jq -r .status.userInfo.username)" system:serviceaccount:default:robot 'the API server takes it'
kept=$(cat "$t/token")
setup token >/dev/null
is "$(cat "$t/token")" "$kept" 'it is kept while it is young'
pod noaccount '"serviceAccountName":"nobody",'"$(mounts v),"'"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}]'
like "$(why noaccount)" '^MountVolume.SetUp failed for volume "v" : failed to fetch token: serviceaccounts "nobody" not found' 'an account that is not there'

# --- claims ---
pv() { # NAME SOURCE
	make /api/v1/persistentvolumes >/dev/null '{"metadata":{"name":"'"$1"'"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],
		"claimRef":{"namespace":"default","name":"'"$1"'","uid":"'"$CLAIM"'"},'"$2"'}}'
}
claim() { # NAME [VOLUME]
	CLAIM=$(make $CORE/persistentvolumeclaims '{"metadata":{"name":"'"$1"'"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"","volumeName":"'"${2:-}"'","resources":{"requests":{"storage":"1Gi"}}}}' | jq -r .metadata.uid)
	[ -z "${2:-}" ] || api PATCH "$CORE/persistentvolumeclaims/$1/status" -H 'Content-Type: application/merge-patch+json' -d '{"status":{"phase":"Bound"}}' >/dev/null
}
claimed() { pod "$1" "$(mounts v),"'"securityContext":{"fsGroup":3000,"fsGroupChangePolicy":"OnRootMismatch"},"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"'"$1"'"'"${2:-}"'}}]'; }
here='"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]}}'
mkdir "$TMP/host/local"; echo data >"$TMP/host/local/data"
claim loc loc; pv loc '"local":{"path":"'"$TMP"'/host/local"},'"$here"; claimed loc ',"readOnly":true'
like "$(setup loc)" ' 0 $' 'a claim of a local volume'
is "$(mode "$TMP/host/local") $(mode "$TMP/host/local/data")" '2775:0:3000 664:0:3000' 'which belongs to the group then'
ask prepare "$TMP/loc.json" c 0
answer '^prepared c 0' >/dev/null
is "$(grep '^mount /v ' "$TMP/said")" "mount /v $TMP/host/local ro 0" 'mounted as it is, read-only as the claim says'
claim hp hp; pv hp '"hostPath":{"path":"'"$TMP"'/host/dir"}'; claimed hp
like "$(setup hp)" ' 0 $' 'a claim of a hostPath volume'
is "$(stat -c %g "$TMP/host/dir")" 0 'which stays whose it is'
claim gone gone; pv gone '"local":{"path":"/nowhere"},'"$here"; claimed gone
is "$(why gone)" 'MountVolume.NewMounter initialization failed for volume "gone" : path "/nowhere" does not exist' 'a local path that is not there'
claim far far; pv far '"local":{"path":"/"},'"${here/\"a\"/\"b\"}"; claimed far
is "$(why far)" 'MountVolume.NodeAffinity check failed for volume "far" : no matching NodeSelectorTerms' 'a volume of another node'
claim theirs theirs; CLAIM=other pv theirs '"hostPath":{"path":"/"}'; claimed theirs
like "$(why theirs)" 'error processing PVC default/theirs: found PV object theirs but its pv.Spec.ClaimRef.UID other does not point to claim.UID' 'a volume of another claim'
claim loose; claimed loose
is "$(why loose)" 'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/loose: PVC is not bound' 'a claim that is not bound'
claim nfsv nfsv; pv nfsv '"nfs":{"server":"s","path":"/"}'; claimed nfsv
like "$(why nfsv)" 'failed to get Plugin from volumeSpec for volume "nfsv" err=no volume plugin matched name: nfs$' 'a volume of a kind that is not there'

# --- a container's mounts ---
mkdir -p "$TMP/host/sub/there"; echo file >"$TMP/host/sub/file"; ln -s /etc "$TMP/host/sub/out"; ln -s there "$TMP/host/sub/in"
pod sub '"subdomain":"net","hostAliases":[{"ip":"192.0.2.7","hostnames":["seven"]}],"containers":[
	{"name":"c","image":"i","volumeMounts":[{"name":"h","mountPath":"/a","subPath":"there"},{"name":"h","mountPath":"/b","subPath":"file","readOnly":true},{"name":"h","mountPath":"/c","subPath":"in"},
		{"name":"h","mountPath":"/d","subPathExpr":"new/$(NAME)"},{"name":"cm","mountPath":"/e","subPath":"a"},{"name":"h","mountPath":"/f","mountPropagation":"HostToContainer"}]},
	{"name":"out","image":"i","volumeMounts":[{"name":"h","mountPath":"/a","subPath":"out/cron.d"}]},
	{"name":"unknown","image":"i","volumeMounts":[{"name":"h","mountPath":"/a","subPathExpr":"$(NONE)"}]}],
	"volumes":[{"name":"h","hostPath":{"path":"'"$TMP"'/host/sub"}},{"name":"cm","configMap":{"name":"cm"}}]'
like "$(setup sub)" ' 0 $' 'subPaths: the volumes'
ask prepare "$TMP/sub.json" c 3
like "$(answer '^prepared c')" ' 0 $' 'and their parts'
S=$FOLDER/volume-subpaths/h/c
is "$(grep '^mount' "$TMP/said")" "mount /a $S/0 rw 0
mount /b $S/1 ro 0
mount /c $S/2 rw 0
mount /d $S/3 rw 0
mount /e $FOLDER/volume-subpaths/cm/c/4 ro 0
mount /f $TMP/host/sub rw 1
mount /etc/hosts $FOLDER/etc-hosts rw 0
mount /dev/termination-log $FOLDER/containers/c/00000003 rw 0" 'what the runtime is told'
same() { [ "$1" -ef "$2" ]; }
ok 'a folder' same "$S/0" "$TMP/host/sub/there"
is "$(cat "$S/1")" file 'a file'
ok 'a link that stays in the volume' same "$S/2" "$TMP/host/sub/there"
ok 'what is missing is made' same "$S/3" "$TMP/host/sub/new/expanded"
is "$(cat "$FOLDER/volume-subpaths/cm/c/4")" ONE 'a file of a ConfigMap'
is "$(grep -v '^fe\|^::' "$FOLDER/etc-hosts")" "# Kubernetes-managed hosts file.
127.0.0.1	localhost
10.1.2.3	sub.net.default.svc.cluster.local	sub

# Entries added by HostAliases.
192.0.2.7	seven" '/etc/hosts'
is "$(mode "$FOLDER/containers/c/00000003")" 666:0:0 'the termination message file'
count=$(mounted)
ask prepare "$TMP/sub.json" c 4; answer '^prepared c 0' >/dev/null
is "$(mounted)" "$count" 'a container made again finds its mounts'
make_cm two
two() { [ "$(cat "$FOLDER/volumes/kubernetes.io~configmap/cm/a")" = two ]; }
busywait 10 two
ask prepare "$TMP/sub.json" c 5; answer '^prepared c 0' >/dev/null
is "$(cat "$FOLDER/volume-subpaths/cm/c/4") $(mounted)" "two $count" 'and one made later sees what the file has become'
ask prepare "$TMP/sub.json" out 0
like "$(answer '^prepared out')" 'failed to prepare subPath for volumeMount "h" of container "out"' 'a link that leads out of the volume'
ask prepare "$TMP/sub.json" unknown 0
like "$(answer '^prepared unknown')" 'missing value for a variable of subPathExpr' 'a variable that is not there'
echo "it died" >"$FOLDER/containers/c/00000005"
ask message "$FOLDER/containers/c/00000005"
is "$(answer '^message')" 'message it died' 'what it died of'
: >"$FOLDER/containers/c/00000005"; echo '2024-05-01T10:00:00.000000000Z stderr F last words' >"$TMP/logs/c.log"
ask message "$FOLDER/containers/c/00000005" "$TMP/logs/c.log"
is "$(answer '^message')" 'message last words' 'or its last words'
SUB_UID=$UID_ SUB_FOLDER=$FOLDER

# who writes to a volume exchanges a folder for a link to the node's, as fast as can be
mkdir -p "$TMP/host/race" "$TMP/secret"; echo secret >"$TMP/secret/of-the-node"
pod race '"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"h","mountPath":"/a","subPath":"x/y"}]}],"volumes":[{"name":"h","hostPath":{"path":"'"$TMP"'/host/race"}}]'
setup race >/dev/null
mkdir -p "$TMP/secret/y" "$TMP/host/race/x/y"; echo secret >"$TMP/secret/y/of-the-node"; ln -s "$TMP/secret" "$TMP/host/race/link"
ask race "$TMP/host/race/x" "$TMP/host/race/link"
seen=0 well=0
for i in $(seq 25); do
	ask prepare "$TMP/race.json" c 0
	said=$(answer '^prepared c')
	[[ $said == *' 0 ' ]] && well=$((well + 1))
	[ ! -e "$FOLDER/volume-subpaths/h/c/0/of-the-node" ] || seen=$((seen + 1))
	umount "$FOLDER/volume-subpaths/h/c/0" 2>/dev/null
done
ask calm
is "$seen" 0 "a subPath that is exchanged for a link never shows what is outside ($well of 25 found the folder)"

# --- killed, and its successor ---
kill -9 $KUBELET_PID; wait $KUBELET_PID 2>/dev/null; exec 5>&-
before=$(readlink "$FILES_FOLDER/volumes/kubernetes.io~projected/p/..data") count=$(mounted)
kubelet_start
UID_=$FILES_UID
like "$(setup files)" ' 0 $' 'after kill -9 everything is found again'
is "$(readlink "$FILES_FOLDER/volumes/kubernetes.io~projected/p/..data") $(mounted)" "$before $count" 'and left as it is'
ask prepare "$TMP/sub.json" c 6; answer '^prepared c 0' >/dev/null
is "$(mounted)" "$count" 'mounts as well'
ask disk
busywait 5 said "$SUB_UID"
is "$(grep -c '^disk' "$TMP/said")" "$(ls "$POD_ROOT" | wc -l)" 'pods on disk are told'

# killed wherever it may be, twelve times
for i in $(seq 12); do
	make_cm "$i"
	echo "teardown $FILES_UID
setup $TMP/files.json
setup $TMP/sub.json
prepare $TMP/sub.json c $((i + 6))" >&5
	sleep "0.0$((i * 3 / 10))$((i * 3 % 10))" # it takes some 30 ms; at any of them the kill may come
	kill -9 $KUBELET_PID; wait $KUBELET_PID 2>/dev/null; exec 5>&-
	kubelet_start
done
UID_=$FILES_UID
like "$(setup files)" ' 0 $' 'after more of them, at any step'
UID_=$SUB_UID; setup sub >/dev/null
ask prepare "$TMP/sub.json" c 20; answer '^prepared c 0' >/dev/null
is "$(cat "$FILES_FOLDER/volumes/kubernetes.io~configmap/cm/x/a" "$SUB_FOLDER/volume-subpaths/cm/c/4") $(mounted)" "1212 $count" 'all is as it should be'
is "$(find "$FILES_FOLDER/volumes" -mindepth 3 -maxdepth 3 -name '..*' | wc -l) $(find "$FILES_FOLDER" -name '*.tmp' | wc -l)" '8 0' 'and nothing is left over'

# --- the end ---
mkdir -p "$SUB_FOLDER/volumes/kubernetes.io~empty-dir/x"; mount --bind "$TMP/host" "$SUB_FOLDER/volumes/kubernetes.io~empty-dir/x"
(cd "$POD_ROOT/$DISK_UID/volumes/kubernetes.io~empty-dir/m" && exec sleep 60) & SLEEP=$!
busy() { [ "$(readlink /proc/$SLEEP/cwd)" = "$POD_ROOT/$DISK_UID/volumes/kubernetes.io~empty-dir/m" ]; }
busywait 5 busy
ask teardown "$DISK_UID"
like "$(answer '^teardown')" "^teardown -16 cannot unmount .*/m: Device or resource busy" 'a volume that is in use is said to be'
kill $SLEEP; wait $SLEEP 2>/dev/null
for u in $(ls "$POD_ROOT"); do
	ask teardown "$u"
	said=$(answer '^teardown')
	[ "$said" = 'teardown 0 ' ] || note "$u: $said"
done
is "$(ls -A "$POD_ROOT") $(mounted)" ' 0' 'every pod is taken down, mounts and folders'
ok 'and nothing that was not the pod’s' test -s "$TMP/host/sub/file" -a -s "$TMP/host/local/data"
exec 5>&-
wait $KUBELET_PID
is $? 0 'the kubelet ends well'
done_testing
