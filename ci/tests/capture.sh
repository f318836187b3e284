# SPDX-License-Identifier: BSD-2-Clause
# A partner looked at in one world, and the scenario written of it, must come to the same in every mode.
. ci/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/look" <<'LOOK'
. ci/lab-engine.sh
{ lab_engine_config "$1.engine"; echo "patience: 1s"; } >"$1.config"
exec build/bin/mtalab capture partner.example --config "$1.config" --to "$1.yaml"
LOOK
good=0 bad=0
while read -r scenario; do
    name=$work/$(echo "$scenario" | tr -c 'a-z0-9\n' -)
    if build/bin/mtalab up "$scenario" --mta engine -- sh "$work/look" "$name" >"$name.log" 2>&1 &&
        build/bin/mtalab run "$name.yaml" >>"$name.log" 2>&1; then
        good=$((good + 1))
    else
        bad=$((bad + 1)); echo "FAILED: the capture of $scenario"; cat "$name.log" "$name.yaml"
    fi
done <<'LIST'
dane/matching-key
dane/key-of-another-certificate
dane/two-matching-hosts
dane/tlsa-lookup-fails
dane/both-hosts-mismatch
dane/second-mx-without-tlsa-after-a-mismatch
dane/tlsa-does-not-promote-a-host
dane/record-of-the-issuer-is-not-the-leaf
dane/trust-anchor-in-the-chain
dane/trust-anchor-with-the-wrong-name
dane/unusable-records-demand-encryption
dns/unsigned-domain
dns/mx-host-in-an-unsigned-zone
dns/mx-lookup-fails
dns/zone-signatures-expired[fault=signature-expired]
dns/implicit-mx
dns/null-mx
interplay/both-pass
interplay/both-fail
interplay/dane-fails-policy-passes
interplay/dane-passes-certificate-fails-policy
interplay/unusable-records-policy-fails
mta-sts/enforce-matching-certificate
mta-sts/enforce-bad-certificate[certificate=expired]
mta-sts/enforce-bad-certificate[certificate=unknown-root]
mta-sts/enforce-bad-certificate[certificate=cn-only]
mta-sts/enforce-bad-certificate[certificate=wrong-name]
mta-sts/enforce-host-not-listed[pattern=mx9.partner.example]
mta-sts/enforce-listed-host-is-dead
starttls/missing-with-tlsa
starttls/missing-without-policy
LIST
counted $good $bad 0
