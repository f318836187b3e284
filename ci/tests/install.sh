# SPDX-License-Identifier: BSD-2-Clause
# What `make install` lays down works from there: a scenario runs, manual pages and completion are sound, units are.
. ci/lib.sh
good=0 bad=0 skipped=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
verdict() { # NAME yes|no DETAILS
    if [ "$2" = yes ]; then good=$((good + 1)); else bad=$((bad + 1)); printf 'FAILED %s: %s\n' "$1" "$3"; fi
}
leave() { skipped=$((skipped + 1)); echo "skipped: $1"; }

make -s -j"$jobs" install DESTDIR="$dir/root" PREFIX=/usr >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
for file in bin/mtalab bin/mtalab-engine bin/mtalab-adapter-engine bin/mtalab-adapter-postfix bin/mtalab-adapter-exim bin/fakedns \
    share/mtalab/adapters/postfix/known-failures.yaml share/mtalab/adapters/exim/known-failures.yaml \
    share/mtalab/scenarios/dane/matching-key.yaml share/mtalab/scenarios/clauses share/man/man1/mtalab.1 \
    share/man/man8/mtalab-engine.8 share/man/man5/mtalab-engine.yaml.5 share/man/man5/mtalab-scenario.5 \
    share/bash-completion/completions/mtalab share/bash-completion/completions/mtalab-engine \
    lib/systemd/system/mtalab-engine.service lib/systemd/system/mtalab-engine-alerts.timer lib/sysusers.d/mtalab.conf \
    share/doc/mtalab/relay.md share/doc/mtalab/examples/vendor-with-dane.yaml; do
    if [ -e "$dir/root/usr/$file" ]; then ok=yes; else ok=no; fi
    verdict "$file is installed" $ok "it is not"
done

# Away from the checkout, by what was installed alone.
(cd "$dir" && env -u MTALAB_SCENARIOS root/usr/bin/mtalab run dane/matching-key dane/key-of-another-certificate) >"$dir/log" 2>&1 && ok=yes || ok=no
grep -q '12 PASS' "$dir/log" || ok=no
verdict "an installed tree runs scenarios" $ok "$(tail -20 "$dir/log")"

for page in "$dir"/root/usr/share/man/man?/*; do
    name=$(basename "$page")
    if command -v groff >/dev/null 2>&1; then
        complaints=$(groff -man -Tutf8 -ww -z "$page" 2>&1 | head -5)
        if [ -z "$complaints" ] && [ "$(grep -c '^\.\(SH\|SS\|TP\)' "$page")" -gt 20 ]; then ok=yes; else ok=no; fi
        verdict "$name is sound" $ok "$complaints"
    else leave "$name: no groff"; fi
done
for command in $("$dir/root/usr/bin/mtalab-engine" --help | awk '/^  [a-z]/ { print $1 }'); do
    if grep -q "^.SS \"mtalab.-engine $(echo "$command" | sed 's/-/\\\\-/g')[ \"]" "$dir/root/usr/share/man/man8/mtalab-engine.8"; then ok=yes; else ok=no; fi
    verdict "the manual has $command" $ok "not in mtalab-engine.8"
done

complete_with() { # PROGRAM WORDS...: what bash offers for the last word
    PATH="$dir/root/usr/bin:$PATH" bash -c '. "$0/$1"; program=$1; shift; COMP_WORDS=("$program" "$@"); COMP_CWORD=$#; "_${program//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' \
        "$dir/root/usr/share/bash-completion/completions" "$@"
}
offers() { # EXPECTED PROGRAM WORDS...
    expected=$1
    shift
    got=$(complete_with "$@" 2>&1 | tr '\n' ' ')
    if [ "$got" = "$expected " ]; then ok=yes; else ok=no; fi
    verdict "completion of $*" $ok "'$got' instead of '$expected'"
}
offers "what-if" mtalab-engine wh
offers "--probes" mtalab-engine stage --pr
offers "--config" mtalab-engine stage --con
offers "import" mtalab-engine connector imp
offers "on off" mtalab-engine fallback partner o
offers "doctor" mtalab do
offers "--junit" mtalab run --ju
offers "dane/matching-key" mtalab run dane/matching-k
offers "--attach" mtalab up --at
offers "become" mtalab world bec

unit=$dir/root/usr/lib/systemd/system/mtalab-engine.service
if grep -q '^ExecStart=/usr/bin/mtalab-engine run ' "$unit"; then ok=yes; else ok=no; fi
verdict "the unit starts what was installed" $ok "$(grep ExecStart "$unit")"
if command -v systemd-analyze >/dev/null 2>&1 && systemd-analyze --help 2>/dev/null | grep -q -- --offline; then
    for sandbox in mtalab-engine.service:20 mtalab-engine-alerts.service:30; do
        exposure=$(systemd-analyze security --offline=yes --threshold="${sandbox#*:}" "$dir/root/usr/lib/systemd/system/${sandbox%:*}" 2>&1) && ok=yes || ok=no
        verdict "${sandbox%:*} is a sandbox: an exposure of at most ${sandbox#*:} tenths" $ok "$(echo "$exposure" | tail -3)"
    done
    mkdir "$dir/units" # where the programs are that they start
    for file in "$dir"/root/usr/lib/systemd/system/*; do
        sed "s|=/usr/bin/|=$dir/root/usr/bin/|" "$file" >"$dir/units/$(basename "$file")"
    done
    for file in "$dir"/units/*; do
        complaints=$(systemd-analyze verify --man=no "$file" 2>&1 | grep "$(basename "$file")" | head -5)
        if [ -z "$complaints" ]; then ok=yes; else ok=no; fi
        verdict "$(basename "$file") is sound" $ok "$complaints"
    done
else leave "units: no systemd-analyze"; fi
counted $good $bad $skipped
