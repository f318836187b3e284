# SPDX-License-Identifier: BSD-2-Clause
# What an administrator asks of mtalab-engine besides delivery, asked inside worlds with real DNS, TLS and HTTPS.
. ci/lib.sh
good=0 bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Inside a world: the configuration of an engine there. $1: the directory; further lines are read from standard input.
cat >"$dir/config" <<'EOF2'
mkdir -p "$1/queue"
. ci/lab-engine.sh
{ lab_engine_config "$1/queue"; cat; } >"$1/engine.yaml" <<YAML
fsync: no
patience: 3s
metrics: 127.0.0.1:9465
alerts: {file: $1/alerts, command: $1/tell, mail: postmaster@sender.example}
partners:
  - {domain: partner.example, owner: Ann, criticality: critical}
connectors:
  - {name: Partner, recipient-domains: [partner.example]}
  - {name: Other, recipient-domains: [other.example]}
  - {name: Gateway, recipient-domains: [gateway.example], smart-hosts: [mx1.partner.example], smtp-dane: mandatory}
  - {name: Off, recipient-domains: [off.example], enabled: no}
YAML
printf '#!/bin/sh\necho "$1 $2 $(cat)" >>%s/told\n' "$1" >"$1/tell"
chmod +x "$1/tell"
EOF2
engine="build/bin/mtalab-engine --config $dir/w/engine.yaml"

# in_world SCENARIO SCRIPT: the script runs in the scenario's world, with $engine to call.
in_world() {
    rm -rf "$dir/w"
    build/bin/mtalab up "$1" -- sh -c "sh $dir/config $dir/w </dev/null; cd $PWD; engine='$engine'; $2"
}
verdict() { # NAME yes|no DETAILS
    if [ "$2" = yes ]; then good=$((good + 1)); else bad=$((bad + 1)); printf 'FAILED %s: %s\n' "$1" "$3"; fi
}
# says SCENARIO STATUS FILTER COMMAND...: the command's JSON passes the filter of jq, and its status is that.
says() {
    scenario=$1 wanted=$2 filter=$3
    shift 3
    in_world "$scenario" "\$engine $* --json" >"$dir/out" 2>"$dir/err" && status=0 || status=$?
    if [ "$status" = "$wanted" ] && jq -e "$filter" "$dir/out" >/dev/null 2>&1; then ok=yes; else ok=no; fi
    verdict "$scenario: $*" $ok "status $status instead of $wanted, or not $filter in: $(head -c 3000 "$dir/out") $(cat "$dir/err")"
}

# ---- check: each kind of finding once, with its code ----
finding() { # SCENARIO STATUS ABOUT GRADE CODE [HOST]
    says "$1" "$2" "any(.findings[]; .about == \"$3\" and .grade == \"$4\" and (.code // \"\") == \"$5\")" check partner.example
}
finding dane/matching-key 0 dane fine ""
finding dane/matching-key 0 rollover note ""
finding dane/matching-key 0 signatures fine ""
finding dane/key-of-another-certificate 1 dane failure 4.7.323
finding dane/one-matching-record-among-others-suffices 0 rollover fine ""
finding dane/no-tlsa-records 0 tlsa note ""
finding dane/tlsa-bogus 1 tlsa failure 4.7.324
finding dane/pkix-usages-that-would-pass 0 tlsa warning ""
finding mta-sts/enforce-matching-certificate 0 mta-sts fine ""
finding mta-sts/enforce-host-not-listed 1 mta-sts failure 4.4.8
finding mta-sts/enforce-bad-certificate 1 mta-sts failure 4.7.5
finding mta-sts/policy-host-bad-certificate 1 mta-sts failure ""
says dane/matching-key 0 '.hosts[0].records[0].matches == 0 and .mx.dnssec == "secure"' check partner.example
says dane/no-tlsa-records 1 '.modes[3].code == "4.7.323" and .modes[3].clause == "7672-6-1"' check partner.example --mode mandatory,none
says dane/matching-key 0 '.modes[3].channel == "dane"' check partner.example --mode mandatory,none

