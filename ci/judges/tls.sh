# SPDX-License-Identifier: BSD-2-Clause
# Inside `mtalab up`: do openssl, posttls-finger and curl think of each host's TLS what the scenario claims?
# Usage: tls.sh WORLD, a folder; WORLD/questions are the claims to judge. JUDGE_FINGER=yes where posttls-finger can be run.
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

# All errors that openssl told, as words; those that have none here are flaws.
errors_in() {
    echo "$1" | sed -n 's/^verify error:num=\([0-9]*\):.*/\1/p' | awk '
        BEGIN { word[2] = word[18] = word[19] = word[20] = word[21] = "untrusted"
                word[10] = "expired"; word[9] = "not-yet-valid"; word[62] = "wrong-name"
                count = split("untrusted expired not-yet-valid wrong-name flawed", order, " ") }
        { seen[$1 in word ? word[$1] : "flawed"] = 1 }
        END { for (i = 1; i <= count; i++) if (order[i] in seen) all = all "+" order[i]
              print substr(all, 2) }'
}
pkix_says() { # HOST
    said=$(client "$1" "$(port_of "$1")" -verify_hostname "$1" -CAfile "$MTALAB_CA")
    case "$said" in
        *"no peer certificate"*) echo none ;;
        *"Verify return code: 0"*) if has_name_of_subject_only "$said"; then echo cn-only; else echo ok; fi ;;
        *) errors_in "$said" ;;
    esac
}

tls_says() { # HOST
    said=$(client "$1" 25)
    case "$said" in
        *":excessive message size:"* | *":bad signature:"*) echo none ;; # the rest of the handshake notwithstanding
        *"New, TLS"*) echo "$said" | sed -n 's/^New, \(TLS[^,]*\),.*/shown \1/p' | head -1 ;;
        *) echo none ;;
    esac
}

# Usages 0 and 1, which openssl knows, are unusable in SMTP, and names do not matter under usage 3. About wildcards see
# judge_pkix.
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
        *"Verified peername: "*[!\ ]"*"* | *"Verified peername: *"[!.]*) echo mismatch ;;
        *"Verify return code: 0"*"DANE TLSA"* | *"DANE TLSA"*"Verify return code: 0"*) echo match ;;
        *) echo mismatch ;;
    esac
}

dane_says() { # HOST
    for reference in $(sed -n "s/^$1 reference //p" "$claims"); do
        seen=$(match_says "$1" "$reference")
        if [ "$seen" != mismatch ]; then break; fi
    done
    echo "$seen"
}

# Only where DANE applies: everything on the way is secure, and no TLSA lookup fails, for an alias is looked up twice. Of
# hundreds of addresses it does not look at all.
is_judged_by_finger() {
    [ "${JUDGE_FINGER:-no}" = yes ] && [ "$(dig @"$MTALAB_RESOLVER" +short "$1" A | wc -l)" -lt 100 ] && grep -q "^$domain MX secure" "$claims" && grep -q "^$1 A secure present" "$claims" &&
        grep -q "^_25._tcp.$1 TLSA secure present" "$claims" && ! grep -q ' TLSA \(bogus\|fails\)' "$claims"
}
finger_says() { # HOST
    # The way by the domain lets its name count too.
    case $mx in *" $1.") hop=$domain ;; *) hop="[$1]" ;; esac
    said=$(MAIL_CONFIG=$config timeout 20 posttls-finger -c -l dane "$hop" 2>&1)
    passed_over=$(echo "$said" | grep -c -e 'unusable TLSA RR' -e 'unsupported TLSA')
    if [ "$passed_over" -ge "$(wc -l <"$claims.tlsa")" ]; then echo unusable; return; fi
    case "$said" in
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

