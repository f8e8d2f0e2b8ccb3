# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# bench/proxy.json as rows.
def round($digits): . * pow(10; $digits) | round | . / pow(10; $digits);
def megabytes: "\(. / 1e6 | round(1)) MB";
def row($name; f): [ $name, (.worlds[] | f) ];

[ "kube-proxy, services of \(.worlds[0].endpoints) endpoints; Linux \(.kernel), \(.cores) cores, load \(.loadAverage)", .worlds[].services ],
row("from start to programmed"; "\(.milliseconds.fromStart | round) ms"),
row("  from asking for the lists"; "\(.milliseconds.fromLists | round) ms"),
row("  of which plans and tables"; "\(.milliseconds.plansAndTables | round) ms"),
row("  processor time"; "\(.cpuMilliseconds | round) ms"),
row("one endpoint's change, processor time, its event read and decrypted"; "\(.changeMicroseconds.alone | round(1)) us"),
row("  among others, one wake-up for many"; "\(.changeMicroseconds.amongOthers | round(1)) us"),
row("resident"; .memoryBytes.resident | megabytes),
row("  of its own; at most when it starts"; .memoryBytes | "\(.anonymous | megabytes); \(.most | megabytes)"),
row("in the kernel: tables"; .memoryBytes.tables | megabytes)
| @tsv