# ---- what the last days tell: an engine runs in the world and has sent three mails ----
cat >"$dir/sent" <<'EOF2'
mkfifo "$1/ready"
$engine run --ready-fd 7 7>"$1/ready" &
read -r _ <"$1/ready"
for _ in 1 2 3; do printf 'Subject: x\n\nx\n' | $engine send --from alice@sender.example someone@partner.example >/dev/null; done
$engine flush
EOF2
sent() { # SCENARIO STATUS FILTER COMMAND...
    scenario=$1 wanted=$2 filter=$3
    shift 3
    in_world "$scenario" "set -- $dir/w; . $dir/sent; \$engine $* >$dir/out 2>$dir/err; status=\$?; \$engine stop; wait; exit \$status" >"$dir/log" 2>&1 && status=0 || status=$?
    if [ "$status" = "$wanted" ] && jq -e "$filter" "$dir/out" >/dev/null 2>&1; then ok=yes; else ok=no; fi
    verdict "$scenario: $*" $ok "status $status instead of $wanted, or not $filter in: $(head -c 2000 "$dir/out") $(cat "$dir/err" "$dir/log")"
}
sent dane/matching-key 0 '.[0] | .would == 3 and .["would-not"] == 0 and .mandatory == "would deliver"' what-if --json
sent dane/no-tlsa-records 0 '.[0] | .would == 0 and .["would-not"] == 3 and .code == "4.7.323"' what-if --json
sent dane/key-of-another-certificate 0 '.[0] | .blocked >= 3 and .code == "4.7.323"' what-if --json
sent mta-sts/enforce-matching-certificate 0 '.[0] | .would == 0 and .["would-not"] == 3' what-if --json
sent dane/matching-key 0 '.[0] | .gate == "open" and .green == 1' gate Partner --days 1 --json
sent dane/matching-key 1 '.[0] | .gate == "shut" and (.why | contains("watched"))' gate Partner --days 14 --json
sent dane/no-tlsa-records 1 '.[0] | .gate == "shut" and .green == 0' gate Partner --days 1 --json
sent dane/second-mx-after-a-mismatch 1 '.[0] | .gate == "shut" and .hosts == 2 and .green == 1' gate Partner --days 1 --json
# ---- the gate keeps 'connector set' from what it would regret, unless it is forced; the log tells of it ----
set_mandatory="connector set Partner smtp-dane=mandatory"
logged='map(select(.connector == "Partner" and .key == "smtp-dane" and .value == "mandatory")) | .[0]'
sent dane/no-tlsa-records 1 '(.ok | not) and (.error | contains("--force")) and .gate[0].gate == "shut"' "$set_mandatory" --json
sent dane/no-tlsa-records 0 '.[0]["smtp-dane"] == "opportunistic"' "$set_mandatory >/dev/null 2>&1; \$engine connector list --json"
sent dane/matching-key 1 '.gate[0].why | contains("watched")' "$set_mandatory" --json
sent dane/matching-key 0 "$logged | .note == \"the gate was open\" and .by == \"command\"" \
    "$set_mandatory --days 1 >/dev/null; \$engine connector log --json"
sent dane/no-tlsa-records 0 "$logged | .note == \"past the gate, by --force\"" \
    "$set_mandatory --force >/dev/null; \$engine connector log --json"
sent dane/no-tlsa-records 0 '.ok' connector set Partner smtp-dane=none --json
sent dane/matching-key 1 'any(.[]; .destination == "mx1.partner.example" and .green == 1 and .gate == "open")' gate Gateway --json

# What the file changes about modes stands in the log, and a connector that demands DANE without having been seen to get
# through is warned of.
reload="config >/dev/null; sed -i 's/name: Partner,/name: Partner, smtp-dane: mandatory,/' $dir/w/engine.yaml; \$engine reload"
sent dane/no-tlsa-records 0 '. == 1' "$reload 2>&1 | grep -c 'engine.yaml:.*Partner.* for partner.example the gate is shut: 3 of 3 attempts'"
sent dane/no-tlsa-records 0 "$logged | .by == \"file\"" "$reload >/dev/null 2>&1; \$engine connector log --json"
sent dane/no-tlsa-records 1 '. == 0' "reload 2>&1 | grep -c shut"

sent dane/matching-key 0 'any(.[]; .domain == "partner.example" and .owner == "Ann" and .criticality == "critical"
    and .dns == "own" and .path == "MX" and .connector == "Partner" and .last == "dane" and .volume == 3)' inventory --json
