#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The engine's SMTP extensions against programs that are not ours, over loopback: Postfix takes what it sends (BDAT,
# pipelined, in UTF-8, 8-bit) and keeps it, octet for octet; swaks hands in mail pipelined. Postfix needs root.
set -u
cd "$(dirname "$0")/../.."
. ci/lib.sh
work=$(mktemp -d)
passed=0 failed=0
trap 'stop' EXIT
trap 'exit 130' INT TERM

stop() {
    [ -z "${engine:-}" ] || kill "$engine" 2>/dev/null
    [ ! -e "$work/etc/main.cf" ] || postfix -c "$work/etc" stop >/dev/null 2>&1
    rm -rf "$work"
}
check() {   # WHAT COMMAND...
    what=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $what"; fi
}
eventually() {   # COMMAND...: it comes true while something works at it
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done
    return 1
}

# A Postfix that takes mail at port 2526 and keeps it; a client that speaks out of turn is refused.
start_postfix() {
    mkdir -p "$work/etc" "$work/data" "$work/queue"
    chown postfix "$work/data"
    chmod 755 "$work"
    cat >"$work/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $work/queue
data_directory = $work/data
maillog_file = $work/log
maillog_file_prefixes = $work
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{unknown@partner.example=reject}
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_peername_lookup = no
defer_transports = smtp relay
smtputf8_enable = yes
END
    cat >"$work/etc/master.cf" <<END
127.0.0.1:2526 inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
retry unix - - n - - error
error unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
pickup unix n - n 60 1 pickup
flush unix n - n 1000? 0 flush
END
    postfix -c "$work/etc" start >/dev/null 2>&1
}

start_engine() {
    cat >"$work/engine.yaml" <<END
hostname: engine.example
directory: $work/engine
listen: 127.0.0.1:2525
resolver: {forward: 127.0.0.1}
connectors:
  - {name: peer, recipient-domains: "*", smart-hosts: "[127.0.0.1]:2526", smtp-dane: none, mta-sts: none}
END
    build/bin/mtalab-engine run --config "$work/engine.yaml" >"$work/engine.log" 2>&1 &
    engine=$!
    eventually test -S "$work/engine/control"
}

send() {   # RECIPIENT...: the mail of that name
    build/bin/mtalab-engine send --config "$work/engine.yaml" --from alice@origin.example "$@" <"$work/mail" >/dev/null
}
logged() { grep -q "$1" "$work/log" 2>/dev/null; }

# Postfix's queue holds the text of the mail, dots and all.
kept_as_it_was() {
    sed '/^$/,$!d' "$work/mail" >"$work/sent"
    for id in $(postqueue -c "$work/etc" -j | sed -n 's/.*"queue_id": "\([^"]*\)".*/\1/p'); do
        postcat -c "$work/etc" -bq "$id" >"$work/kept" 2>/dev/null
        cmp -s "$work/sent" "$work/kept" && return
    done
    return 1
}

with_postfix() {
    start_postfix
    check "Postfix starts" eventually logged "daemon started"
    check "the engine starts" start_engine
    { printf 'Subject: Gr\303\274\303\237e\n\n.\n..two\nJ\303\266rg sagt: \n'; seq 20000; } >"$work/mail"
    check "a mail is handed in" send "j$(printf '\303\266')rg@partner.example" two@partner.example unknown@partner.example
    check "by BDAT, the refused recipient told apart" eventually logged 'rcpt=3/4 bdat=2' # the report comes behind
    check "in UTF-8" logged 'to=<j.*rg@partner.example>'
    check "never out of turn" test -z "$(grep 'pipelining' "$work/log")"
    check "octet for octet" eventually kept_as_it_was
    check "the refused recipient comes back" eventually logged 'to=<alice@origin.example>'
}

with_swaks() {
    check "swaks hands in a mail, pipelined" \
        swaks --server 127.0.0.1:2525 --from bob@origin.example --to three@partner.example --pipeline --silent 2
    check "and it goes on" eventually logged 'to=<three@partner.example>'
}

if [ "$(id -u)" != 0 ] || ! command -v postfix >/dev/null || ! command -v swaks >/dev/null; then
    echo "skipped: peers (needs root, Postfix and swaks)"
    counted 0 0 1
    exit
fi
with_postfix
with_swaks
counted "$passed" "$failed" 0
