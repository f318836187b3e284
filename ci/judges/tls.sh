# SPDX-License-Identifier: BSD-2-Clause
# Inside `mtalab up`: do openssl, posttls-finger and curl think of each host's TLS what the scenario claims?
# Usage: tls.sh WORLD; JUDGE_FINGER=yes where posttls-finger can be run.
. ci/judges/lib.sh
claims=$1/claims

endpoint() { # HOST PORT
    address=$(awk -v host="$1" '$1 == host && $2 == "address" { print $3; exit }' "$claims")
    case $address in *:*) echo "[$address]:$2" ;; *) echo "$address:$2" ;; esac
}
client() { # HOST PORT OPTION...
    host=$1 port=$2
    shift 2
    if [ "$port" = 25 ]; then set -- -starttls smtp "$@"; fi
    timeout 20 openssl s_client -connect "$(endpoint "$host" "$port")" -servername "$host" "$@" </dev/null 2>&1
}
port_of() { if grep -q "^$1 https " "$claims"; then echo 443; else echo 25; fi; }

# openssl takes the name in the subject where there is no other.
has_name_of_subject_only() { ! echo "$1" | openssl x509 -noout -ext subjectAltName 2>/dev/null | grep -q DNS:; }

pkix_says() { # HOST
    said=$(client "$1" "$(port_of "$1")" -verify_hostname "$1" -CAfile "$MTALAB_CA")
    found=$(echo "$said" | sed -n 's/^verify error:num=\([0-9]*\):.*/\1/p' | awk '
        BEGIN { split("2 untrusted 18 untrusted 19 untrusted 20 untrusted 21 untrusted 10 expired 9 not-yet-valid 62 wrong-name", row, " ")
                for (i = 1; i in row; i += 2) word[row[i]] = row[i + 1]
                split("untrusted expired not-yet-valid wrong-name", order, " ") }
        { if ($1 in word) seen[word[$1]] = 1; else other = other "+" $1 }
        END { for (i = 1; i in order; i++) if (order[i] in seen) all = all "+" order[i]
              print substr(all other, 2) }')
    case "$said" in
        *"no peer certificate"*) echo none ;;
        *"Verify return code: 0"*) if has_name_of_subject_only "$said"; then echo cn-only; else echo ok; fi ;;
        *) echo "${found:-nothing}" ;;
    esac
}

tls_says() { # HOST
    said=$(client "$1" 25)
    case "$said" in
        *"-----BEGIN CERTIFICATE"*) echo "$said" | sed -n 's/^New, \(TLS[^,]*\),.*/shown \1/p' | head -1 ;;
        *) echo none ;;
    esac
}

# Usages 0 and 1, which openssl knows, are unusable in SMTP, and names do not matter under usage 3; and openssl takes
# "m*.partner.example" for a wildcard, which others do not.
match_says() { # HOST NAME
    host=$1 name=$2
    set --
    while read -r usage selector matching data; do
        case $usage in [01]) continue ;; esac
        set -- "$@" -dane_tlsa_rrdata "$usage $selector $matching $(echo "$data" | tr -d ' ')"
    done <"$claims.tlsa"
    if [ $# = 0 ]; then echo unusable; return; fi
    said=$(client "$host" 25 -dane_tlsa_domain "$name" -dane_ee_no_namechecks "$@")
    case "$said" in
        *"Failed to import any TLSA"*) echo unusable ;;
        *"Verified peername: "[!*]*"*"*) echo mismatch ;;
        *"Verify return code: 0"*"DANE TLSA"* | *"DANE TLSA"*"Verify return code: 0"*) echo match ;;
        *) echo mismatch ;;
    esac
}

# 7672-3.2.2: the name of the domain is as good as that of the host.
dane_says() { # HOST
    dig @"$MTALAB_RESOLVER" +cdflag +short "_25._tcp.$1" TLSA >"$claims.tlsa"
    seen=$(match_says "$1" "$1")
    if [ "$seen" = mismatch ]; then seen=$(match_says "$1" "$domain"); fi
    echo "$seen"
}

# Only where DANE applies: everything on the way is secure.
is_judged_by_finger() {
    [ "${JUDGE_FINGER:-no}" = yes ] && grep -q "^$domain MX secure" "$claims" && grep -q "^$1 A secure present" "$claims" &&
        grep -q "^_25._tcp.$1 TLSA secure present" "$claims"
}
finger_says() { # HOST
    hop=$domain
    if [ "$(grep -c ' tls ' "$claims")" != 1 ]; then hop="[$1]"; fi
    said=$(MAIL_CONFIG=$config timeout 20 posttls-finger -c -l dane "$hop" 2>&1)
    case "$said" in
        *"unusable TLSA"* | *"unsupported TLSA"*) echo unusable ;;
        *"Matched DANE"*"Verified TLS connection"*) echo match ;;
        *"Untrusted TLS connection"*) echo mismatch ;;
        *) echo "nothing known: $said" ;;
    esac
}

# The answer is cut where a policy must end, so that an endless one ends.
https_says() { # HOST
    { curl -sS --cacert "$MTALAB_CA" --resolve "$1:443:${2%:443}" -m 20 -w '%{stderr}%{http_code}' \
        "https://$1/.well-known/mta-sts.txt" 2>"$claims.status"; echo $? >"$claims.exit"; } | head -c 65537 >"$claims.body"
    status=$(tail -c 3 "$claims.status") size=$(wc -c <"$claims.body")
    case $(cat "$claims.exit") in
        60) echo untrusted ;;
        18) echo cut ;;
        0 | 23) if [ "$status" != 200 ]; then echo "$status"; elif [ "$size" = 0 ]; then echo empty
            elif [ "$size" -gt 65536 ]; then echo large; else echo ok; fi ;;
        8 | 35 | 52 | 56) echo broken ;;
        *) echo "nothing known: $(cat "$claims.status")" ;;
    esac
}

domain=$(sed -n 's/^\([^ ]*\) MX .*/\1/p' "$claims" | head -1)
config=$1/postfix
mkdir "$config" && printf '%s\n' 'compatibility_level = 3.6' 'smtp_dns_support_level = dnssec' 'smtp_host_lookup = dns' >"$config/main.cf"

while read -r name about says more; do
    case $about in
        tls)
            if [ "$says" = silent ]; then continue; fi
            seen=$(tls_says "$name")
            if [ -z "$more" ] || [ "$says" = none ]; then seen=${seen% *} more=; fi
            judge openssl "TLS of $name" "$says${more:+ $more}" "$seen" ;;
        pkix) judge openssl "the certificate of $name" "$says" "$(pkix_says "$name")" ;;
        dane)
            if ! grep -q "^_25._tcp.$name TLSA fails" "$claims"; then
                judge openssl "DANE of $name ($more)" "$says" "$(dane_says "$name")"
            fi
            if is_judged_by_finger "$name"; then judge posttls-finger "DANE of $name ($more)" "$says" "$(finger_says "$name")"; fi ;;
        https)
            if [ "$says" = silent ]; then continue; fi
            case $(sed -n "s/^$name pkix //p" "$claims") in ok | cn-only | '') ;; *) says=untrusted ;; esac
            judge curl "HTTPS of $name" "$says" "$(https_says "$name" "$(endpoint "$name" 443)")" ;;
    esac
done <"$claims"
echo judged
