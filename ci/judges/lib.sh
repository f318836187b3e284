# SPDX-License-Identifier: BSD-2-Clause
# What the judges share. Sourced.

# In ci/tests/: has every scenario say what it claims, puts up the worlds in which SELECT finds something to ask, several
# at a time, for the judge SCRIPT, and counts. SELECT, an awk program, reads fakedns.yaml and claims of all worlds in turn and
# writes FOLDER/questions of each, leaving out what is the same as in a world before.
judge_worlds() { # SCRIPT SELECT SKIPPED
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM
    build/bin/mtalab claims --write "$dir" || return 1
    find "$dir" -name fakedns.yaml | sort | sed 's/\(.*\)fakedns.yaml/&\n\1claims/' | xargs -n 2000 awk -f "$2" || return 1
    grep -l ' TLSA \\# 3 ' "$dir"/*/fakedns.yaml | while read -r zones; do
        echo "skipped: $(cat "${zones%/*}/title") (to BIND and Postfix a TLSA record without data is broken)"
    done >"$dir/.skipped"
    cat "$dir/.skipped"
    find "$dir" -name questions | sort | xargs -P "$waiting_jobs" -n 1 sh ci/judges/up.sh "$1"
    cat "$dir"/*/judged | grep -v -x -e ok -e judged
    printf '%s scenarios, %s questions in %s different worlds\n' "$(cat "$dir"/*/title | wc -l)" \
        "$(cat "$dir"/*/questions | wc -l)" "$(cat "$dir"/*/judged | grep -c -x judged)"
    counted "$(cat "$dir"/*/judged | grep -c -x ok)" "$(cat "$dir"/*/judged | grep -c '^FAILED')" $(($3 + $(wc -l <"$dir/.skipped")))
}

# In a judge: compares what was seen with what is claimed.
judge() { # JUDGE ABOUT CLAIMED SEEN
    if [ "$3" = "$4" ]; then echo ok; else echo "FAILED $MTALAB_SCENARIO: $2 is $4 for $1, claimed $3"; fi
}