sent partners/load-balancer-fails-tlsa-queries 0 'any(.[]; .domain == "partner.example" and .dns == "provider.example")' inventory --json
sent dane/matching-key 0 '(.sent[] | select(.protection == "dane") | .sent) == 3 and .connectors[0].dane == 3' reports --json
sent mta-sts/enforce-matching-certificate 0 '(.sent[] | select(.protection == "mta-sts") | .sent) == 3' reports --json
sent dane/key-of-another-certificate 0 '.blocked[0] | .kind == "DANE" and .code == "4.7.323" and .count >= 3' reports --json
in_world dane/matching-key '$engine inventory --csv' >"$dir/out"
if [ "$(head -1 "$dir/out" | cut -c1-30)" = '"domain","criticality","owner"' ] && grep -q '^"partner.example","critical","Ann"' "$dir/out"; then ok=yes; else ok=no; fi
verdict "inventory --csv" $ok "$(cat "$dir/out")"

# ---- alerts: found, and told once, to a file, a command and by mail ----
sent dane/matching-key 0 '. == []' alerts --json
sent dane/key-of-another-certificate 1 'any(.[]; .kind == "failing" and .about == "partner.example" and (.text | contains("4.7.323")))' alerts --json
sent mta-sts/enforce-bad-certificate 1 'any(.[]; .kind == "failing")' alerts --json
in_world dane/matching-key '$engine alerts --json' >"$dir/out" 2>&1 && ok=no || ok=yes
jq -e 'any(.[]; .kind == "engine")' "$dir/out" >/dev/null || ok=no
verdict "alerts without an engine" $ok "$(cat "$dir/out")"
sent dane/key-of-another-certificate 1 'any(.[]; .told)' "alerts --tell >/dev/null; \$engine alerts --tell --json"
for place in alerts told; do
    if [ "$(grep -c 4.7.323 "$dir/w/$place")" = 1 ]; then ok=yes; else ok=no; fi
    verdict "alerts are told once: $place" $ok "$(cat "$dir/w/$place")"
done
sent dane/key-of-another-certificate 0 'any(.[]; .recipient == "postmaster@sender.example" and .status == "Delivered")' \
    "alerts --tell >/dev/null; \$engine flush; \$engine trace --json"

# Whoever gets a thousand mails reads none: so many a day, then that there are more, and no more.
sent dane/key-of-another-certificate 0 '. == {"failing": 1, "more": 1}' "queue --json >/dev/null; sed -i 's/alerts: {/alerts: {limit: 1, certificate: 200d, /' $dir/w/engine.yaml;
    for _ in 1 2; do \$engine alerts --tell >/dev/null; done; jq -s 'group_by(.kind) | map({(.[0].kind): length}) | add' $dir/w/alerts"
# What is about to end: a certificate of 90 days, told of 200 days before; signatures of 30 days, of 40.
for about in certificate:mx1.partner.example signature:mx1.partner.example; do
    kind=${about%:*}
    sent dane/matching-key 1 "any(.[]; .kind == \"$kind\" and .about == \"${about#*:}\" and (.text | contains(\"ends in\")))" \
        "queue --json >/dev/null; sed -i 's/alerts: {/alerts: {certificate: 200d, signature: 40d, /' $dir/w/engine.yaml; \$engine alerts --json"
done

