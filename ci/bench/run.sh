#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Speed and memory, beside peers in the same run: Postfix under the same load, and the same thing as mtalab assembled by hand
# from NSD, unbound and Postfix (ci/bench/rival.sh). Needs root, nsd, unbound, ldnsutils, postfix.
#
# ci/bench/run.sh [PART ...]      these, or all; each is ended when it takes too long
#
# Ends with one table. What could not be measured is said there, and the exit status is 1; a goal that is missed is not a
# failure, for the machine may be busy: ratios are medians of pairs taken in turn, and the CPU that was spent stands beside.
# $RUNS (11), $PAIRS (3), $MESSAGES (2000), $QUEUED (100000), $PATIENCE (1: what the limits are multiplied by)
set -eu
cd "$(dirname "$0")/../.."
. ci/lib.sh
runs=${RUNS:-11} pairs=${PAIRS:-3} messages=${MESSAGES:-2000} queued=${QUEUED:-100000}
mtalab=build/bin/mtalab
one="dane/matching-key --mode dane=opportunistic,mta-sts=none"
parts='case 180
suite 1500
memory 60
load 600
sessions 600
hanging 1500
queue 600
rival 600' # and seconds that each may take

# ---- numbers

median() { sort -n | awk '{ v[NR] = $1 } END { if (!NR) exit 1; print v[int((NR + 1) / 2)] }'; }
column() { cut -d' ' -f"$1" "$work/numbers" | median; }          # its median
ratio_of() { awk -v a="$1" -v b="$2" '{ printf "%.2f\n", $a / $b }' "$work/numbers" | median; } # median of column A by column B
spread_of() { awk -v a="$1" -v b="$2" '{ printf "%.2f\n", $a / $b }' "$work/numbers" | sort -n | tr '\n' ' '; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# What the machine as a whole spent: the subject and its kind end outside of the reach of getrusage().
busy_ms() { awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print int(($2 + $3 + $4 + $7 + $8) * 1000 / hz) }' /proc/stat; }
wall_ms() { # a command, several times: the median in milliseconds
    for _ in $(seq "$runs"); do
        began=$(now_ms); "$@" >/dev/null; echo $(($(now_ms) - began))
    done >"$work/walls"
    median <"$work/walls"
}

# row WHAT NUMBER UNIT [least|most|- GOAL [BESIDE]]: a line of the table
row() {
    verdict=$(awk -v got="$2" -v way="${4:--}" -v goal="${5:-0}" 'BEGIN {
        if (way == "-") print "-"; else printf "%s (%s %s)\n", (way == "most" ? got <= goal : got >= goal) ? "met" : "MISSED", way, goal }')
    printf '%s|%s %s|%s|%s\n' "$1" "$2" "$3" "$verdict" "${6:-}" >>"$work/table"
    printf '  %-62s %10s %-5s %s\n' "$1" "$2" "$3" "$verdict"
}

need() { # PROGRAM ...: all of them, and root
    [ "$(id -u)" = 0 ] || die "needs root"
    for program; do command -v "$program" >/dev/null || die "needs $program"; done
}

# ---- the parts

part_case() {
    # shellcheck disable=SC2086
    row "mtalab run of one DANE-authenticated delivery" "$(wall_ms $mtalab run $one)" ms most 100
    row "the same with a silent name server, twin included" \
        "$(wall_ms $mtalab run dane/tlsa-server-stays-silent --mode dane=opportunistic,mta-sts=none)" ms most 1000
}

cases() { # COUNT: "wall cpu", microseconds of a case
    began=$(now_ms) busy=$(busy_ms)
    # shellcheck disable=SC2086
    $mtalab run $one --repeat "$1" >"$work/said"
    echo "$((1000 * ($(now_ms) - began) / $1)) $((1000 * ($(busy_ms) - busy) / $1))"
}

part_suite() {
    cases 100 >"$work/few"
    cases 5000 >"$work/many"
    row "a case among 100" "$(cut -d' ' -f1 "$work/few")" us - 0 "CPU of the whole machine meanwhile: $(cut -d' ' -f2 "$work/few") us"
    row "a case among 5000" "$(cut -d' ' -f1 "$work/many")" us most 20000 "CPU of the whole machine meanwhile: $(cut -d' ' -f2 "$work/many") us"
    row "times the former" "$(cat "$work/many" "$work/few" | awk '{ v[NR] = $1 } END { printf "%.2f", v[1] / v[2] }')" "" most 1.2
    began=$(now_ms)
    $mtalab run --json "$work/results" >"$work/said"
    took=$(($(now_ms) - began)) count=$(grep -c '"verdict":' "$work/results")
    row "the whole suite, $count cases: a case" "$((1000 * took / count))" us most 20000 "$took ms in all"
}

part_memory() {
    row "a running lab with engine (PSS)" "$($mtalab up dane/matching-key --mta engine -- ci/bench/pss.sh | tail -1)" KiB most 61440
}

in_world() { # SCRIPT WORD ...: its last line; the first thing it is told is a directory on this disk
    script=ci/bench/$1 && shift
    dir=$(mktemp -d build/bench.XXXXXX)
    chmod 755 "$dir"
    $mtalab up --scenarios ci/bench/scenarios twenty-destinations --journal "$dir/journal" -- "$script" "$dir" "$@" >"$work/line"
    rm -rf "$dir"
    tail -1 "$work/line"
}

# SUBJECT [SILENT [hanging]]: messages a second, connections, full handshakes, tickets, us of CPU a message, KiB
load() {
    in_world load.sh "$1" "$messages" "${2:-0}" "${3-}" >"$work/load"
    awk -v n="$messages" '{ printf "%d %d %d %d %d %d ", n / $1, $2, $3, $4, 1000 * $5 / n, $6 }' "$work/load"
}
in_pairs() { # COMMAND, then COMMAND: their numbers side by side, several times
    for _ in $(seq "$pairs"); do
        $1
        $2
        echo
    done >"$work/numbers"
}

part_load() {
    need smtp-source
    in_pairs "load engine" "load postfix"
    row "$messages messages to 20 DANE destinations" "$(column 1)" /s - 0 \
        "$(column 2) connections, $(column 4) of them resumed sessions; CPU $(column 5) us a message"
    row "the same by Postfix" "$(column 7)" /s - 0 \
        "$(column 8) connections, $(column 10) of them resumed sessions; CPU $(column 11) us a message"
    row "times its rate" "$(ratio_of 1 7)" "" least 3 "pairs: $(spread_of 1 7)"
    row "times its CPU" "$(ratio_of 5 11)" "" - 0 "pairs: $(spread_of 5 11)"
}

new_connections() { # MORE SETTINGS: each message over a connection of its own
    ENGINE_SETTINGS="keep-connection: 0s
$1"
    export ENGINE_SETTINGS
    load engine
}
resuming() { new_connections ''; }
not_resuming() { new_connections 'tls-sessions: 0s'; }

part_sessions() {
    need smtp-source
    in_pairs resuming not_resuming
    row "each message over a connection of its own, sessions resumed" "$(column 5)" "us CPU" - 0 \
        "$(column 4) of $(column 2) handshakes by ticket, $(column 1) messages a second"
    row "the same with a full handshake each" "$(column 11)" "us CPU" - 0 "$(column 7) messages a second"
    row "times its CPU" "$(ratio_of 5 11)" "" most 1 "pairs: $(spread_of 5 11)"
}

beside() { # WHAT SILENT [hanging]
    what=$1 && shift
    in_pairs "load engine" "load engine $*"
    row "their time $what" "$(ratio_of 1 7)" times most 1.25 "pairs: $(spread_of 1 7)"
    row "their CPU $what" "$(ratio_of 11 5)" times - 0 "pairs: $(spread_of 11 5); the engine has $(column 12) KiB then"
}

part_hanging() {
    need smtp-source
    beside "behind 10000 silent destinations in the queue" 10
    beside "beside 10000 silent destinations that hang" 10 hanging
}

part_queue() {
    need smtp-source
    in_world queue.sh "$queued" >"$work/numbers"
    [ "$(column 3)" = "$queued" ] || die "only $(column 3) of $queued messages are in the queue"
    row "memory with $queued messages in the queue" "$(column 2)" KiB most 65536 "accepted in $(column 1) s"
}

part_rival() {
    need nsd unbound ldns-signzone smtp-source
    # shellcheck disable=SC2086
    first=$(wall_ms $mtalab run $one)
    pss=$($mtalab up dane/matching-key --mta engine -- ci/bench/pss.sh | tail -1)
    for _ in $(seq "$runs"); do timeout 60 unshare -n -m -p -f --mount-proc ci/bench/rival.sh; done >"$work/numbers"
    row "by hand (NSD, unbound, two Postfix): first delivery" "$(column 1 | awk '{ printf "%d", 1000 * $1 }')" ms - 0
    row "ours by that" "$(awk -v a="$first" -v b="$(column 1)" 'BEGIN { printf "%.2f", a / b / 1000 }')" "" most 1 "$first ms"
    row "by hand: memory (PSS)" "$(column 2)" KiB - 0
    row "ours by that" "$(awk -v a="$pss" -v b="$(column 2)" 'BEGIN { printf "%.2f", a / b }')" "" most 1 "$pss KiB"
}

# ---- all of it

if [ "${1:-}" = --part ]; then # one of them, in a shell of its own, so that it can be ended
    work=$3 dir=
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM
    "part_$2"
    exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: >"$work/table"
load_average() { cut -d' ' -f1-3 /proc/loadavg; }
say "medians of $runs runs or $pairs pairs, $(nproc) processors, load average $(load_average)"
began=$(now_ms) missing=''
echo "$parts" >"$work/parts"
while read -r part limit; do
    [ $# -eq 0 ] || case " $* " in *" $part "*) ;; *) continue ;; esac
    say "$part"
    timeout -k 10 $((limit * ${PATIENCE:-1})) "$0" --part "$part" "$work" </dev/null ||
        { missing="$missing $part"; echo "  NOT MEASURED"; printf '%s: NOT MEASURED|||see above\n' "$part" >>"$work/table"; }
done <"$work/parts"
say "all of it, in $((($(now_ms) - began) / 1000)) s; load average now $(load_average)"
awk -F'|' '{ printf "%-62s %14s  %-20s %s\n", $1, $2, $3, $4 }' "$work/table"
[ -z "$missing" ] || die "not measured:$missing"
