# SPDX-License-Identifier: BSD-2-Clause
# A world that is up, changed while it runs: each word of `mtalab world` does what it says, as others see it; a sender's
# own network joins it; evidence is kept.
. ci/lib.sh
good=0 bad=0
dir=$(mktemp -d)
trap 'stop_guest; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
guest=
stop_guest() { [ -z "$guest" ] || kill "$guest" 2>/dev/null; }
check() { # ABOUT WANTED SEEN: a part of what is seen; "no ..." is no part
    case "$2" in
        "no "*) case "$3" in *"${2#no }"*) ok=no ;; *) ok=yes ;; esac ;;
        *) case "$3" in *"$2"*) ok=yes ;; *) ok=no ;; esac ;;
    esac
    if [ $ok = yes ]; then good=$((good + 1)); else
        bad=$((bad + 1)); printf 'FAILED %s: wanted %s, saw\n%s\n' "$1" "$2" "$3"; fi
}
up() { build/bin/mtalab up "$@" 2>&1; }

cat >"$dir/hand-in" <<'SCRIPT'
swaks --silent 2 --server "$MTALAB_LISTEN" --from alice@sender.example --to someone@partner.example
SCRIPT

# ---- a partner's mistake, mended: the same message goes as soon as the record is right ----
out=$(up dane/key-of-another-certificate --mta engine --evidence "$dir/evidence" -- sh -c ". $dir/hand-in
    mtalab world attempt; echo before; mtalab world seen; mtalab world queue; mtalab world off; mtalab world attempt; echo after; mtalab world seen")
check "a message is held" "no C: MAIL FROM" "$(echo "$out" | sed -n '/^before/,/^The world/p')"
check "the subject says why" "someone@partner.example: queued 4.7.323" "$out"
check "the defect is met" "C: STARTTLS" "$(echo "$out" | sed -n '/^before/,/^The world/p')"
check "off says so" "without its defect" "$out"
check "it goes when the defect is off" "took the message over tls" "$(echo "$out" | sed -n '/^after/,$p')"
packets=$dir/evidence/dane/key-of-another-certificate@dane=opportunistic,mta-sts=none.pcapng
check "packets are kept" "0a0d0d0a" "$(od -A n -t x1 -N 4 "$packets" 2>&1 | tr -d ' ')"
check "and keys" "CLIENT_TRAFFIC_SECRET" "$(tr -d '\000' <"$packets")"

# ---- each word, seen by others ----
tlsa='delv -a "$MTALAB_DELV_ANCHOR" @"$MTALAB_RESOLVER" +short _25._tcp.mx1.partner.example TLSA'
out=$(up dane/key-of-another-certificate -- sh -c "$tlsa; mtalab world off >/dev/null; $tlsa; mtalab world on >/dev/null; $tlsa")
check "the record changes, and comes back" "3 1 yes no" "$(echo "$out" | awk '{ at[NR] = $0 } END { print NR, $2, at[1] == at[3] ? "yes" : "no", at[1] == at[2] ? "yes" : "no" }')"
certificate='openssl s_client -starttls smtp -connect 198.18.1.1:25 -CAfile "$MTALAB_CA" </dev/null 2>&1 | grep ^Verification'
out=$(up dane/matching-key -- sh -c "$certificate; mtalab world set 'mx1.partner.example: {certificate: expired}' >/dev/null; $certificate
    mtalab world set 'mx1.partner.example: {tlsa: none}'; mtalab world save >$dir/saved.yaml")
check "a certificate is sound" "Verification: OK" "$(echo "$out" | head -1)"
check "a certificate is set" "certificate has expired" "$out"
check "two changes are one" "mx1.partner.example: {certificate: expired, tlsa: none}" "$(cat "$dir/saved.yaml")"
check "what was saved runs" "2 PASS" "$(build/bin/mtalab run "$dir/saved.yaml" --mode dane=mandatory 2>&1)"
out=$(up dane/matching-key -- sh -c "mtalab world set 'mx1.partner.example: {certificat: expired}'; echo status \$?; mtalab world")
check "a mistake has its place" "unknown key 'certificat' in this name, did you mean 'certificate'?" "$out"
check "and a status" "status 2" "$out"
check "and changes nothing" "The world of dane/matching-key." "$out"

cat >"$dir/partner.yaml" <<'YAML'
says: A partner whose certificate is expired for a while.
covers: [7672-2.2-3]
modes: ["dane=opportunistic,mta-sts=none"]
modes-because: It is for looking on.
world:
  partner.example: {mx: [mx1.partner.example]}
  mx1.partner.example: {tlsa: [3 1 1]}
steps:
  - send: {to: a@partner.example}
    expect: {message: delivered}
  - change: {mx1.partner.example: {certificate: expired}}
    flush: yes
    expect: {message: delivered, mx1: [no connect]}
YAML
out=$(up "$dir/partner.yaml" -- sh -c "mtalab world next; $certificate; mtalab world next; echo status \$?; mtalab world set 'x.example: {}'; echo status \$?
    sed -i 's/tlsa: .*}/smtp: {starttls: hidden}}/' $dir/partner.yaml; mtalab world again; mtalab world become mta-sts/enforce-host-not-listed; mtalab world off")
check "the next step" "step 2 of 2" "$out"
check "is in force" "certificate has expired" "$out"
check "there is no third" "and this is the last" "$out"
check "a course is not changed in its middle" "this is not where the scenario begins" "$out"
check "an edited file is read again" "starttls of mx1.partner.example is hidden" "$(echo "$out" | grep -A 3 'step 1 of 2')"
check "another scenario's world" "The world of mta-sts/enforce-host-not-listed" "$out"
check "and its base" "nothing is wrong" "$(echo "$out" | tail -2)"
check "no such word" "did you mean 'next'?" "$(up dane/matching-key -- sh -c 'mtalab world nxt')"
check "no world" "this is for the shell that 'mtalab up SCENARIO' opens" "$(env -u MTALAB_WORLD build/bin/mtalab world 2>&1)"

# ---- a network of somebody's own ----
unshare=$(if [ "$(id -u)" = 0 ]; then echo "unshare -n"; else echo "unshare -rn"; fi)
mkfifo "$dir/there" "$dir/wait"
$unshare sh -c "echo >$dir/there; exec cat $dir/wait" &
guest=$!
read -r _ <"$dir/there"
exec 9<>"$dir/wait" # the guest ends with this script
out=$(up dane/matching-key --attach $guest --files "$dir/files" -- sh -c "$certificate
    openssl s_client -starttls smtp -connect 198.18.1.1:25 -CAfile $dir/files/ca.pem </dev/null 2>&1 | grep ^Verification; ip -o link")
check "the world is there" "Verification: OK
Verification: OK" "$out"
check "and nothing else" "lo inet" "$(echo "$out" | sed -n 's/^[0-9]*: \([a-z]*\)[@:].*/\1/p' | head -2 | xargs)"
check "a resolver to be named" "trust-ad" "$(cat "$dir/files/resolv.conf")"
out=$(up dane/key-of-another-certificate --attach $guest -- sh -c "$tlsa")
check "another world in the same network" "3 1 1 " "$out"
check "a network with a way out is refused" "is up in the network" "$(unshare -rn sh -c "ip link add out type veth peer name in && ip link set out up && build/bin/mtalab up dane/matching-key --attach \$\$ -- true" 2>&1)"
check "no such process" "--attach takes the number of a process" "$(up dane/matching-key --attach me -- true)"
counted $good $bad 0
