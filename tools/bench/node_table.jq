# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# bench/node.json as rows of figure, what was measured, and what is aimed at.
def round($digits): . * pow(10; $digits) | round | . / pow(10; $digits);
def megabytes: "\(. / 1e6 | round(1)) MB";
def percentiles: "p50 \(.p50Milliseconds) ms, p99 \(.p99Milliseconds) ms";
def agents: .kubelet + .["kube-proxy"] + .["xebec-netd"];
def percent($seconds): "\(. * 100 / $seconds | round(2)) %";

.full.cpuSeconds as $cpu | .idle.cpuSeconds as $idle | .idle.seconds as $seconds | .idle.memory as $m | ([ $m[] ]) as $all
| [ "a node", "\(.cores) cores shared with all else, Linux \(.kernel), load \(.loadAverage)", "" ],
  [ "", "measured", "aim" ],
  [ "xebec up to a control plane", "\(.up.controlPlaneMilliseconds) ms", "" ],
  [ "  to a node that is Ready", "\(.up.readyMilliseconds) ms", "" ],
  [ "  to the first pod Running, by kubectl", "\(.up.firstPodMilliseconds) ms", "" ],
  [ "a pod from creation to Running, \(.single.podsBeside) on the node", (.single.running | percentiles), "p99 1 s" ],
  [ "  containerd alone, in turn with it", (.single.runtimeAlone | percentiles), "" ],
  [ "  sandbox", (.single.runtimeCalls.sandbox | percentiles), "" ],
  [ "  between the two at p50", "\(.single.running.p50Milliseconds - .single.runtimeAlone.p50Milliseconds | round(1)) ms", "150 ms" ],
  [ "\(.full.together) pods at once, until all run", "\(.full.milliseconds) ms", "" ],
  [ "  processor time: kubelet, containerd itself, API server", "\($cpu.kubelet) s, \($cpu.containerd) s, \($cpu["kube-apiserver"]) s", "" ],
  [ "\(.idle.pods) pods: kubelet, kube-proxy, xebec-netd resident", "\([ $all[].rssBytes ] | add | megabytes)", "40 MB" ],
  ($m | to_entries[] | [ "  \(.key)", "\(.value.rssBytes | megabytes), of it its own \(.value.anonymousBytes | megabytes)", "" ]),
  [ "  what they share counted once (Pss)", "\([ $all[].pssBytes ] | add | megabytes)", "" ],
  [ "idle, \(.idle.probed) pods probed every 10 s: the three", ($idle | agents | percent($seconds)), "1 %" ],
  [ "  kubelet, containerd", "\($idle.kubelet | percent($seconds)), \($idle.containerd | percent($seconds))", "" ]
| @tsv