ocsp_says() { # HOST ADDRESS
    said=$(timeout 20 openssl ocsp -no_nonce -issuer "$claims.chain2" -cert "$claims.chain1" -CAfile "$MTALAB_CA" \
        -verify_other "$claims.chain2" -url "http://$2/$1/ocsp" 2>&1)
    case "$said" in
        *"Status times invalid"*) echo none ;;
        *"Response verify OK"*": good"*) echo good ;;
        *"Response verify OK"*": revoked"*) echo revoked ;;
        *) echo none ;;
    esac
}
crl_says() { # HOST ADDRESS
    curl -sS -m 20 "http://$2/$1/crl" 2>/dev/null | openssl crl -inform DER -out "$claims.crl" 2>/dev/null
    case $(openssl verify -partial_chain -trusted "$claims.chain2" -crl_check -CRLfile "$claims.crl" "$claims.chain1" 2>&1) in
        *": OK") echo good ;;
        *"certificate revoked"*) echo revoked ;;
        *) echo none ;;
    esac
}
stapled_says() { # HOST
    client "$1" 25 -status | sed -n 's/^ *Cert Status: //p' | head -1
}

domain=$(sed -n 's/^\([^ ]*\) MX .*/\1/p' "$claims" | head -1)
mx=$(dig @"$MTALAB_RESOLVER" +short "$domain" MX | grep ' ')
case $mx in *"
"*) mx= ;; esac # several
config=$1/postfix
mkdir "$config"
printf '%s\n' 'compatibility_level = 3.6' 'smtp_dns_support_level = dnssec' 'smtp_host_lookup = dns' >"$config/main.cf"

judge_tls() { # HOST SAYS [VERSION]
    if [ "$2" = silent ]; then return; fi
    seen=$(tls_says "$1")
    case $3 in TLSv*) judge openssl "TLS of $1" "$2 ${3%% *}" "$seen" ;; *) judge openssl "TLS of $1" "$2" "${seen% *}" ;; esac
}
judge_pkix() { # HOST SAYS CERTIFICATE
    case $3 in *[!\ ]"*"* | *"*"[!.]*) return ;; esac # openssl, unlike others, takes "m*.partner.example" for a wildcard
    seen=$(pkix_says "$1")
    if [ "$2" = flawed ] && [ "$seen" != ok ]; then seen=flawed; fi # whatever else comes of it
    judge openssl "the certificate of $1" "$2" "$seen"
}
judge_dane() { # HOST SAYS RECORDS
    dig @"$MTALAB_RESOLVER" +cdflag +short "_25._tcp.$1" TLSA | grep '^[0-9]' >"$claims.tlsa"
    if ! grep -q "^_25._tcp.$1 TLSA fails" "$claims"; then judge openssl "DANE of $1 ($3)" "$2" "$(dane_says "$1")"; fi
    if is_judged_by_finger "$1"; then judge posttls-finger "DANE of $1 ($3)" "$2" "$(finger_says "$1")"; fi
}
judge_revocation() { # HOST SAYS WAY ADDRESS
    rm -f "$claims".chain* "$claims.crl"
    client "$1" 25 -showcerts | awk -v to="$claims.chain" '/-BEGIN CERT/ { n++; on = 1 } on { print >(to n) } /-END CERT/ { on = 0 }'
    [ -e "$claims.chain2" ] || cp "$MTALAB_CA" "$claims.chain2" # issued by the root itself
    # shellcheck disable=SC2086
    set -- "$1" "$2" $3
    judge openssl "the revocation of $1 by $3" "$2" "$("$3_says" "$1" "$4")"
}
judge_https() { # HOST SAYS
    if [ "$2" = silent ]; then return; fi
    case $(sed -n "s/^$1 pkix \([^ ]*\).*/\1/p" "$claims") in ok | cn-only | '') says=$2 ;; *) says=untrusted ;; esac
    judge curl "HTTPS of $1" "$says" "$(https_says "$1" "$(endpoint "$1" 443)")"
}
while read -r name about says more; do
    "judge_$about" "$name" "$says" "$more"
done <"$1/questions"
echo judged
