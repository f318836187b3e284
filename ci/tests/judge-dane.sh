# SPDX-License-Identifier: BSD-2-Clause
# A table of TLSA records and chains with the verdict of each, in the manner of OpenSSL's danetest. The engine, OpenSSL's own
# DANE and, as root, posttls-finger must all come to the verdict that the table gives.
. ci/lib.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Certificate of the host, its TLSA records, the verdict. The host is mx.rN.example, the domain rN.example.
cat >"$dir/table" <<'TABLE'
trusted | 3 1 1 | match
trusted | 3 1 2 | match
trusted | 3 0 1 | match
trusted | 3 0 2 | match
trusted | 3 1 0 | match
trusted | 3 0 0 | match
trusted | 3 1 1 of other-key | mismatch
trusted | 3 1 2 of other-key | mismatch
trusted | 3 0 1 of other-key | mismatch
trusted | 3 1 0 of other-key | mismatch
trusted | 3 0 0 of other-key | mismatch
trusted | 3 1 1 of renewed | match
trusted | 3 0 1 of renewed | mismatch
trusted | 3 1 1 of intermediate | mismatch
trusted | 3 0 1 of root | mismatch
expired | 3 1 1 | match
not-yet-valid | 3 0 1 | match
wrong-name | 3 1 1 | match
self-signed | 3 0 1 | match
no-names | 3 1 1 | match
missing-intermediate | 3 1 1 | match
{flaw: client-only} | 3 1 1 | match
{issuer: private-root, chain: with-root} | 2 0 1 of root | match
{issuer: private-root, chain: with-root} | 2 1 1 of root | match
{issuer: private-root, chain: with-root} | 2 0 2 of root | match
{issuer: private-root, chain: with-root} | 2 0 1 of unknown-root | mismatch
{issuer: private-root} | 2 0 1 of intermediate | match
{issuer: private-root} | 2 1 2 of intermediate | match
{issuer: private-root} | 2 0 1 of root | mismatch
{issuer: private-root} | 2 0 0 of root | match
{issuer: private-root} | 2 1 0 of root | match
{issuer: private-root, chain: missing-intermediate} | 2 0 1 of intermediate | mismatch
{issuer: private-root, chain: missing-intermediate} | 2 0 0 of intermediate | match
{issuer: private-root, names: [elsewhere.example]} | 2 0 1 of intermediate | mismatch
{issuer: private-root, dates: expired} | 2 0 1 of intermediate | mismatch
{issuer: private-root, dates: not-yet-valid} | 2 0 1 of intermediate | mismatch
{issuer: private-root, names: ["*"]} | 2 0 1 of intermediate | match
{issuer: private-root, flaw: client-only} | 2 0 1 of intermediate | mismatch
{issuer: private-root, chain: with-root, flaw: expired-intermediate} | 2 0 1 of private-root | mismatch
self-signed | 2 0 1 | mismatch
self-signed | 2 0 1 of other-key | mismatch
trusted | 3 1 1 of other-key, 3 1 1 | match
trusted | 2 0 1 of intermediate, 3 1 1 of other-key | match
wrong-name | 2 0 1 of intermediate, 3 1 1 of other-key | mismatch
trusted | 3 1 1, 3 1 2 of other-key | mismatch
trusted | 3 1 1 of other-key, 3 1 2 | match
trusted | 3 0 1, 3 1 2 of other-key | match
trusted | 3 1 0, 3 1 2 of other-key | match
trusted | 3 1 1 00ff | unusable
trusted | 3 1 1 00ff, 3 1 1 | match
trusted | 3 1 9 00ff | unusable
trusted | 3 9 1 | unusable
trusted | 3 0 0 3000 | unusable
trusted | 0 0 1 | unusable
trusted | 1 1 1 | unusable
trusted | 1 1 1, 3 1 1 of other-key | mismatch
trusted | 1 1 1, 3 1 1 | match
TABLE
awk -F ' [|] ' '
    BEGIN { print "says: A table of TLSA records and chains.\ncovers: [7672-3.2-2]\nworld:" }
    { printf "  r%d.example: {mx: [mx.r%d.example]}\n  mx.r%d.example: {certificate: %s, tlsa: [%s]}\n", NR, NR, NR, $1, $2 }
    END { print "send: {to: someone@r1.example}\nexpect:\n  - message: delivered" }' "$dir/table" >"$dir/world.yaml"

JUDGE_FINGER=no skipped=0
if [ "$(id -u)" = 0 ] && command -v posttls-finger >/dev/null 2>&1; then JUDGE_FINGER=yes; else
    echo "skipped: posttls-finger (needs root and Postfix)"; skipped=1; fi
