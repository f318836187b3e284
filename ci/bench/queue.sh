#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How much memory an engine takes with many messages in its queue: they come one by one, for destinations that take a
# connection and say nothing.
#
# mtalab up --scenarios ci/bench/scenarios twenty-destinations -- ci/bench/queue.sh DIR COUNT
#
# DIR is on a disk. Prints: seconds until the last one was accepted, the most KiB of memory up to then (RSS), messages queued.
set -eu
dir=$(cd "$1" && pwd) count=$2
here=$(cd "$(dirname "$0")" && pwd)
engine=$here/../../build/bin/mtalab-engine
. "$here/../lab-engine.sh"
. "$here/spent.sh"
{ lab_engine_config "$dir/engine" mail.sender.example "$MTALAB_LISTEN"; echo "clients: [100.64.0.0/10]"; } >"$dir/engine.yaml"
lab_engine_run "$engine" "$dir/engine.yaml" "$dir/log"
# shellcheck disable=SC2154 # pid is lab_engine_run's
trap 'kill "$pid" 2>/dev/null || true' EXIT
began=$(date +%s%N)
for i in $(seq 20); do
    smtp-source -d -s 2 -m $((count / 20)) -l 1000 -f alice@sender.example -t "someone@s$i.silent.example" "$MTALAB_LISTEN" &
    sources="${sources-} $!"
done
for source in $sources; do wait "$source"; done
took=$(($(date +%s%N) - began))
kib=$(most_resident_kib mtalab-engine)
queued=$("$engine" --config "$dir/engine.yaml" queue --json --limit 1000000 | grep -c '"recipient"')
awk -v ns="$took" -v kib="$kib" -v queued="$queued" 'BEGIN { printf "%.1f %d %d\n", ns / 1e9, kib, queued }'
