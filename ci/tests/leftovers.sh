# SPDX-License-Identifier: BSD-2-Clause
# Whatever way a run ends, nothing of it is left: no process, no mount, no network namespace, no file.
. ci/lib.sh
good=0 bad=0
world=dane/matching-key

census() { # what there is now
    pgrep -f 'mtalab|fakedns|nginx.*mtalab' | while read -r pid; do
        [ "$pid" = $$ ] || ps -o args= -p "$pid" 2>/dev/null
    done | grep -v -e 'ci/' -e pgrep | sort
    grep -c . /proc/self/mountinfo
    find /tmp /run/user/"$(id -u)" /dev/shm -maxdepth 1 -name '*mtalab*' 2>/dev/null
}
compare() { # NAME
    for _ in 1 2 3 4 5 6 7 8 9 10; do # the kernel ends a namespace's processes in its own time
        after=$(census)
        [ "$after" = "$before" ] && break
        sleep 0.1
    done
    if [ "$after" = "$before" ]; then good=$((good + 1)); else
        bad=$((bad + 1)); printf 'FAILED %s:\nbefore: %s\nafter: %s\n' "$1" "$before" "$after"; fi
}
before=$(census)
build/bin/mtalab run $world >/dev/null; compare "a run that ends by itself"
for signal in INT TERM KILL; do
    build/bin/mtalab run --repeat 50 dane >/dev/null 2>&1 &
    run=$!
    sleep 0.5
    kill -$signal $run
    wait $run 2>/dev/null
    compare "a run ended by SIG$signal"
done
build/bin/mtalab up $world -- true >/dev/null; compare "a world kept up for a command"
build/bin/mtalab up $world -- sleep 60 >/dev/null 2>&1 &
up=$!
sleep 0.5
kill -KILL $up
wait $up 2>/dev/null
compare "a world killed"
counted $good $bad 0
