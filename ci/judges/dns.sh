# SPDX-License-Identifier: BSD-2-Clause
# Inside `mtalab up`: do delv, which validates by itself, and the resolver call each answer what the scenario claims, and
# does dnssec-verify find each zone as claimed? Usage: dns.sh WORLD
. ci/judges/lib.sh
claims=$1/claims

# What fails comes last: a resolver thinks ill of a server that left a question unanswered.
grep -E '^[^ ]+ (MX|A|AAAA|TLSA|TXT) ' "$claims" | awk '{ print ($3 == "fails") "\t" $0 }' | sort -s -k 1,1 | cut -f 2 \
    >"$1/questions"

# What the resolver makes of each, a line each.
resolver_says() {
    cut -d ' ' -f 1,2 "$1" | dig @"$MTALAB_RESOLVER" +dnssec +noall +comments -f - | awk '
        / status: / { split($0, part, /status: |,/); status = part[3] }
        /^;; flags: / {
            split($0, part, /;; flags: |;/)
            authentic = index(" " part[2] " ", " ad ")
            print status !~ /^(NOERROR|NXDOMAIN)$/ ? "fails" : authentic ? "secure" : "insecure"
        }'
}

# What delv makes of it. CD makes the resolver hand out what it would hold back, so that bogus data differs from none.
delv_says() { # NAME TYPE
    said=$(delv -a "$MTALAB_DELV_ANCHOR" @"$MTALAB_RESOLVER" +cdflag "$1" "$2" 2>&1)
    case "$said" in *"ncache nx"*) there=absent ;; *) there=present ;; esac
    case "$said" in
        *"unsigned answer"*) echo insecure $there ;;
        *"fully validated"*) echo secure $there ;;
        *"resolution failed: failure"* | *"timed out"*) echo fails ;;
        *"resolution failed"*) echo bogus ;;
        *) echo "nothing known: $said" ;;
    esac
}

# unbound cannot tell bogus from failing, nor delv that an absence was opted out of.
judge_answers() {
    while read -r name type says more; do
        read -r seen <&3
        case "$says $more" in bogus*) held=fails ;; *opted-out) held=insecure ;; *) held=$says ;; esac
        judge unbound "$name $type" "$held" "$seen"
        case $more in opted-out) more=absent ;; esac
        seen=$(delv_says "$name" "$type")
        judge delv "$name $type" "$says${more:+ $more}" "$seen"
    done
}

judge_zones() {
    grep ' zone ' "$claims" | while read -r zone _ says; do
        build/bin/fakedns --dump "$zone" "$1/fakedns.yaml" >"$1/zone" || echo "FAILED $MTALAB_SCENARIO: no zone $zone"
        if dnssec-verify -q -o "$zone" "$1/zone" >"$1/zone.log" 2>&1; then seen=verifies; else seen=spoilt; fi
        judge dnssec-verify "zone $zone" "$says" $seen
    done
}

resolver_says "$1/questions" >"$1/answers"
judge_answers <"$1/questions" 3<"$1/answers"
judge_zones "$1"
echo judged
