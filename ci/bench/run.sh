#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Speed and memory, beside the same thing assembled by hand from NSD, unbound and Postfix in the same run (ci/bench/rival.sh;
# needs root, nsd, unbound, ldnsutils and postfix, and is left out by name where it cannot run).
set -eu
cd "$(dirname "$0")/../.."
. ci/lib.sh
runs=${RUNS:-11}
mtalab=build/bin/mtalab
one="dane/matching-key --mode dane=opportunistic,mta-sts=none"

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
wall_ms() { # a command, several times: the median in milliseconds
    for _ in $(seq "$runs"); do
        began=$(date +%s%N); "$@" >/dev/null; echo $((($(date +%s%N) - began) / 1000000))
    done | median
}
row() { printf '%-58s %10s   %s\n' "$1" "$2" "$3"; }

say "median of $runs runs each, $(nproc) processors"
# shellcheck disable=SC2086
first=$(wall_ms $mtalab run $one)
row "mtalab run of one DANE-authenticated delivery" "$first ms" "goal 100 ms"
silent=$(wall_ms $mtalab run dane/tlsa-server-stays-silent --mode dane=opportunistic,mta-sts=none)
row "the same with a silent name server, twin included" "$silent ms" "goal 1000 ms"

results=$(mktemp)
trap 'rm -f "$results"' EXIT
# What the machine as a whole spent: the subject and its kind end outside of the reach of getrusage().
busy_ms() { awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print int(($2 + $3 + $4 + $7 + $8) * 1000 / hz) }' /proc/stat; }
began=$(date +%s%N) busy=$(busy_ms)
# shellcheck disable=SC2086
$mtalab run $one --repeat 270 --json "$results" >/dev/null
took=$((($(date +%s%N) - began) / 1000000)) busy=$(($(busy_ms) - busy))
row "270 cases" "$took ms" "goal 10000 ms"
row "CPU of a case, everything on this machine included" "$((busy / 270)) ms" "goal 40 ms"
began=$(date +%s%N)
$mtalab run --json "$results" >/dev/null || true
took=$((($(date +%s%N) - began) / 1000000))
count=$(grep -c '"verdict":' "$results")
row "the whole suite, $count cases" "$took ms" "$((took / count)) ms a case"
pss=$($mtalab up dane/matching-key --mta engine -- ci/bench/pss.sh | tail -1)
row "a running lab with engine (PSS)" "$pss KiB" "goal 61440 KiB"

# ---- load: many messages to twenty DANE destinations, on this disk; the two senders in turn, each with a fresh queue
messages=${MESSAGES:-2000} pairs=${PAIRS:-3}
load() { # SUBJECT [SILENT [hanging]]: messages a second
    dir=$(mktemp -d build/bench.XXXXXX)
    chmod 755 "$dir"
    $mtalab up --scenarios ci/bench/scenarios twenty-destinations --journal "$dir/journal" -- \
        ci/bench/load.sh "$1" "$messages" "$dir" "${2:-0}" "${3-}" | awk -v n="$messages" '{ printf "%d %s %s %s\n", n / $1, $2, $3, $4 }'
    rm -rf "$dir"
}
column() { cut -d' ' -f"$1" "$results" | median; }

can_rival() { [ "$(id -u)" = 0 ] && for p in nsd unbound ldns-signzone smtp-source; do command -v $p >/dev/null 2>&1 || return 1; done; }
can_load() { [ "$(id -u)" = 0 ] && command -v smtp-source >/dev/null 2>&1; }
if can_load; then
    : >"$results"
    for _ in $(seq "$pairs"); do echo "$(load engine) $(load postfix)" >>"$results"; done
    row "$messages messages to 20 DANE destinations, a second" "$(column 1)" "over $(column 2) connections"
    row "the same by Postfix" "$(column 5)" "over $(column 6) connections"
    ratio=$(awk '{ printf "%.2f\n", $1 / $5 }' "$results" | median)
    row "times its rate, median of $pairs pairs" "$ratio" "goal 3; load average $(cut -d' ' -f1 /proc/loadavg)"
    beside() { # WHAT SILENT [hanging]
        what=$1 && shift
        for _ in $(seq "$pairs"); do echo "$(load engine) $(load engine "$@")"; done >"$results"
        row "their time $what" "$(awk '{ printf "%.2f\n", $1 / $5 }' "$results" | median)" "times that without, $(column 5) a second"
    }
    beside "behind 10000 silent destinations in the queue" 10
    beside "beside 10000 silent destinations that hang" 10 hanging
else
    echo "left out: the load (needs root, postfix)"
fi
if can_rival; then
    for _ in $(seq "$runs"); do timeout 60 unshare -n -m -p -f --mount-proc ci/bench/rival.sh; done >"$results"
    rival=$(cut -d' ' -f1 "$results" | median | awk '{ printf "%d", 1000 * $1 }')
    rival_pss=$(cut -d' ' -f2 "$results" | median)
    row "by hand (NSD, unbound, two Postfix): first delivery" "$rival ms" "$(awk "BEGIN { printf \"%.2f\", $first / $rival }") of its time is ours"
    row "by hand: memory (PSS)" "$rival_pss KiB" "$(awk "BEGIN { printf \"%.2f\", $pss / $rival_pss }") of its memory is ours"
else
    echo "left out: the rival (needs root, nsd, unbound, ldnsutils, postfix)"
fi
