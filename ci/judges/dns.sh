# SPDX-License-Identifier: BSD-2-Clause
# Inside `mtalab up`: do delv, which validates by itself, and the resolver call each answer what the scenario claims, and
# does dnssec-verify find each zone as claimed? Usage: dns.sh WORLD, a folder; WORLD/questions are the claims to judge.
. ci/judges/lib.sh
world=$1

# What the resolver makes of each, a line each.
resolver_says() {
    cut -d ' ' -f 1,2 "$world/lookups" | dig @"$MTALAB_RESOLVER" +time=20 +tries=1 +dnssec +noall +comments -f - | awk '
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
    case "$said" in *"resolution failed: ncache nx"*) there=absent ;; *) there=present ;; esac
    case "$there $said" in
        present*"resolution failed: failure"* | *"timed out"*) echo fails ;;
        present*"resolution failed"*) echo bogus ;;
        *"unsigned answer"*) echo insecure $there ;;
        *"fully validated"*) echo secure $there ;;
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
        judge delv "$name $type" "$says${more:+ $more}" "$(delv_says "$name" "$type")"
    done
}

judge_zones() {
    while read -r zone _ says; do
        build/bin/fakedns --dump "$zone" "$world/fakedns.yaml" >"$world/zone" || echo "FAILED $MTALAB_SCENARIO: no zone $zone"
        if dnssec-verify -q -o "$zone" "$world/zone" >"$world/zone.log" 2>&1; then seen=verifies; else seen=spoilt; fi
        judge dnssec-verify "zone $zone" "$says" $seen
    done
}

# What fails comes last: a resolver thinks ill of a server that left a question unanswered, and asks it no more.
for fails in -v -e; do
    grep -v ' zone ' "$world/questions" | grep $fails '^[^ ]* [^ ]* fails' >"$world/lookups"
    resolver_says >"$world/answers"
    judge_answers <"$world/lookups" 3<"$world/answers"
done
grep ' zone ' "$world/questions" | judge_zones
echo judged
