# SPDX-License-Identifier: BSD-2-Clause
# Everybody who can tie a sender up, all at once (ci/tests/hostile.yaml), and the engine keeps its bounds: the sound mail
# arrives while the others are still waited for, each of the others has a word in the trace, and memory stays small.
. ci/lib.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export dir

# DOMAIN, what becomes of its mail, and a part of what the trace says of it.
cat >"$dir/wanted" <<'TABLE'
sound           delivered 250 2.0.0
endless-line    queued    a reply line that is too long
endless-lines   queued    a reply of too many lines
drip            queued    no answer in time, waiting for the answer to the greeting
piecemeal       delivered 250 2.0.0
nul             delivered 250 2.0.0
talkative       queued    STARTTLS was answered: 250 more
deaf            queued    no answer in time, waiting for the answer to the message
slow            queued    no answer in time
flooded         queued    no answer in time, waiting for the answer to EHLO
giant           queued    excessive message size
long-chain      delivered 250 2.0.0
many-tlsa       delivered 250 2.0.0
many-hosts      queued    has no address
many-addresses  queued    Connection refused
circle.aliases  queued    SERVFAIL
giant-policy    delivered 250 2.0.0
endless-policy  delivered 250 2.0.0
slow-policy     delivered 250 2.0.0
TABLE
copies=3 memory_most=65536 # KiB

cat >"$dir/inside" <<'INSIDE'
. ci/lab-engine.sh
{ lab_engine_config "$dir"; cat; } >"$dir/engine.yaml" <<CONFIG
patience: 5s
ipv6: no
CONFIG
lab_engine_run build/bin/mtalab-engine "$dir/engine.yaml" "$dir/log"
engine() { build/bin/mtalab-engine --config "$dir/engine.yaml" "$@"; }
for copy in $(seq "$copies"); do
    for domain in $(cut -d' ' -f1 "$dir/wanted"); do
        printf 'Subject: x\n\nhello\n' | engine send "$copy@$domain.example" >/dev/null || exit 1
    done
done
engine flush >/dev/null
engine --json status >"$dir/status"
sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status >"$dir/memory"
engine stop >/dev/null
wait $pid
INSIDE
export copies
build/bin/mtalab up ci/tests/hostile.yaml --mode dane=opportunistic,mta-sts=opportunistic --journal "$dir/journal" \
    -- sh "$dir/inside" >"$dir/up" 2>&1 || { cat "$dir/up" "$dir/log"; exit 1; }

good=0 bad=0
verdict() { # GOOD? WHAT
    if [ "$1" = yes ]; then good=$((good + 1)); else bad=$((bad + 1)); echo "FAILED $2"; fi
}

# "1@sound.example delivered 250 2.0.0 ..." of each recipient, from the JSON of status, one value a line.
sed -n 's/^ *"\(recipient\|state\|reason\)": "\(.*\)",$/\1 \2/p' "$dir/status" |
    awk '{ word = $1; sub(/^[a-z]+ /, ""); said[word] = $0 } word == "reason" { print said["recipient"], said["state"], said["reason"] }' >"$dir/seen"
while read -r domain state text; do
    seen=$(grep -c "@$domain.example $state .*$text" "$dir/seen")
    if [ "$seen" = $copies ]; then ok=yes; else ok=no; fi
    verdict $ok "$domain: $state, saying '$text', was wanted $copies times; seen: $(grep "@$domain.example " "$dir/seen")"
done <"$dir/wanted"

# Of the lab's own witness: when a host took a message last, and when it lost a connection last.
last() { sed -n "s/.*\"at_us\":\([0-9]*\),.*\"kind\":\"$1\",.*\"host\":\"$2\".*/\1/p" "$dir/journal" | sort -n | tail -1; }
if [ "$(last MX_MESSAGE mx.sound.example)" -lt "$(last MX_CLOSE mx.drip.example)" ]; then ok=yes; else ok=no; fi
verdict $ok "the sound mail had to wait for the others"

memory=$(cat "$dir/memory")
echo "peak of the engine's memory: $memory KiB"
if [ "${memory:-$memory_most}" -lt $memory_most ]; then ok=yes; else ok=no; fi
verdict $ok "$memory KiB are more than $memory_most"
counted $good $bad 0