export dir JUDGE_FINGER

cat >"$dir/inside" <<'INSIDE'
. ci/lab-engine.sh
{ lab_engine_config "$dir"; cat; } >"$dir/engine.yaml" <<CONFIG
ipv6: no
connectors: [{name: all, recipient-domains: '*', smtp-dane: mandatory, mta-sts: none}]
CONFIG
lab_engine_run build/bin/mtalab-engine "$dir/engine.yaml" "$dir/log"
engine() { build/bin/mtalab-engine --config "$dir/engine.yaml" "$@"; }
rows=$(seq "$(wc -l <"$dir/table")")
for row in $rows; do printf 'Subject: x\n\nhello\n' | engine send "a@r$row.example" >/dev/null || exit 1; done
engine flush >/dev/null
engine --json status >"$dir/status"
engine stop >/dev/null
wait $pid

engine_says() { # ROW
    grep -A9 "\"recipient\": \"a@r$1.example\"" "$dir/status" | grep -m1 '"reason"' >"$dir/reason"
    case $(cat "$dir/reason") in
        *"250 2.0.0"*) echo match ;;
        *usable*) echo unusable ;;
        *tlsa-invalid* | *certificate-expired* | *certificate-host-mismatch*) echo mismatch ;;
        *) cat "$dir/reason" ;;
    esac
}
# Usages 0 and 1, which openssl knows, are unusable in SMTP (RFC 7672 3.1.3).
openssl_says() { # ROW NAME
    set -- "$1" "$2" "$(dig @"$MTALAB_RESOLVER" +short "mx.r$1.example" A)"
    row=$1 name=$2 address=$3
    set --
    while read -r usage selector matching data; do
        case $usage in [01]) continue ;; esac
        set -- "$@" -dane_tlsa_rrdata "$usage $selector $matching $(echo "$data" | tr -d ' ')"
    done <"$dir/tlsa"
    if [ $# = 0 ]; then echo unusable; return; fi
    said=$(timeout 20 openssl s_client -starttls smtp -connect "$address:25" -servername "mx.r$row.example" \
        -dane_tlsa_domain "$name" -dane_ee_no_namechecks "$@" </dev/null 2>&1)
    case "$said" in
        *"Failed to import any TLSA"*) echo unusable ;;
        *"DANE TLSA"*"Verify return code: 0"* | *"Verify return code: 0"*"DANE TLSA"*) echo match ;;
        *) echo mismatch ;;
    esac
}
mkdir "$dir/postfix"
printf '%s\n' 'compatibility_level = 3.6' 'smtp_dns_support_level = dnssec' 'smtp_host_lookup = dns' >"$dir/postfix/main.cf"
finger_says() { # ROW
    said=$(MAIL_CONFIG=$dir/postfix timeout 20 posttls-finger -c -l dane "r$1.example" 2>&1)
    passed_over=$(echo "$said" | grep -c -e 'unusable TLSA RR' -e 'unsupported TLSA')
    if [ "$passed_over" -ge "$(wc -l <"$dir/tlsa")" ]; then echo unusable; return; fi
    case "$said" in
        *"Matched DANE"*"Verified TLS connection"*) echo match ;;
        *"Untrusted TLS connection"*) echo mismatch ;;
        *) echo "nothing known: $said" ;;
    esac
}
judge() { # JUDGE ROW WANTED SEEN
    if [ "$3" = "$4" ]; then echo ok; else echo "FAILED row $2 ($(sed -n "$2p" "$dir/table")): $1 says $4"; fi
}
for row in $rows; do
    wanted=$(sed -n "${row}s/.*| //p" "$dir/table")
    dig @"$MTALAB_RESOLVER" +short "_25._tcp.mx.r$row.example" TLSA | grep '^[0-9]' >"$dir/tlsa"
    judge engine "$row" "$wanted" "$(engine_says "$row")"
    judge openssl "$row" "$wanted" "$(openssl_says "$row" "mx.r$row.example")"
    [ "$JUDGE_FINGER" = no ] || judge posttls-finger "$row" "$wanted" "$(finger_says "$row")"
done >"$dir/judged"
INSIDE
build/bin/mtalab up "$dir/world.yaml" --mode dane=mandatory,mta-sts=none -- sh "$dir/inside" >"$dir/up" 2>&1 ||
    { cat "$dir/up"; exit 1; }
grep '^FAILED' "$dir/judged"
counted "$(grep -c -x ok "$dir/judged")" "$(grep -c '^FAILED' "$dir/judged")" $skipped
