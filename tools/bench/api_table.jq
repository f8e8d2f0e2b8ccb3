# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# bench/api.json as rows of figure, what was measured, and what is aimed at: a tenth of the time, ten times the rate and a fifteenth of
# the memory of upstream's 1.20 with etcd (1,000 creates/s at p99 177 ms, 3,060 gets/s at p99 87 ms; 458 MB idle, 1.8 GB with 12,000 pods).
def round($digits): . * pow(10; $digits) | round | . / pow(10; $digits);
def median: sort | .[length / 2 | floor];
def megabytes: "\(. / 1e6 | round(1)) MB";
def kilobytes: "\(. / 1e3 | round(1)) KB";
def milliseconds: "\(if . < 10 then round(2) else round(0) end) ms";
def latency: "p50 \(.p50Milliseconds | milliseconds), p99 \(.p99Milliseconds | milliseconds)";
def rate: "\(.requestsPerSecond | round(0))/s, \(.operations[] | latency)";
def growth: .server.rssBytesMost - .server.rssBytesBefore;
def idle_watch: "\(.serverBytesPerWatch | kilobytes) (client \(.clientBytesPerWatch | kilobytes))";
def receipt: "\(.receiptSinceAck | latency), last \(.lastReceiptSinceAck.p99Milliseconds | milliseconds)";

.figures as $f
| [ $f | to_entries[] | select(.key | startswith("empty disk")) | .value ] as $empty
| ([ $empty[].server.rssBytesAfter ] | median) as $idle
| ($f["list of many pods"].bytesReceived + $f["list of many ConfigMaps"].bytesReceived) as $bytes
| ($f["many pods"].requests + $f["many ConfigMaps"].requests) as $many
| ($f["many ConfigMaps"].server.rssBytesAfter - $idle) as $held
| ($f["restart with many"].server.rssBytesAfter - $idle) as $loaded
| [ "kube-apiserver", "\(.cores) cores shared with the client, Linux \(.kernel), load \([ $f[].loadAverage ] | min) to \([ $f[].loadAverage ] | max)", "" ],
  [ "", "measured", "aim" ],
  [ "empty disk to ready", ([ $empty[].readyMilliseconds ] | median | milliseconds), "300 ms" ],
  [ "resident when empty", ($idle | megabytes), "30 MB" ],
  [ "\($f.watches.watches) idle watches, each", ($f.watches | idle_watch), "45 KB" ],
  [ "  by token", ($f["watches by token"] | idle_watch), "45 KB" ],
  [ "  on \($f["watches on few connections"].connections) connections", ($f["watches on few connections"] | idle_watch), "" ],
  [ "one event to all, after its answer", ($f.watches | receipt), "p99 150 ms" ],
  [ "  by token", ($f["watches by token"] | receipt), "p99 150 ms" ],
  [ "  on few connections", ($f["watches on few connections"] | receipt), "" ],
  [ "create pods, 64 clients", ($f.pods | rate), "10000/s, p99 18 ms" ],
  [ "get pods, 64 clients", ($f["gets of pods"] | rate), "30600/s, p99 9 ms" ],
  [ "resident with \($f.pods.requests) pods", ($f.pods.server.rssBytesAfter | megabytes), "120 MB" ],
  [ "list them", ($f.list.operations.list.p50Milliseconds | milliseconds), "120 ms" ],
  [ "a page of 500", ($f.pages.operations.list.p50Milliseconds | milliseconds), "" ],
  [ "ten lists at once (\($f["ten lists"].bytesReceived | megabytes)), memory each", ($f["ten lists"] | growth / 10 | kilobytes), "a window, 262 KB" ],
  [ "  read slowly", ($f["ten slow lists"] | growth / 10 | kilobytes), "a window, 262 KB" ],
  [ "restart with them to ready", ($f["restart with pods"].readyMilliseconds | milliseconds), "" ],
  [ "create ConfigMaps of 1 KB, 1 client", ($f["creates, 1 client"] | rate), "" ],
  [ "  16 clients", ($f["creates, 16 clients"] | rate), "" ],
  [ "  64 clients", ($f.creates | rate), "10000/s, p99 18 ms" ],
  [ "get them, 64 clients", ($f.gets | rate), "30600/s, p99 9 ms" ],
  [ "  by HTTP/2", ($f["gets by HTTP/2"] | rate), "" ],
  [ "update them, 64 clients", ($f.updates | rate), "" ],
  [ "delete them, 64 clients", ($f.deletes | rate), "" ],
  [ "\($many) objects of \($bytes / $many | kilobytes)", "\($held / $bytes | round(2)) times their bytes, \($loaded / $bytes | round(2)) after a restart", "1.5 times" ],
  [ "restart with them to ready", ($f["restart with many"].readyMilliseconds | milliseconds), "2000 ms" ]
| @tsv
