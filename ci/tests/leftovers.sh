# SPDX-License-Identifier: BSD-2-Clause
# Whatever way a run ends, nothing of it is left: no process, no mount, no namespace, no file.
. ci/lib.sh
good=0 bad=0
world=dane/matching-key
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/out" "$dir/in"

# What runs here carries a mark, by which it is told among everything else on the machine.
mtalab() { exec env --default-signal=INT LEFTOVERS_OF=$$ build/bin/mtalab "$@"; }
marked() { grep -lzxs "LEFTOVERS_OF=$$" /proc/[0-9]*/environ | cut -d/ -f3; }
# Who is in the process namespaces that the run has made: of it, even without the mark.
crew_of_run() {
    for pid in $(marked); do readlink "/proc/$pid/ns/pid"; done 2>/dev/null | grep -vxF "$(readlink /proc/self/ns/pid)" |
        sort -u | while read -r namespace; do
            find /proc -maxdepth 3 -path '/proc/[0-9]*/ns/pid' -lname "$(echo "$namespace" | sed 's/[][]/\\&/g')" 2>/dev/null
        done | cut -d/ -f3
}
places() { # what there is of mounts and files
    grep -c . /proc/self/mountinfo
    find /tmp /run/user/"$(id -u)" /dev/shm -maxdepth 1 -user "$(id -u)" -name '*mtalab*' 2>/dev/null
}
# Not those that have ended and wait for the machine's first process to take notice.
alive() { marked; for pid in $crew; do grep -sqE '^State:.[^ZX]' "/proc/$pid/status" && echo "$pid"; done; }
compare() { # NAME; $crew is who was seen inside while it ran
    for _ in $(seq 5000); do # the kernel ends a namespace's processes in its own time
        left=$(alive)
        [ -n "$left" ] || break
    done
    now=$(places)
    if [ -n "$crew" ] && [ -z "$left" ] && [ "$now" = "$before" ]; then good=$((good + 1)); else
        bad=$((bad + 1)); printf 'FAILED %s: inside were %s; left: %s\nmounts and files before: %s\nafter: %s\n' "$1" "$(echo $crew)" "$(echo $left)" "$before" "$now"; fi
}
end_with() { if [ "$1" = none ]; then echo >&9; else kill -"$1" $run; fi; }

before=$(places)
mtalab run -v --repeat 30 $world >"$dir/out" & # long enough to be looked at while it runs
{ read -r _; read -r _; crew=$(crew_of_run); cat >/dev/null; } <"$dir/out"
wait $!
compare "a run that ends by itself"
for signal in INT TERM HUP KILL; do
    mtalab run -v --repeat 50 dane >"$dir/out" 2>&1 &
    run=$!
    { read -r _; read -r _; crew=$(crew_of_run); kill -$signal $run; cat >/dev/null; } <"$dir/out" # once a case has ended
    wait $run 2>/dev/null
    compare "a run ended by signal $signal"
done
for signal in none TERM KILL; do # none: the command ends by itself
    mtalab up $world -- sh -c 'echo here >&2; read _' <"$dir/in" 2>"$dir/out" >/dev/null &
    run=$!
    exec 9>"$dir/in" # what keeps the command waiting
    { read -r _; crew=$(crew_of_run); end_with $signal; cat >/dev/null; } <"$dir/out"
    wait $run 2>/dev/null
    exec 9>&-
    compare "a world ended by signal $signal"
done
counted $good $bad 0
