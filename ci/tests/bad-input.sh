# SPDX-License-Identifier: BSD-2-Clause
# What a person may get wrong in a scenario: each mistake has a clear message with its place, exit status 2, at once.
. ci/lib.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
good=0 bad=0

# CPU that the children of this shell have spent so far, in ms: unlike the clock, it is the same on a busy machine.
cpu_ms() {
    times >"$dir/times"
    spent=$(tail -1 "$dir/times" | awk '{ for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += part[1] * 60000 + part[2] * 1000 } print int(sum) }')
}

# try NAME EXPECTED-PART: the scenario stands in $dir/$1.yaml
try() {
    cpu_ms
    begin=$spent
    out=$(build/bin/mtalab check "$dir/$1.yaml" 2>&1) && status=0 || status=$?
    cpu_ms
    took=$((spent - begin))
    if [ "$status" = 2 ] && printf '%s' "$out" | grep -q "$1.yaml:$2" && [ $took -lt 100 ]; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
        printf 'FAILED %s: status %s, %s ms of CPU, wanted %s; said:\n%s\n' "$1" "$status" "$took" "$2" "$(printf '%s' "$out" | head -5 | cut -c1-200)"
    fi
}
scenario() { # NAME, then lines appended to a sound beginning
    { printf 'says: A scenario with a mistake.\ncovers: [7672-2.2-3]\nworld:\n  partner.example: {mx: [mx1.partner.example]}\n  mx1.partner.example: {tlsa: [3 1 1]}\nsend: {to: a@partner.example}\nexpect:\n  - message: delivered\n'; cat; } >"$dir/$1.yaml"
}
printf '' | scenario sound
build/bin/mtalab check "$dir/sound.yaml" || { bad=$((bad + 1)); echo "FAILED sound: it is right"; }
printf 'sent: yes\n' | scenario unknown-key;                 try unknown-key '9:1: error: .*sent'
printf 'says: Once more.\n' | scenario duplicate;            try duplicate '9:1: error: '
printf '\tneeds: [queue]\n' | scenario tab;                  try tab '9:'
printf 'because: "never closed\n' | scenario unclosed-quote; try unclosed-quote '9:10: error: '
{ printf 'says: '; head -c 200000 /dev/zero | tr '\0' '['; } >"$dir/brackets.yaml"; try brackets '1:'
{ printf 'says: A name with \377 in it.\n'; } >"$dir/invalid-utf8.yaml";            try invalid-utf8 '1:1[0-9]*: error: '
scenario no-such-fault </dev/null
sed -i 's/tlsa: \[3 1 1\]}/tlsa: [3 1 1], dns: [{fault: servfial, type: TLSA}]}/' "$dir/no-such-fault.yaml"
try no-such-fault "5:.*servfial.*servfail"
scenario mode-left-out </dev/null
sed -i 's/  - message: delivered/  - when: {dane: mandatory}\n    message: delivered/' "$dir/mode-left-out.yaml"
try mode-left-out '[0-9]*:[0-9]*: error: .*dane='
counted $((good + 1)) $bad 0
