# SPDX-License-Identifier: BSD-2-Clause
# Whether strangers believe our TLS reports: opendkim-testmsg looks at the signature, by a key in the world's DNS; Python at
# MIME, gzip and JSON. The mailbox that the reports go to is dead, so that they can be taken out of the queue.
. ci/lib.sh
good=0 bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
schema=$PWD/ci/judges/tlsrpt.schema.json reader=$PWD/ci/judges/tlsrpt.py

rsa() { openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null || openssl genrsa 2048 2>/dev/null; }
rsa >"$dir/rsa.pem"
public=$(openssl pkey -in "$dir/rsa.pem" -pubout -outform DER | openssl base64 -A)
cat >"$dir/world.yaml" <<YAML
says: A partner that wants reports in a mailbox that is dead, and a reporter whose key is published.
covers: [8460-3-7]
world:
  partner.example: {mx: [mx1.partner.example], mta-sts: testing, tls-rpt: "v=TLSRPTv1; rua=mailto:in@dead.example"}
  mx1.partner.example: {tlsa: [3 1 1], certificate: expired}
  dead.example: {mx: [mx.dead.example]}
  mx.dead.example: {address: [dead-v4]}
  reporter.example:
    dnssec: signed
    records: |
      rsa._domainkey TXT "v=DKIM1; k=rsa; p=$(printf %s "$public" | cut -c1-200)" "$(printf %s "$public" | cut -c201-)"
send: {to: someone@partner.example}
expect: [{message: delivered}]
YAML
cat >"$dir/inside" <<'SCRIPT'
. ci/lab-engine.sh
cd "$1"
{ lab_engine_config "$1/queue" out.reporter.example; cat; } >engine.yaml <<YAML
fsync: no
patience: 1s
tls-rpt: {organization: 'Reporter "and" Söhne', contact: tls@reporter.example, dkim-key: $1/rsa.pem, dkim-selector: rsa}
YAML
engine="$2 --config engine.yaml"
lab_engine_run "$2" engine.yaml log
printf 'Subject: hi\n\nhello\n' | $engine send --from alice@reporter.example someone@partner.example >/dev/null
$engine flush
$engine tlsrpt send
$engine stop
wait
python3 -c "
import sqlite3
rows = sqlite3.connect('queue/queue.db').execute('SELECT bytes FROM content').fetchall()
assert len(rows) == 1, len(rows)
open('report.eml', 'wb').write(rows[0][0])"
opendkim-testmsg <report.eml >dkim 2>&1 && echo valid >>dkim
sed 's/^Subject: Report/Subject: report/' report.eml >forged.eml
opendkim-testmsg <forged.eml >forged 2>&1 && echo valid >>forged
exit 0
SCRIPT
build/bin/mtalab up "$dir/world.yaml" --mta none -- sh "$dir/inside" "$dir" "$PWD/build/bin/mtalab-engine" >"$dir/up" 2>&1

check() { # NAME yes|no
    if [ "$2" = yes ]; then good=$((good + 1)); else bad=$((bad + 1)); printf 'FAILED %s\n' "$1"; sed 's/^/         /' "$3"; fi
}
is() { if grep -qx "$1" "$2" 2>/dev/null; then echo yes; else echo no; fi; }
check "the signature is valid to opendkim" "$(is valid "$dir/dkim")" "$dir/dkim"
check "a forged subject is not" "$(grep -qx valid "$dir/forged" && echo no || echo yes)" "$dir/forged"
python3 "$reader" "$schema" "$dir/report.eml" >"$dir/read" 2>&1
check "the authenticated session is in it" "$(is 'tlsa:' "$dir/read")" "$dir/read"
check "so is what the policy in testing missed" "$(is 'sts:certificate-expired' "$dir/read")" "$dir/read"
build/bin/mtalab-engine tlsrpt ingest --config "$dir/engine.yaml" "$dir/report.eml" >"$dir/taken" 2>&1
check "it can be read again" "$(is '1 of 1 reports taken' "$dir/taken")" "$dir/taken"
build/bin/mtalab-engine tlsrpt show partner.example --json --config "$dir/engine.yaml" >"$dir/shown" 2>&1
check "and stands beside the trace" "$(jq -e 'any(.[]; .result == "certificate-expired" and .mx == "mx1.partner.example" and .tries > 0)' \
    "$dir/shown" >/dev/null 2>&1 && echo yes || echo no)" "$dir/shown"
[ "$bad" = 0 ] || cat "$dir/up" "$dir/log"
counted "$good" "$bad" 0