# What somebody else's TLS report tells: of yesterday, so that it is news.
cat >"$dir/report.json" <<JSON
{"organization-name": "Them", "date-range": {"start-datetime": "$(date -u -d yesterday +%FT00:00:00Z)", "end-datetime": "$(date -u -d yesterday +%FT23:59:59Z)"},
 "contact-info": "a@them.example", "report-id": "1", "policies": [{"policy": {"policy-type": "sts", "policy-domain": "sender.example"},
 "summary": {"total-successful-session-count": 1, "total-failure-session-count": 7},
 "failure-details": [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1", "receiving-mx-hostname": "mx.sender.example", "failed-session-count": 7}]}]}
JSON
sent dane/matching-key 1 'any(.[]; .kind == "report" and .about == "sender.example" and (.text | contains("Them reports 7")))' \
    "tlsrpt ingest $dir/report.json >/dev/null; \$engine alerts --json"

# ---- /metrics: in Prometheus' text format, and the example's rules are about what it has ----
# Prometheus' own promtool where there is one, else a reader as strict: HELP and TYPE before their samples, families in
# one piece, no sample twice, counters end in _total.
cat >"$dir/strict.awk" <<'EOF2'
function bad(text) { print FNR ": " text ": " $0; failed = 1 }
/^# HELP / { if ($3 in helped) bad("HELP twice"); helped[$3] = 1; family = $3; next }
/^# TYPE / { if ($3 != family) bad("TYPE of another family"); type[$3] = $4
    if ($4 != "counter" && $4 != "gauge") bad("no such type")
    if (($4 == "counter") != ($3 ~ /_total$/)) bad("a counter ends in _total"); next }
!/^[a-z_]+({[a-z]+="([^"\\]|\\["\\n])*"(,[a-z]+="([^"\\]|\\["\\n])*")*})? -?[0-9]+$/ { bad("no sample"); next }
{ name = $0; sub(/[{ ].*/, "", name); if (name != family) bad("outside of its family")
  series = $0; sub(/ -?[0-9]+$/, "", series); if (series in seen) bad("twice"); seen[series] = 1; samples++ }
END { if (samples < 5) { print "too few samples"; failed = 1 } exit failed }
EOF2
sent dane/matching-key 0 'true' "queue --json; curl -sS --max-time 5 -D $dir/head http://127.0.0.1:9465/metrics >$dir/metrics;
    curl -s -o /dev/null -w '%{http_code} ' --max-time 5 http://127.0.0.1:9465/ >$dir/other; curl -s -o /dev/null -w '%{http_code}' --max-time 5 -d x http://127.0.0.1:9465/metrics >>$dir/other; true"
if awk -f "$dir/strict.awk" "$dir/metrics" >"$dir/out" && grep -q '^Content-Type: text/plain; version=0.0.4' "$dir/head"; then ok=yes; else ok=no; fi
verdict "/metrics is read by a strict reader" $ok "$(cat "$dir/out" "$dir/metrics")"
if grep -qx 'mtalab_engine_sent_total{connector="Partner",protection="dane"} 3' "$dir/metrics"; then ok=yes; else ok=no; fi
verdict "/metrics counts what was sent" $ok "$(cat "$dir/metrics")"
if grep -qE '^404 (413|405|501)$' "$dir/other"; then ok=yes; else ok=no; fi
verdict "/metrics answers GET, and nothing else is there" $ok "$(cat "$dir/other")"
for name in $(grep -o 'mtalab_engine_[a-z_]*' docs/examples/prometheus-alerts.yaml | sort -u); do
    if grep -q "^# TYPE $name " "$dir/metrics"; then ok=yes; else ok=no; fi
    verdict "the example's $name is served" $ok "$(cat "$dir/metrics")"
done
if command -v promtool >/dev/null 2>&1; then
    if promtool check metrics <"$dir/metrics" >"$dir/out" 2>&1 && promtool check rules docs/examples/prometheus-alerts.yaml >>"$dir/out" 2>&1; then ok=yes; else ok=no; fi
    verdict "promtool agrees" $ok "$(cat "$dir/out")"
fi

# ---- validate: how far each task got, and a test message ----
validates() { # SCENARIO STATUS TASK TASK-STATUS [CONNECTOR RCPT]
    says "$1" "$2" "any(.[]; .task == \"$3\" and .status == \"$4\")" validate "${5:-Partner}" "${6:-someone@partner.example}"
}
validates dane/matching-key 0 DANE Succeeded
validates dane/matching-key 0 "Test message" Succeeded
validates dane/key-of-another-certificate 1 DANE Failed
validates dane/key-of-another-certificate 1 "Test message" Failed
validates dane/no-tlsa-records 0 DANE Skipped
validates mta-sts/enforce-matching-certificate 0 MTA-STS Succeeded
validates mta-sts/enforce-host-not-listed 1 MTA-STS Failed
validates mta-sts/enforce-without-starttls 1 STARTTLS Failed
validates dane/matching-key 0 DANE Succeeded Gateway someone@gateway.example
says dane/matching-key 0 'all(.[]; .task != "Test message")' validate Partner someone@partner.example --no-message
for wrong in "Partner someone@other.example" "Off someone@off.example"; do
    in_world dane/matching-key "\$engine validate $wrong" >"$dir/out" 2>&1 && status=0 || status=$?
    if [ $status = 2 ] && grep -q "domain of the recipient is not configured as part of connector" "$dir/out"; then ok=yes; else ok=no; fi
    verdict "validate $wrong" $ok "$(cat "$dir/out")"
done

# ---- stage: opportunistic, then mandatory on a copy ----
says dane/matching-key 0 '.fit and all(.stages[]; .delivered == 2)' stage Partner someone@partner.example --probes 2
says dane/no-tlsa-records 1 '(.fit | not) and .stages[0].delivered == 3 and .stages[1].delivered == 0
    and any(.stages[1].trace[]; .clause == "7672-6-1" and .code == "4.7.323")
    and any(.stages[0].report[]; .policy == "no-policy-found" and .sessions == 3 and .result == "")
    and any(.stages[1].report[]; .result == "dane-required" and .sessions == 3)' stage Partner someone@partner.example
in_world dane/matching-key '$engine stage Partner a@partner.example >/dev/null; ls '"$dir/w/queue" >"$dir/out" 2>&1
if [ -s "$dir/out" ] && ! grep -qE 'queue.db|trace.db' "$dir/out"; then ok=yes; else ok=no; fi
verdict "stage leaves queue and trace alone" $ok "$(cat "$dir/out")"

# ---- dossier: a sheet for people ----
in_world dane/key-of-another-certificate '$engine dossier partner.example; $engine dossier partner.example --html' >"$dir/out" 2>&1
for part in '^Something is broken' 'publish TLSA records of the certificate in use' '4.7.323 tlsa-invalid' \
    'TLSA, matches nothing that is in use: 3 1 1 ' '<td class="failure">failure</td><td>mx1.partner.example</td>' '</html>'; do
    if grep -q -e "$part" "$dir/out"; then ok=yes; else ok=no; fi
    verdict "dossier says: $part" $ok "$(cat "$dir/out")"
done

# ---- check and delivery agree: what check says that each pair of modes would do is what it does in the suite ----
cat >"$dir/differ.jq" <<'EOF2'
# The suite numbers modes by dane none, opportunistic, mandatory and mta-sts none, opportunistic.
def words: [["none", "opportunistic", "mandatory"][. / 2 | floor], ["none", "opportunistic"][. % 2]];
$check[0].modes as $modes
| select(.verdict == "PASS") | (.mode | words) as $mode
| ([.timeline[] | select(.actor == "mta") | .text] | last) as $last | select($last != null)
| $modes[] | select([.["smtp-dane"], .["mta-sts"]] == $mode)
| select(($last | contains(": delivered")) != (.message == "delivered"))
| "\($mode): \($last), check says \(.message)"
EOF2
build/bin/mtalab run interplay --json "$dir/run" -j "$jobs" >"$dir/log" 2>&1 || cat "$dir/log"
# Of those that send once, to partner.example: what a course of events comes to is not asked of one moment.
jq -r 'select([.timeline[] | select(.text | startswith("submitted")) | .text] | length == 1 and (.[0] | contains("@partner.example"))) | .title' \
    "$dir/run" | sort -u >"$dir/titles"
while read -r title; do
    switches=$(sed -n 's/^switches: {\(.*\)}$/\1/p' "scenarios/$title.yaml" 2>/dev/null | sed 's/, */\n/g') # the engine has them as settings
    in_world "$title" "echo '$switches' >>$dir/w/engine.yaml; \$engine check partner.example --json" >"$dir/out" 2>"$dir/err" </dev/null
    jq -r --arg title "$title" 'select(.title == $title)' "$dir/run" |
        jq -r --slurpfile check "$dir/out" -f "$dir/differ.jq" >"$dir/differ" 2>&1
    if [ -s "$dir/differ" ] || ! [ -s "$dir/out" ]; then ok=no; else ok=yes; fi
    verdict "$title: check and delivery agree" $ok "$(cat "$dir/differ" "$dir/err")"
done <"$dir/titles"

counted $good $bad 0
