# SPDX-License-Identifier: BSD-2-Clause
# What the judges share. Sourced.

# In ci/tests/: writes what every scenario claims to $dir, puts up each world that differs from the others for the judge
# SCRIPT, two at a time, and counts. KEY is a command that prints of a world's folder what the judge depends on.
judge_worlds() { # SCRIPT KEY SKIPPED
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM
    build/bin/mtalab claims --write "$dir" || return 1
    for world in "$dir"/*; do
        printf '%s %s\n' "$($2 "$world" | cksum | tr ' ' -)" "$world"
    done | sort -u -k 1,1 | cut -d ' ' -f 2 | xargs -P 2 -n 1 sh ci/judges/up.sh "$1"
    cat "$dir"/*/judged | grep -v -x -e ok -e judged
    printf '%s scenarios in %s different worlds\n' "$(cat "$dir"/*/title | wc -l)" "$(cat "$dir"/*/judged | grep -c '^judged$')"
    counted "$(cat "$dir"/*/judged | grep -c '^ok$')" "$(cat "$dir"/*/judged | grep -c '^FAILED')" "$3"
}

# In a judge: compares what was seen with what is claimed.
judge() { # JUDGE ABOUT CLAIMED SEEN
    if [ "$3" = "$4" ]; then echo ok; else echo "FAILED $MTALAB_SCENARIO: $2 is $4 for $1, claimed $3"; fi
}
