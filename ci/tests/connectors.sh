# SPDX-License-Identifier: BSD-2-Clause
# What an administrator does with connectors on the command line, without a running engine: route, list, set, fallback,
# log, import, export; and what is refused when the configuration is read, each with its place.
. ci/lib.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
good=0 bad=0
engine() { build/bin/mtalab-engine "$@" 2>&1; }
check() { # ABOUT WANTED SEEN: a part of what is seen
    case "$3" in
        *"$2"*) good=$((good + 1)) ;;
        *) bad=$((bad + 1)); printf 'FAILED %s: wanted %s, saw\n%s\n' "$1" "$2" "$3" ;;
    esac
}
config() { printf 'hostname: relay.example\ndirectory: %s\n%s\n' "$dir" "$1" >"$dir/engine.yaml"; }

config "accepted-domains: [fabrikam.example]
connectors:
  - {name: strict, recipient-domains: [partner.example, '*.partner.example'], smtp-dane: mandatory, fallback: eased}
  - {name: eased, enabled: no, smtp-dane: none}
  - {name: own, all-accepted-domains: yes, smart-hosts: 'gateway.example:2525'}
  - {name: board, only-by-rule: yes, tls: certificate-validation}
rules:
  - {name: secret, connector: board, header-contains: 'X-Class: secret'}"
set -- --config "$dir/engine.yaml"
check "no connector" "connector none" "$(engine route a@other.example "$@")"
check "a wildcard" "connector strict (the longest wildcard: *.partner.example)" "$(engine route a@x.partner.example "$@")"
check "accepted domains" "by gateway.example:2525" "$(engine route a@fabrikam.example "$@")"
check "a rule" "connector board (a rule names it: secret)" \
    "$(engine route a@partner.example --header 'X-Class: top secret' --from b@c.example "$@")"
check "a change" "changed; no engine runs" "$(engine connector set strict smtp-dane=opportunistic tls=encryption-only "$@")"
check "it is in force" "smtp-dane opportunistic, mta-sts opportunistic, tls encryption-only" \
    "$(engine route a@partner.example "$@")"
check "no change" "'mandatry', did you mean 'mandatory'?" "$(engine connector set strict smtp-dane=mandatry "$@")"
check "no such connector" "no connector is named 'strickt'" "$(engine fallback strickt on "$@")"
check "the fallback" "changed" "$(engine fallback strict on "$@")"
check "it carries the mail" "connector eased (the fallback of the connector chosen is on: partner.example, instead of strict)" \
    "$(engine route a@partner.example "$@")"
check "the list" '"state": "by eased"' "$(engine connector list --json "$@")"
check "back to the file" "changed" "$(engine connector reset strict --force "$@")"
check "as it was" "connector strict (the exact domain: partner.example), smtp-dane mandatory" \
    "$(engine route a@partner.example "$@")"
check "the log" '"key": "fallback-on"' "$(engine connector log --json "$@")"
check "the gate was passed by force" '"note": "past the gate, by --force"' "$(engine connector log --json "$@")"

if [ "$(id -u)" = 0 ]; then
    rm "$dir/connectors.db"
    chown nobody "$dir"
    engine connector set strict smtp-dane=none "$@" >/dev/null
    check "root leaves no file of its own with the engine's" nobody "$(stat -c %U "$dir/connectors.db")"
    chown root "$dir" && rm "$dir/connectors.db"
fi

build/bin/mtalab-engine connector export --json "$@" >"$dir/records"
build/bin/mtalab-engine connector import "$dir/records" >"$dir/imported" 2>"$dir/warnings"
config "accepted-domains: [fabrikam.example]
$(cat "$dir/imported")
rules: [{name: secret, connector: board, header-contains: 'X-Class: secret'}]"
build/bin/mtalab-engine connector export --json "$@" >"$dir/again"
check "a round trip" "$(cat "$dir/records")" "$(cat "$dir/again")"
{ printf '\357\273\277'; cat "$dir/records"; } >"$dir/marked"
check "a mark of Windows" "$(cat "$dir/imported")" "$(engine connector import "$dir/marked")"
iconv -f UTF-8 -t UTF-16 "$dir/records" >"$dir/wide"
check "UTF-16, as Windows PowerShell writes" "$(cat "$dir/imported")" "$(engine connector import - <"$dir/wide")"
check "a command" "Set-OutboundConnector -Identity 'strict' -Enabled \$true" "$(engine connector export strict "$@")"
check "no JSON" "records:2:" "$(echo '{' >"$dir/records"; engine connector import "$dir/records")"
check "no word of Exchange's" "record 1 (a): SmtpDaneMode has a value that is not known" \
    "$(echo '{"Name":"a","SmtpDaneMode":"Always"}' | engine connector import)"

anchor() { # ABOUT CONTENT WANTED
    printf '%b' "$2" >"$dir/anchor"
    config "resolver: {trust-anchor: $dir/anchor}"
    check "$1" "$3" "$(engine check localhost --config "$dir/engine.yaml")"
}
anchor "a trust anchor without a key" '; nothing\n' "anchor has no DS or DNSKEY record"
anchor "a trust anchor that is none" '. IN DS x\n' "libunbound cannot begin"

refused() { # ABOUT PLACE TEXT CONNECTORS
    config "connectors:
$4"
    said=$(engine config --config "$dir/engine.yaml") && said="accepted: $said"
    check "$1" "engine.yaml:$2: error: $3" "$said"
}
refused "equal scopes" "5:34" "'X.example' is in the scope of connector 'a' already" "  - {name: a, recipient-domains: x.example}
  - {name: b, recipient-domains: X.example}"
refused "mandatory to an address" "4:80" "mandatory DANE can never be met by an IP address" \
    "  - {name: a, recipient-domains: x.example, smtp-dane: mandatory, smart-hosts: 192.0.2.1}"
refused "smart hosts missing" "4:12" "connector 'a' goes by smart hosts, but 'smart-hosts' has none" \
    "  - {name: a, recipient-domains: x.example, route: smart-hosts}"
refused "a star inside" "4:34" "'a.*.example': a star may stand only in front" "  - {name: a, recipient-domains: 'a.*.example'}"
refused "a flag of OnPremises" "4:12" "connector 'a': 'all-accepted-domains' is not for type 'partner'" \
    "  - {name: a, all-accepted-domains: yes, type: partner}"
refused "no tls-domain" "4:12" "connector 'a': 'tls: domain-validation' needs 'tls-domain'" \
    "  - {name: a, recipient-domains: x.example, tls: domain-validation}"
counted $good $bad 0
