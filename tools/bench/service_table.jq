# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# bench/service.json as rows: what each path makes of the pod's own address, and what programming costs.
def round($digits): . * pow(10; $digits) | round | . / pow(10; $digits);
def megabytes: if . == null then "" else "\(. / 1e6 | round(1)) MB" end;
def ratio: if . == null then "" else "\(.median | round(3)) (\(.quartiles | map(round(3) | tostring) | join("-")))" end;

[ "services", .worlds[].services ],
( .worlds as $worlds | $worlds[0].talk | to_entries[] | select(.value | type == "object") | .key as $kind
  | .value | keys_unsorted[] | . as $path
  | if $path == "pod" then [ "\($kind): pod's own address, a second; of processors", ($worlds[] | .talk[$kind].pod
        | "\(.perSecond.median | round); \(.processorNanoseconds.median / 1e3 | round(if $kind == "stream" then 5 else 1 end)) us") ]
    else [ "  \($path)", ($worlds[] | .talk[$kind][$path].ratio | ratio) ] end ),
( .worlds as $worlds | $worlds[0].sameNode | to_entries[] | select(.value | type == "object") | .key as $kind
  | [ "\($kind): socket, beside the pod's own address by the same node", ($worlds[] | .sameNode[$kind].socket.ratio | ratio) ] ),
( .worlds as $worlds | { node: "eBPF", nft: "nftables", ipt: "iptables-restore" } | to_entries[] | .key as $mode
  | [ "\(.value): from start to programmed; processor", ($worlds[] | .programming[$mode] | if . == null then "" else "\(.startToProgrammedMilliseconds) ms; \(.cpuMilliseconds) ms" end) ],
    [ "  resident; in the kernel", ($worlds[] | .programming[$mode] | if . == null then "" else "\(.residentBytes | megabytes); \(.kernelBytes | megabytes)" end) ] )
| @tsv
