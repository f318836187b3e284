# SPDX-License-Identifier: BSD-2-Clause
# docs/relay.md, as it stands there: Postfix hands its mail to the engine, which delivers by DANE and reports back to Postfix.
. ci/lib.sh
if [ "$(id -u)" != 0 ] || ! command -v postfix >/dev/null 2>&1 || ! command -v swaks >/dev/null 2>&1; then
    echo "skipped: Postfix and swaks are needed, and root"
    counted 0 0 1
    exit
fi
good=0 bad=0
dir=$(mktemp -d)
chmod 755 "$dir"
trap 'rm -rf "$dir"' EXIT
export dir
check() { # ABOUT WANTED FILE
    if grep -q -e "$2" "$3"; then good=$((good + 1)); else bad=$((bad + 1)); echo "FAILED $1: no $2 in"; cat "$3"; fi
}

# What stands in the guide: the N-th block of that kind.
block() { # KIND N
    awk -v begin="\`\`\`$1" -v wanted="$2" 'inside && $0 == "```" { inside = take = 0; next }
        !inside && /^```/ { inside = 1; take = $0 == begin && ++n == wanted; next } take' docs/relay.md
}
block yaml 1 >"$dir/guide.yaml"
block yaml 2 >"$dir/network.yaml"
block '' 1 >"$dir/everything.cf"
block '' 2 >"$dir/partners.cf"

cat >"$dir/inside" <<'INSIDE'
. ci/lab-engine.sh
mkdir -p "$dir/engine" "$dir/conf" "$dir/queue" "$dir/data"
chown postfix "$dir/data"
{ lab_engine_config "$dir/engine" | grep -v -e hostname: -e directory: -e listen:; sed "s|/var/lib/mtalab-engine|$dir/engine|" "$dir/guide.yaml"; } >"$dir/engine.yaml"
lab_engine_run build/bin/mtalab-engine "$dir/engine.yaml" "$dir/log"
engine() { build/bin/mtalab-engine --config "$dir/engine.yaml" "$@"; }
cp /etc/postfix/master.cf "$dir/conf/master.cf" 2>/dev/null || cp /usr/share/postfix/master.cf.dist "$dir/conf/master.cf"
postlog='postlog unix-dgram n - n - 1 postlogd'
grep -q '^postlog ' "$dir/conf/master.cf" || echo "$postlog" >>"$dir/conf/master.cf"
sed -i 's/^\([a-z]* *[a-z-]* *[-yn] *[-yn] *\)y/\1n/' "$dir/conf/master.cf"
{ cat "$dir/$1.cf"; cat <<CF; } >"$dir/conf/main.cf"
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/mail.log
maillog_file_prefixes = $dir
myhostname = mail.sender.example
mydestination = sender.example
local_transport = discard:
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
CF
postfix -c "$dir/conf" start
for _ in $(seq 200); do # Postfix comes back from its start before it listens
    swaks --server 127.0.0.1 --from alice@sender.example --to someone@partner.example,nobody@none.partner.example >/dev/null 2>&1 && break
done
for _ in $(seq 1000); do # and says by its log only when it is through
    grep -q 'discard.*to=<alice@sender.example>' "$dir/mail.log" && break
    engine flush
done
engine trace --json >"$dir/trace"
postfix -c "$dir/conf" stop
engine stop
wait $pid
INSIDE
for way in partners everything; do
    rm -rf "$dir/mail.log" "$dir/trace" "$dir/log.ready" "$dir/engine" "$dir/conf" "$dir/queue" "$dir/data"
    build/bin/mtalab up dane/matching-key -- sh "$dir/inside" $way >"$dir/up" 2>&1 || { bad=$((bad + 1)); cat "$dir/up"; }
    check "$way: Postfix hands it over" 'to=<someone@partner.example>, relay=127.0.0.1.*:10026' "$dir/mail.log"
    check "$way: the engine delivers" '"status": "Delivered"' "$dir/trace"
    check "$way: by the partner's connector" '"connector": "partner"' "$dir/trace"
done
check "a report comes home" 'discard.*to=<alice@sender.example>' "$dir/mail.log"
check "by the connector for one's own domains" '"connector": "home"' "$dir/trace"
sed "s|/var/lib/mtalab-engine|$dir/engine|; /^listen/d" "$dir/guide.yaml" | cat - "$dir/network.yaml" >"$dir/all.yaml"
build/bin/mtalab-engine config --config "$dir/all.yaml" >"$dir/said" 2>&1
check "the lines for the network are sound" 'is sound' "$dir/said"
counted $good $bad 0
