#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Many messages through one sender, in the world of ci/bench/scenarios/twenty-destinations: how long from the first
# connection of those who submit until the last message has been taken by the host that DANE authenticated?
#
# mtalab up --scenarios ci/bench/scenarios twenty-destinations --journal DIR/journal -- ci/bench/load.sh DIR engine|postfix COUNT [SILENT [hanging]]
#
# SILENT: so many thousand mails to as many thousand destinations that take a connection and say nothing are queued right
# before; hanging: and each has its connection by then (engine only). $ENGINE_SETTINGS: more of the engine's configuration.
# DIR is on a disk, and both have a message there before they answer 250. Postfix is tuned: TLS and SMTP connections are
# reused, nothing waits. Prints: seconds, connections, handshakes with a certificate, handshakes by a ticket, milliseconds of
# CPU that the sender spent in that time, and KiB of its memory at the end (PSS).
set -eu
dir=$(cd "$1" && pwd) subject=$2 count=$3 silent=${4:-0} hanging=${5-}
here=$(cd "$(dirname "$0")" && pwd)
journal=$dir/journal
. "$here/../lab-engine.sh"
. "$here/spent.sh"
sessions=2 # of those who submit, for each destination

engine_config() {
    lab_engine_config "$dir/engine" mail.sender.example "$MTALAB_LISTEN"
    cat <<END
clients: [100.64.0.0/10]
connectors: [{name: lab, recipient-domains: '*', smtp-dane: mandatory, mta-sts: none}]
${ENGINE_SETTINGS-}
END
}

start_engine() {
    engine_config >"$dir/engine.yaml"
    "$here/../../build/bin/mtalab-engine" --config "$dir/engine.yaml" run 2>"$dir/engine.log" &
    running=$! programs=mtalab-engine
}

start_postfix() {
    . "$here/postfix.sh"
    instance sender "${MTALAB_LISTEN%:*}" "${MTALAB_LISTEN#*:}" mail.sender.example <<END
smtp_tls_security_level = dane-only
smtp_dns_support_level = dnssec
smtp_host_lookup = dns
smtp_tls_connection_reuse = yes
smtp_connection_cache_time_limit = 2s
smtp_tls_session_cache_database = btree:$dir/sender/data/smtp_scache
default_process_limit = 100
in_flow_delay = 0
smtp_tls_loglevel = 1
END
    running=$! programs=/postfix/
}

submit() { # COUNT DOMAIN
    smtp-source -d -s "$sessions" -m "$1" -l 1000 -f alice@sender.example -t "someone@$2" "$MTALAB_LISTEN"
}

queue_silent() { # NTH thousand
    # shellcheck disable=SC2046 # words are wanted
    echo "Subject: silence" | "$here/../../build/bin/mtalab-engine" --config "$dir/engine.yaml" send --from alice@sender.example \
        -- $(seq -f "someone@s$1-%g.silent.example" 1000) >/dev/null 2>&1
}

await() { # COUNT WHAT: until so many lines of the journal have it
    mkfifo "$dir/told.$1"
    tail -n +1 -f "$journal" 2>/dev/null | grep -c -m "$1" "$2" >"$dir/told.$1" &
    timeout 300 head -1 "$dir/told.$1" >/dev/null
}

"start_$subject"
trap 'kill "$running" 2>/dev/null || true' EXIT
until submit 1 d1.example 2>/dev/null; do :; done # it is there
submit 1 forged.example                           # must wait: this sender looks at what DANE says
for i in $(seq "$silent"); do queue_silent "$i"; done
[ -z "$hanging" ] || await $((1000 * silent)) '"kind":"MX_CONNECT".*"host":"mx.silent.example"'
began=$(date +%s%N) spent=$(spent_ms "$programs")
for i in $(seq 20); do submit $((count / 20)) "d$i.example" & done
await $((count + 1)) '"kind":"MX_MESSAGE"'
took=$(($(date +%s%N) - began)) spent=$(($(spent_ms "$programs") - spent))

# Every message over TLS, from a host that showed the key of its TLSA record, and nothing to the one that showed another.
awk -v n=$((count + 1)) '
    function field(name) {
        return match($0, "\"" name "\":\"[^\"]*\"") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : ""
    }
    { host = field("host"); conn = match($0, /"conn":[0-9]+/) ? substr($0, RSTART + 7, RLENGTH - 7) : 0 }
    /"kind":"DNS_ANSWER".*"qtype":"TLSA"/ { record[substr(field("qname"), 10)] = field("answer") }
    /"kind":"MX_CONNECT"/ { connections++ }
    /"kind":"MX_TLS"/ && field("resumed") == "yes" { key[conn] = shown[host]; tickets++; next }
    /"kind":"MX_TLS"/ { key[conn] = shown[host] = "3 1 1 " field("certificate"); handshakes++ }
    /"kind":"MX_MESSAGE"/ { field("channel") == "tls" && key[conn] == record[host] ? good++ : bad++ }
    END {
        if (good != n || bad) { print "of " n " messages " good + 0 " were authenticated, " bad + 0 " were not" >"/dev/stderr"; exit 1 }
        print connections, handshakes + 0, tickets + 0
    }' "$journal" >"$dir/counts"
awk -v ns="$took" -v spent="$spent" -v kib="$(memory_kib "$programs")" '{ printf "%.3f %s %d %d\n", ns / 1e9, $0, spent, kib }' "$dir/counts"
